#include "apps/arguments/output_file.h"

#include "base/core/error.h"

namespace minke {

void require_replaceable(const std::filesystem::path& path) {
  if (path.empty()) fail("output", "expected the name of a file, found none");
  std::error_code ignored;
  const auto status = std::filesystem::status(path, ignored);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    fail(printable(path.string()), "expected the name of a file, found {}",
         std::filesystem::is_directory(status) ? "a folder" : "a device");
  }
}

void require_folder_of(const std::filesystem::path& path) {
  std::error_code ignored;
  const auto folder = path.parent_path();
  if (!folder.empty() && !std::filesystem::is_directory(folder, ignored)) {
    fail(printable(path.string()), "expected a name in a folder that is there, found no folder {}",
         printable(folder.string()));
  }
}

void require_another_file(const std::filesystem::path& path, const std::filesystem::path& model) {
  std::error_code ignored;
  if (std::filesystem::equivalent(path, model, ignored)) {
    fail(printable(path.string()), "is the model itself; expected the name of another file");
  }
}

}  // namespace minke
