#pragma once

// What the tests of this folder make their models with.

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <unistd.h>

#include "base/core/error.h"
#include "base/core/rng.h"
#include "math/quant/quant.h"
#include "model/formats/write_checkpoint.h"

namespace minke::testing {

// A folder of its own for a test, removed with all that is in it.
class TempFolder {
 public:
  TempFolder() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "minke-convert-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    path_ = pattern;
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

// The message of the Error that `action` throws; "" if it throws none.
template <typename Action>
std::string error_of(const Action& action) {
  try {
    action();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

inline std::filesystem::path golden_model(const std::string& name) {
  return std::filesystem::path(MINKE_GOLDEN_DIR) / "models" / name;
}

inline Tensor random_matrix(int64_t rows, int64_t columns, uint64_t seed) {
  Tensor t = Tensor::zeros(DType::kF32, {rows, columns});
  Rng rng(seed);
  for (int64_t i = 0; i < rows * columns; ++i) t.f32()[i] = static_cast<float>(rng.normal());
  return t;
}

inline TensorToWrite to_write(std::string name, const Tensor& t) {
  return {std::move(name), t.type, t.shape,
          [t] { return std::span<const uint8_t>(t.data, static_cast<size_t>(t.bytes())); }};
}

}  // namespace minke::testing
