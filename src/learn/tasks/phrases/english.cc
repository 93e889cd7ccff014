#include "learn/tasks/phrases/phrases.h"

namespace minke {
namespace {

constexpr std::string_view kGirls[] = {"Anna",  "Grace", "Maria", "Lucy",
                                       "Emily", "Nora",  "Sarah", "Ruth"};
constexpr std::string_view kBoys[] = {"Ben",   "Tom",  "David", "Sam",
                                      "Peter", "Jack", "Leo",   "Henry"};

constexpr SumStory kSums[] = {
    {"{girl} has {n} apples.", "Then she picks {n} more.",
     "Then she gives {n} of them to her friends.",
     "Then her uncle brings so many that she has {n} times as many.",
     "Then she packs them evenly into {n} bags and keeps only one bag.",
     "How many apples does she have in the end?"},
    {"There are {n} books on a shelf.", "The librarian adds {n} new books.",
     "Readers borrow {n} of the books.",
     "So many books are bought that the shelf holds {n} times as many.",
     "The books are spread evenly over {n} shelves, and we look at one of these shelves.",
     "How many books are on the shelf?"},
    {"{boy} owns {n} stickers.", "His sister gives him {n} stickers.", "He loses {n} stickers.",
     "He wins so many that he owns {n} times as many.",
     "He shares his stickers equally among {n} children, himself included.",
     "How many stickers does he own now?"},
    {"A farmer has {n} eggs in her store.", "Her hens lay {n} more eggs.",
     "She sells {n} eggs at the market.", "She buys eggs until there are {n} times as many.",
     "She divides the eggs equally among {n} shops and writes down what one shop gets.",
     "What is the number of eggs?"},
    {"{boy} has saved {n} coins.", "He earns {n} coins by washing cars.",
     "He spends {n} coins on a toy.", "His grandfather makes his savings {n} times as large.",
     "He splits the coins equally into {n} jars and counts one jar.",
     "How many coins does he count?"},
    {"In a garden there are {n} flowers.", "In spring {n} more flowers grow there.",
     "The gardener cuts {n} flowers.", "A year later there are {n} times as many flowers.",
     "The flowers are tied into {n} equal bunches, and we look at one bunch.",
     "How many flowers are there?"},
    {"A baker starts the day with {n} cookies.", "He bakes another {n} cookies.",
     "His customers buy {n} cookies.",
     "For a party he increases the number to {n} times what it was.",
     "He fills {n} boxes equally with all the cookies and takes one box.",
     "How many cookies is that?"},
    {"The school cupboard contains {n} pencils.", "A delivery of {n} pencils arrives.",
     "The pupils use up {n} pencils.",
     "After a large order the cupboard holds {n} times as many pencils.",
     "The pencils are shared equally among {n} classes, and we ask about one class.",
     "How many pencils are left to count?"},
    {"There are {n} fish in a pond.", "Another {n} fish swim in from the river.",
     "A heron eats {n} of the fish.", "By summer there are {n} times as many fish.",
     "The fish are put into {n} new ponds in equal parts; think of one of these ponds.",
     "How many fish live in the pond?"},
    {"{girl} begins a game with {n} points.", "She gains {n} points.", "She loses {n} points.",
     "A lucky card multiplies her points by {n}.", "A bad card divides her points by {n}.",
     "What is her score?"},
    {"A theatre has {n} tickets for tonight.", "It prints {n} extra tickets.",
     "Visitors buy {n} of the tickets.",
     "Because of a bigger hall, the number of tickets rises to {n} times as many.",
     "The tickets are divided equally among {n} desks, and one desk counts its own.",
     "How many tickets are counted?"},
    {"{girl} collects stamps; her album has {n} stamps.", "A friend sends her {n} stamps.",
     "She swaps away {n} stamps.", "She works hard until the album has {n} times as many stamps.",
     "She moves all stamps into {n} small albums with the same number in each, and opens one.",
     "How many stamps does she see?"},
    // Held out.
    {"A hall is set up with {n} chairs.", "Helpers carry in {n} more chairs.",
     "Then {n} broken chairs are taken away.",
     "For a concert there must be {n} times as many chairs, and so it is done.",
     "The chairs are placed in {n} equal rows, and someone counts one row.",
     "How many chairs are counted?"},
    {"{boy} carries {n} marbles in a bag.", "He finds {n} marbles under the sofa.",
     "He drops {n} marbles on the way.", "At the fair he ends up with {n} times as many marbles.",
     "He deals out all the marbles equally to {n} players and plays as one of them.",
     "How many marbles are with him?"},
    {"A warehouse stores {n} bottles.", "A truck unloads {n} bottles.",
     "A customer collects {n} bottles.", "During the week the stock grows to {n} times its size.",
     "The stock is split equally between {n} warehouses, and we count in one of them.",
     "How many bottles are stored there?"},
};

constexpr AmountTheme kAmounts[] = {
    {"{a} has {n} coins.", "{a} has {n} coins more than {b}.", "{a} has {n} coins fewer than {b}.",
     "Who has more coins?", "Who has fewer coins?", "Who has the most coins?",
     "Who has the fewest coins?", "How many coins does {a} have?",
     "How many more coins does {a} have than {b}?"},
    {"{a} has cycled {n} kilometres.", "{a} has cycled {n} kilometres more than {b}.",
     "{a} has cycled {n} kilometres fewer than {b}.", "Who has cycled more kilometres?",
     "Who has cycled fewer kilometres?", "Who has cycled the most kilometres?",
     "Who has cycled the fewest kilometres?", "How many kilometres has {a} cycled?",
     "How many more kilometres has {a} cycled than {b}?"},
    {"{a} has read {n} pages.", "{a} has read {n} pages more than {b}.",
     "{a} has read {n} pages fewer than {b}.", "Who has read more pages?",
     "Who has read fewer pages?", "Who has read the most pages?", "Who has read the fewest pages?",
     "How many pages has {a} read?", "How many more pages has {a} read than {b}?"},
    {"{a} scored {n} points.", "{a} scored {n} points more than {b}.",
     "{a} scored {n} points fewer than {b}.", "Who scored more points?", "Who scored fewer points?",
     "Who scored the most points?", "Who scored the fewest points?",
     "How many points did {a} score?", "How many more points did {a} score than {b}?"},
    // Held out.
    {"{a} picked {n} berries.", "{a} picked {n} berries more than {b}.",
     "{a} picked {n} berries fewer than {b}.", "Who picked more berries?",
     "Who picked fewer berries?", "Who picked the most berries?", "Who picked the fewest berries?",
     "How many berries did {a} pick?", "How many more berries did {a} pick than {b}?"},
};

constexpr OrderTheme kOrders[] = {
    {"{a} is taller than {b}.", "Who is the tallest?", "Who is the shortest?"},
    {"{a} runs faster than {b}.", "Who is the fastest?", "Who is the slowest?"},
    {"{a} was born before {b}.", "Who was born first?", "Who was born last?"},
    {"{a} is stronger than {b}.", "Who is the strongest?", "Who is the weakest?"},
    // Held out.
    {"{a} arrived earlier than {b}.", "Who arrived first?", "Who arrived last?"},
};

constexpr MeasureStory kMeasures[] = {
    {100, "Centimetres", "Metres", "A rope is {n} centimetres long.", "A rope is {n} metres long.",
     "A rope is {n} metres and {n} centimetres long.", "A piece of {n} centimetres is tied to it.",
     "A piece of {n} centimetres is cut off.", "Altogether {n} such ropes are tied together.",
     "It is cut into {n} equal pieces, and one piece is kept.", "How many centimetres long is it?",
     "How many metres long is it?"},
    {1000, "Grams", "Kilograms", "A sack of flour weighs {n} grams.",
     "A sack of flour weighs {n} kilograms.", "A sack of flour weighs {n} kilograms and {n} grams.",
     "We pour in {n} grams of flour.", "We take out {n} grams of flour.",
     "We put {n} such sacks on the scales together.",
     "We divide it equally into {n} bags and weigh one bag.", "What is the weight in grams?",
     "What is the weight in kilograms?"},
    {60, "Minutes", "Hours", "A journey takes {n} minutes.", "A journey takes {n} hours.",
     "A journey takes {n} hours and {n} minutes.", "A delay makes it {n} minutes longer.",
     "A short cut saves {n} minutes.", "By bicycle it takes {n} times as long.",
     "By train it takes this time divided by {n}.", "How many minutes does it take?",
     "How many hours does it take?"},
    {1000, "Millilitres", "Litres", "A tank contains {n} millilitres of water.",
     "A tank contains {n} litres of water.",
     "A tank contains {n} litres and {n} millilitres of water.",
     "Then {n} millilitres of water flow in.", "Then {n} millilitres of water flow out.",
     "The water of {n} such tanks is poured together.",
     "The water is poured equally into {n} cans, and we look at one can.",
     "How many millilitres of water are there?", "How many litres of water are there?"},
    // Held out.
    {100, "Centimetres", "Metres", "A garden wall measures {n} centimetres.",
     "A garden wall measures {n} metres.", "A garden wall measures {n} metres and {n} centimetres.",
     "A mason builds {n} centimetres more.", "A storm destroys {n} centimetres of it.",
     "Later the wall is made {n} times as long.",
     "The wall is divided into {n} equal parts, and one part is painted.",
     "What is this length in centimetres?", "What is this length in metres?"},
};

constexpr Phrases kPhrases = {" ",     {"Start:", "More:", "Fewer:", "Times:", "Shared:"},
                              kGirls,  kBoys,
                              kSums,   kAmounts,
                              kOrders, kMeasures};

}  // namespace

const Phrases& english_phrases() {
  return kPhrases;
}

}  // namespace minke
