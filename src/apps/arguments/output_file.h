#pragma once

#include <filesystem>
#include <string>

namespace minke {

// Throws Error unless a file can be put under this name by renaming: there is none, or a regular
// one. Renaming over a device, such as /dev/null, would replace it.
void require_replaceable(const std::filesystem::path& path);

// Throws Error if the folder that `path` is to be written in is not there: before long work.
void require_folder_of(const std::filesystem::path& path);

// Throws Error if `path` is the model that is read.
void require_another_file(const std::filesystem::path& path, const std::filesystem::path& model);

}  // namespace minke
