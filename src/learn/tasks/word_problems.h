#pragma once

#include "learn/tasks/task.h"

namespace minke {

// Tasks told in sentences (phrases/phrases.h). One question in five writes its numbers in words or
// in digits of the script; the reasoning then begins with them in ASCII digits and goes on with one
// line a step.

// A story in which an amount is changed; levels 1 to 4 are the number of steps. No amount passes
// 999 on levels 1 and 2, or 9999 on 3 and 4.
const Task& sums_task();

// Two (level 1), three (2) or four (3) people: who has the most or the fewest, how many somebody
// has, by how much two differ; from level 2 also orders without numbers, whose first or last is
// asked for. The solution is a number or a name.
const Task& comparison_task();

// Metres and centimetres, kilograms and grams, hours and minutes, litres and millilitres: a
// conversion and what happens to the measured thing, together one to three steps.
const Task& units_task();

}  // namespace minke
