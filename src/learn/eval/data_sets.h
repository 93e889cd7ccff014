#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

#include "learn/eval/questions.h"

namespace minke {

// Data sets with an object a line. Other members are not read.
//   gsm8k      "question"; "answer": the solution, which ends with "#### 42"
//   mgsm       "question"; "answer_number": an integer
//   math500    "problem"; "answer": an expression; "level", if there: 1 to 5
//   checked    "question"; "answer"; "checker": "exact", "integer" or "expression"; "language", if
//              there, instead of the file's; "level", if there: 1 to 100
//   humaneval  human_eval.h
// The answer stands in the last \boxed{} of a reply. The questions of the first three ask for it,
// in English; those of checked are sent as they are written. How answers are compared:
// integer_answer() for gsm8k, mgsm and integer, normalised_expression() for math500 and expression,
// and for exact the content of the box, without spaces around it.
enum class DataSetFormat { kGsm8k, kMgsm, kMath500, kChecked, kHumanEval };
std::string_view data_set_format_name(DataSetFormat format);
// Throws Error for any other name.
DataSetFormat data_set_format_from_name(std::string_view name);

// The first `most` questions of a file (0: all), said to be of `language`. Throws Error that names
// the file and the line if one is not what the format says, if there is none, and if Python that
// is to be run cannot be.
std::vector<Question> read_data_set(const std::filesystem::path& path, DataSetFormat format,
                                    Language language, int64_t most);

}  // namespace minke
