#include "apps/arguments/model_path.h"

#include "apps/terminal/environment.h"
#include "base/core/error.h"

namespace minke {

namespace fs = std::filesystem;

fs::path find_model(const std::string& model, const std::optional<fs::path>& models) {
  if (model.empty()) fail("MODEL", "expected a file, a folder or a name, found \"\"");
  std::error_code ignored;
  if (fs::exists(model, ignored)) return model;
  const std::string name = printable(model, 4096);
  // A name has no folders of its own, so that none leads out of the folder of models.
  if (model.find('/') != std::string::npos || !models) fail(name, "no such file or folder");
  for (const char* ending : {"", ".gguf"}) {
    const fs::path path = *models / (model + ending);
    if (fs::exists(path, ignored)) return path;
  }
  fail(name, "no such model; looked here and in {} for {} and {}.gguf", models->string(), name,
       name);
}

fs::path find_model(const std::string& model) {
  return find_model(model, models_folder());
}

}  // namespace minke
