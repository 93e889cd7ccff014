#pragma once

#include <span>
#include <string_view>

#include "learn/tasks/task.h"

namespace minke {

// What the word problems say in one language. A language is one file here and a line in phrases.cc,
// besides its number words (number_words.cc).
//
// Sentences are whole; only numbers and names are put into them:
//   {n}        a number from 2 on, in ASCII digits, digits of the script, or words
//   {d}        the same, never in words: where their form would depend on the noun
//   {a} {b}    people of either sex, {girl} {boy} people whose sex the sentence shows
// {n} must not begin a sentence in a script with capital letters. Everywhere but in Arabic, where
// words are the masculine nominative, {n} stands before what is counted.
//
// The last fifth of every list is held out: kept for measuring, never trained on.

// A start amount, what may happen to it in any order, and the question for what it is then.
struct SumStory {
  std::string_view start;
  std::string_view more;
  std::string_view fewer;
  std::string_view times;
  std::string_view shared;  // divided, and one part looked at
  std::string_view question;
};

// Amounts of several people.
struct AmountTheme {
  std::string_view amount;  // {a} has {n}
  std::string_view more;    // {a} has {n} more than {b}
  std::string_view fewer;
  std::string_view who_more;  // of two people
  std::string_view who_fewer;
  std::string_view who_most;  // of more than two
  std::string_view who_fewest;
  std::string_view how_many;    // has {a}
  std::string_view difference;  // by how much {a} has more than {b}
};

// People in an order, without numbers.
struct OrderTheme {
  std::string_view before;  // {a} comes before {b}
  std::string_view who_first;
  std::string_view who_last;
};

// A measured thing; `small` units make up one `big` one. As in a SumStory, what happens to it is
// told in the small unit.
struct MeasureStory {
  int small_in_big;
  std::string_view small_name;
  std::string_view big_name;
  std::string_view in_small;
  std::string_view in_big;
  std::string_view in_both;  // two numbers, the big unit first
  std::string_view more;
  std::string_view fewer;
  std::string_view times;
  std::string_view shared;
  std::string_view ask_small;
  std::string_view ask_big;
};

// Words that begin the lines of a worked solution.
struct StepWords {
  std::string_view start;
  std::string_view more;
  std::string_view fewer;
  std::string_view times;
  std::string_view shared;
};

struct Phrases {
  std::string_view sentence_space;  // between sentences
  StepWords steps;
  std::span<const std::string_view> girls;
  std::span<const std::string_view> boys;
  std::span<const SumStory> sums;
  std::span<const AmountTheme> amounts;
  std::span<const OrderTheme> orders;
  std::span<const MeasureStory> measures;
};

const Phrases& phrases_of(Language language);

// One a language, in the file named after it.
const Phrases& arabic_phrases();
const Phrases& chinese_phrases();
const Phrases& english_phrases();
const Phrases& german_phrases();
const Phrases& hindi_phrases();
const Phrases& indonesian_phrases();

}  // namespace minke
