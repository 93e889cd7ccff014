#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "learn/train/recipe/recipe.h"

namespace minke {

// The folder of the tokenizer's files, which go with the model in the end. The recipe has it, or
// tokenizer.json itself. Throws Error if it has neither.
std::filesystem::path tokenizer_folder(const Recipe& recipe);

// What a run learns from besides its recipe: the tokenizer, the model to begin with, the shards of
// every stage. "the tokenizer in PATH" and the like, each with a hash of its bytes; a shard's is
// the checksum that it has in itself. Throws Error if one of them cannot be read.
std::map<std::string, std::string> run_inputs(const Recipe& recipe);

// Throws Error that names what is another one than when the run began. What only one of the two has
// is not compared.
void require_same_inputs(const std::map<std::string, std::string>& began,
                         const std::map<std::string, std::string>& found);

}  // namespace minke
