#pragma once

#include <cstring>
#include <vector>

#include "base/core/rng.h"
#include "base/cpu/isa.h"
#include "math/ops/ops.h"
#include "math/quant/quant.h"

namespace minke {

// A context of its own for a test.
struct TestContext {
  explicit TestContext(int threads = 2, Isa isa = machine_isa())
      : pool(threads), kernels(select_kernels(isa)), ctx(pool, kernels) {}

  ThreadPool pool;
  Kernels kernels;
  Context ctx;
};

inline Tensor random_tensor(const Shape& shape, uint64_t seed, double deviation = 1) {
  Tensor t = Tensor::zeros(DType::kF32, shape);
  Rng rng(seed);
  for (int64_t i = 0; i < shape.elements(); ++i) {
    t.f32()[i] = static_cast<float>(deviation * rng.normal());
  }
  return t;
}

// The same values, in a cache of `type`.
inline Tensor stored(const Tensor& t, DType type) {
  TestContext c(1);
  Tensor out = Tensor::zeros(type, t.shape);
  store_values(c.ctx, t.f32(), t.shape.elements(), type, out.data);
  return out;
}

inline std::vector<float> values(const Tensor& t) {
  return {t.f32(), t.f32() + t.shape.elements()};
}

// Equal bit for bit, NaN included.
inline bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape == b.shape && std::memcmp(a.data, b.data, static_cast<size_t>(a.bytes())) == 0;
}

}  // namespace minke
