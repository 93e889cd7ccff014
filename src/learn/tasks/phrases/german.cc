#include "learn/tasks/phrases/phrases.h"

namespace minke {
namespace {

constexpr std::string_view kGirls[] = {"Anna",  "Lena",  "Marie", "Sophie",
                                       "Clara", "Hanna", "Julia", "Greta"};
constexpr std::string_view kBoys[] = {"Paul", "Felix",  "Jonas", "Emil",
                                      "Karl", "Moritz", "Anton", "Stefan"};

constexpr SumStory kSums[] = {
    {"{girl} hat {n} Äpfel.", "Dann pflückt sie noch {n} dazu.",
     "Dann schenkt sie ihren Freunden {n} davon.",
     "Dann bringt ihr Onkel so viele, dass sie {n} Mal so viele hat.",
     "Dann verteilt sie alle gleichmäßig auf {n} Tüten und behält nur eine Tüte.",
     "Wie viele Äpfel hat sie am Ende?"},
    {"In einem Regal stehen {n} Bücher.", "Die Bibliothekarin stellt {n} neue Bücher dazu.",
     "Leser leihen {n} Bücher aus.",
     "Es werden Bücher gekauft, bis {n} Mal so viele im Regal stehen.",
     "Die Bücher werden gleichmäßig auf {n} Regale verteilt, und wir betrachten eines davon.",
     "Wie viele Bücher stehen in dem Regal?"},
    {"{boy} besitzt {n} Aufkleber.", "Seine Schwester gibt ihm {n} Aufkleber.",
     "Er verliert {n} Aufkleber.", "Er gewinnt so viele, dass er {n} Mal so viele besitzt.",
     "Er teilt seine Aufkleber gerecht unter {n} Kindern auf, zu denen er selbst gehört.",
     "Wie viele Aufkleber besitzt er jetzt?"},
    {"Eine Bäuerin hat {n} Eier im Lager.", "Ihre Hühner legen {n} weitere Eier.",
     "Auf dem Markt verkauft sie {n} Eier.", "Sie kauft Eier, bis es {n} Mal so viele sind.",
     "Sie verteilt die Eier gleichmäßig auf {n} Läden und notiert, was ein Laden bekommt.",
     "Wie groß ist die Zahl der Eier?"},
    {"{boy} hat {n} Münzen gespart.", "Er verdient {n} Münzen beim Autowaschen.",
     "Er gibt {n} Münzen für ein Spielzeug aus.",
     "Sein Großvater legt so viel dazu, dass es {n} Mal so viele Münzen sind.",
     "Er verteilt die Münzen gleichmäßig auf {n} Gläser und zählt ein Glas.",
     "Wie viele Münzen zählt er?"},
    {"In einem Garten stehen {n} Blumen.", "Im Frühling wachsen dort {n} weitere Blumen.",
     "Die Gärtnerin schneidet {n} Blumen ab.",
     "Ein Jahr später gibt es dort {n} Mal so viele Blumen.",
     "Die Blumen werden zu {n} gleichen Sträußen gebunden, und wir betrachten einen Strauß.",
     "Wie viele Blumen sind es?"},
    {"Ein Bäcker beginnt den Tag mit {n} Keksen.", "Er backt weitere {n} Kekse.",
     "Seine Kunden kaufen {n} Kekse.",
     "Für ein Fest sorgt er dafür, dass es {n} Mal so viele sind.",
     "Er füllt alle Kekse gleichmäßig in {n} Dosen und nimmt eine Dose.",
     "Wie viele Kekse sind das?"},
    {"Im Schulschrank liegen {n} Bleistifte.", "Eine Lieferung mit {n} Bleistiften kommt an.",
     "Die Schüler verbrauchen {n} Bleistifte.",
     "Nach einer großen Bestellung liegen {n} Mal so viele Bleistifte im Schrank.",
     "Die Bleistifte werden gleichmäßig an {n} Klassen verteilt, und wir fragen nach einer Klasse.",
     "Wie viele Bleistifte sind zu zählen?"},
    {"In einem Teich leben {n} Fische.", "Aus dem Fluss kommen {n} Fische dazu.",
     "Ein Reiher frisst {n} Fische.", "Bis zum Sommer sind es {n} Mal so viele Fische.",
     "Die Fische werden gleichmäßig auf {n} neue Teiche verteilt; es geht um einen davon.",
     "Wie viele Fische leben in dem Teich?"},
    {"{girl} beginnt ein Spiel mit {n} Punkten.", "Sie gewinnt {n} Punkte.",
     "Sie verliert {n} Punkte.", "Eine Glückskarte nimmt ihre Punkte mal {n}.",
     "Eine Pechkarte teilt ihre Punkte durch {n}.", "Wie hoch ist ihr Punktestand?"},
    {"Ein Theater hat {n} Karten für heute Abend.", "Es druckt {n} zusätzliche Karten.",
     "Besucher kaufen {n} Karten.",
     "Wegen eines größeren Saals gibt es dann {n} Mal so viele Karten.",
     "Die Karten werden gleichmäßig auf {n} Kassen verteilt, und eine Kasse zählt ihre Karten.",
     "Wie viele Karten werden gezählt?"},
    {"{girl} sammelt Briefmarken; in ihrem Album sind {n} Marken.",
     "Eine Freundin schickt ihr {n} Marken.", "Sie tauscht {n} Marken weg.",
     "Sie sammelt fleißig, bis das Album {n} Mal so viele Marken hat.",
     "Sie ordnet alle Marken gleichmäßig in {n} kleine Alben und öffnet eines.",
     "Wie viele Marken sieht sie?"},
    // Held out.
    {"In einer Halle stehen {n} Stühle.", "Helfer tragen {n} weitere Stühle herein.",
     "Dann werden {n} kaputte Stühle weggebracht.",
     "Für ein Konzert müssen es {n} Mal so viele Stühle sein, und so wird es gemacht.",
     "Die Stühle werden in {n} gleichen Reihen aufgestellt, und jemand zählt eine Reihe.",
     "Wie viele Stühle werden gezählt?"},
    {"{boy} trägt {n} Murmeln in einem Beutel.", "Er findet {n} Murmeln unter dem Sofa.",
     "Unterwegs fallen ihm {n} Murmeln heraus.",
     "Auf dem Jahrmarkt hat er am Ende {n} Mal so viele Murmeln.",
     "Er verteilt alle Murmeln gleichmäßig an {n} Spieler und ist selbst einer davon.",
     "Wie viele Murmeln sind bei ihm?"},
    {"Ein Lager enthält {n} Flaschen.", "Ein Lastwagen lädt {n} Flaschen ab.",
     "Ein Kunde holt {n} Flaschen ab.",
     "Im Laufe der Woche wächst der Bestand, bis es {n} Mal so viele Flaschen sind.",
     "Der Bestand wird gleichmäßig auf {n} Lager verteilt, und wir zählen in einem davon.",
     "Wie viele Flaschen lagern dort?"},
};

constexpr AmountTheme kAmounts[] = {
    {"{a} hat {n} Münzen.", "{a} hat {n} Münzen mehr als {b}.",
     "{a} hat {n} Münzen weniger als {b}.", "Wer hat mehr Münzen?", "Wer hat weniger Münzen?",
     "Wer hat die meisten Münzen?", "Wer hat die wenigsten Münzen?", "Wie viele Münzen hat {a}?",
     "Wie viele Münzen hat {a} mehr als {b}?"},
    {"{a} ist {n} Kilometer geradelt.", "{a} ist {n} Kilometer mehr geradelt als {b}.",
     "{a} ist {n} Kilometer weniger geradelt als {b}.", "Wer ist mehr Kilometer geradelt?",
     "Wer ist weniger Kilometer geradelt?", "Wer ist die meisten Kilometer geradelt?",
     "Wer ist die wenigsten Kilometer geradelt?", "Wie viele Kilometer ist {a} geradelt?",
     "Wie viele Kilometer ist {a} mehr geradelt als {b}?"},
    {"{a} hat {n} Seiten gelesen.", "{a} hat {n} Seiten mehr gelesen als {b}.",
     "{a} hat {n} Seiten weniger gelesen als {b}.", "Wer hat mehr Seiten gelesen?",
     "Wer hat weniger Seiten gelesen?", "Wer hat die meisten Seiten gelesen?",
     "Wer hat die wenigsten Seiten gelesen?", "Wie viele Seiten hat {a} gelesen?",
     "Wie viele Seiten hat {a} mehr gelesen als {b}?"},
    {"{a} hat {n} Punkte erzielt.", "{a} hat {n} Punkte mehr erzielt als {b}.",
     "{a} hat {n} Punkte weniger erzielt als {b}.", "Wer hat mehr Punkte erzielt?",
     "Wer hat weniger Punkte erzielt?", "Wer hat die meisten Punkte erzielt?",
     "Wer hat die wenigsten Punkte erzielt?", "Wie viele Punkte hat {a} erzielt?",
     "Wie viele Punkte hat {a} mehr erzielt als {b}?"},
    // Held out.
    {"{a} hat {n} Beeren gepflückt.", "{a} hat {n} Beeren mehr gepflückt als {b}.",
     "{a} hat {n} Beeren weniger gepflückt als {b}.", "Wer hat mehr Beeren gepflückt?",
     "Wer hat weniger Beeren gepflückt?", "Wer hat die meisten Beeren gepflückt?",
     "Wer hat die wenigsten Beeren gepflückt?", "Wie viele Beeren hat {a} gepflückt?",
     "Wie viele Beeren hat {a} mehr gepflückt als {b}?"},
};

constexpr OrderTheme kOrders[] = {
    {"{a} ist größer als {b}.", "Wer ist am größten?", "Wer ist am kleinsten?"},
    {"{a} läuft schneller als {b}.", "Wer ist am schnellsten?", "Wer ist am langsamsten?"},
    {"{a} wurde vor {b} geboren.", "Wer wurde zuerst geboren?", "Wer wurde zuletzt geboren?"},
    {"{a} ist stärker als {b}.", "Wer ist am stärksten?", "Wer ist am schwächsten?"},
    // Held out.
    {"{a} kam früher an als {b}.", "Wer kam zuerst an?", "Wer kam zuletzt an?"},
};

constexpr MeasureStory kMeasures[] = {
    {100, "Zentimeter", "Meter", "Ein Seil ist {n} Zentimeter lang.",
     "Ein Seil ist {n} Meter lang.", "Ein Seil ist {n} Meter und {n} Zentimeter lang.",
     "Ein Stück von {n} Zentimetern wird angeknotet.",
     "Ein Stück von {n} Zentimetern wird abgeschnitten.",
     "Insgesamt werden {n} solche Seile aneinandergeknotet.",
     "Es wird in {n} gleiche Stücke geschnitten, und eines wird behalten.",
     "Wie viele Zentimeter sind das?", "Wie viele Meter sind das?"},
    {1000, "Gramm", "Kilogramm", "Ein Sack Mehl wiegt {n} Gramm.",
     "Ein Sack Mehl wiegt {n} Kilogramm.", "Ein Sack Mehl wiegt {n} Kilogramm und {n} Gramm.",
     "Wir schütten {n} Gramm Mehl hinein.", "Wir nehmen {n} Gramm Mehl heraus.",
     "Wir stellen {n} solche Säcke zusammen auf die Waage.",
     "Wir verteilen alles gleichmäßig auf {n} Tüten und wiegen eine Tüte.",
     "Wie groß ist das Gewicht in Gramm?", "Wie groß ist das Gewicht in Kilogramm?"},
    {60, "Minuten", "Stunden", "Eine Fahrt dauert {n} Minuten.", "Eine Fahrt dauert {n} Stunden.",
     "Eine Fahrt dauert {n} Stunden und {n} Minuten.",
     "Durch einen Stau wird sie {n} Minuten länger.", "Eine Abkürzung spart {n} Minuten.",
     "Mit dem Fahrrad dauert sie {n} Mal so lange.",
     "Mit dem Zug dauert sie nur diese Zeit geteilt durch {n}.", "Wie viele Minuten dauert sie?",
     "Wie viele Stunden dauert sie?"},
    {1000, "Milliliter", "Liter", "Ein Tank enthält {n} Milliliter Wasser.",
     "Ein Tank enthält {n} Liter Wasser.", "Ein Tank enthält {n} Liter und {n} Milliliter Wasser.",
     "Dann fließen {n} Milliliter Wasser hinein.", "Dann fließen {n} Milliliter Wasser heraus.",
     "Das Wasser von {n} solchen Tanks wird zusammengegossen.",
     "Das Wasser wird gleichmäßig auf {n} Kannen verteilt, und wir betrachten eine Kanne.",
     "Wie viele Milliliter Wasser sind das?", "Wie viele Liter Wasser sind das?"},
    // Held out.
    {100, "Zentimeter", "Meter", "Eine Gartenmauer misst {n} Zentimeter.",
     "Eine Gartenmauer misst {n} Meter.", "Eine Gartenmauer misst {n} Meter und {n} Zentimeter.",
     "Ein Maurer baut {n} Zentimeter dazu.", "Ein Sturm zerstört {n} Zentimeter davon.",
     "Später wird die Mauer {n} Mal so lang gemacht.",
     "Die Mauer wird in {n} gleiche Teile geteilt, und ein Teil wird gestrichen.",
     "Welche Länge ist das in Zentimetern?", "Welche Länge ist das in Metern?"},
};

constexpr Phrases kPhrases = {" ",     {"Anfang:", "Mehr:", "Weniger:", "Mal:", "Geteilt:"},
                              kGirls,  kBoys,
                              kSums,   kAmounts,
                              kOrders, kMeasures};

}  // namespace

const Phrases& german_phrases() {
  return kPhrases;
}

}  // namespace minke
