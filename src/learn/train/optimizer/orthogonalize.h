#pragma once

#include <cstdint>
#include <vector>

#include "math/kernels/kernels.h"

namespace minke {

// Newton-Schulz iterations towards the nearest matrix with orthonormal rows or columns, as in
// Muon (Jordan, 2024): of all singular values that are not tiny, five steps leave some between
// about 0.7 and 1.2. All in float32; the order of every sum depends on the shape alone.
class Orthogonalizer {
 public:
  explicit Orthogonalizer(const Kernels& kernels) : kernels_(&kernels) {}

  // Replaces `matrix`, [rows, columns]. Any scale; zeros stay zeros.
  void run(float* matrix, int64_t rows, int64_t columns);

 private:
  void iterate();
  // out = m * transposed(m) for m of size_ rows of n values; computes one half and mirrors it.
  void times_own_transpose(const float* m, int64_t n, float* out) const;

  const Kernels* kernels_;
  int64_t size_ = 0;                        // rows of x_, the smaller dimension
  int64_t length_ = 0;                      // columns of x_
  std::vector<float> x_, next_;             // [size_, length_]
  std::vector<float> square_, polynomial_;  // [size_, size_]
};

}  // namespace minke
