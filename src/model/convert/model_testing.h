#pragma once

// What the tests of this folder make their models with.

#include <filesystem>
#include <string>
#include <vector>

#include "base/core/rng.h"
#include "base/core/test_folder.h"
#include "math/quant/quant.h"
#include "model/formats/write_checkpoint.h"

namespace minke::testing {

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
