#pragma once

#include "learn/tasks/phrases/phrase.h"

namespace minke::dates_text {

// Fields: {weekday} and {days}; the answer is the name of a weekday.
extern const Wordings kWeekday;
// Fields: {first} and {second}; the answer is a number.
extern const Wordings kBetween;
// Fields: {date} and {days}; the answer is a date in ISO form.
extern const Wordings kLater;

// Fields: {month} and {days}: "March has 31 days".
extern const Phrase kMonthLength;
// "A week has 7 days".
extern const Phrase kWeekLength;

}  // namespace minke::dates_text
