#pragma once

#include <array>

#include "learn/tasks/phrases/phrase.h"

namespace minke::code_text {

// Asks what the program that follows prints.
extern const std::array<Phrase, 4> kTrace;
// Asks what stands for ___ in the program that follows; {what} is kExpression or kLine.
extern const std::array<Phrase, 4> kComplete;
extern const Phrase kExpression;
extern const Phrase kLine;
// Stands before the output that is wanted.
extern const Phrase kWanted;

extern const Phrase kSteps;   // before the steps of a program
extern const Phrase kPrints;  // before what it prints
extern const Phrase kTry;     // before fills that are tried
extern const Phrase kMiss;
extern const Phrase kHit;

}  // namespace minke::code_text
