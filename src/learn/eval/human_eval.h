#pragma once

#include <string>
#include <string_view>

#include "learn/eval/questions.h"
#include "text/tokenizer/json_node.h"

namespace minke {

// Problems in the form of HumanEval (Chen et al. 2021, Evaluating Large Language Models Trained on
// Code): "prompt", Python that ends with the head and docstring of a function; "entry_point", its
// name; "canonical_solution", its body; "test", Python that defines check(candidate).
//
// The model is asked to write the whole function. Its reply is right if the Python in it, run
// behind what the prompt holds in front of the function (imports, helpers), passes the test
// (python_sandbox.h).
//
// Reads one into `question`: text, expected, accepts. Throws Error that names the member.
void read_human_eval(const JsonNode& root, Question& question);

// What follows "```python" in its last block of `reply`, up to "```" at the start of a line or the
// end; all of `reply` if it has no such block.
std::string_view last_python_block(std::string_view reply);

}  // namespace minke
