#pragma once

#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "math/tensor/dtype.h"
#include "model/families/bundle.h"

namespace minke {

// What a Hugging Face folder holds beside the weights. All throw Error that names the file.

// Makes the folder if it is not there; those above it must be. A model that is there is no model
// from now on: its configuration, tokenizer and index are removed.
void prepare_folder(const std::filesystem::path& folder);
void write_text(const std::filesystem::path& path, std::string_view text);

// config.json of the folder `source`, for weights of type F32, F16 or BF16 and without layers of
// multi-token prediction.
std::string changed_config(const std::filesystem::path& source, DType type);

enum class FolderPart { kTokenizer, kGeneration, kCode, kLicense, kCard };

// Copies the files of these parts, as far as they are there: the tokenizer and its chat format, the
// generation defaults, the code that config.json names, the licence, the model card.
void copy_folder_files(const std::filesystem::path& source, const std::filesystem::path& folder,
                       std::initializer_list<FolderPart> parts);
// Copies all of them.
void copy_folder_files(const std::filesystem::path& source, const std::filesystem::path& folder);

// Writes the tokenizer of a GGUF file, and adds its ids to `config`, the text of config.json. Adds
// to `notes` what such files do not tell.
void write_folder_tokenizer(const Bundle& bundle, const std::filesystem::path& folder,
                            std::string& config, std::vector<std::string>& notes);

}  // namespace minke
