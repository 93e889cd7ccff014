#pragma once

#include <cstdint>
#include <vector>

#include "math/kernels/kernels.h"

namespace minke {

// Newton-Schulz iterations towards the nearest matrix with orthonormal rows or columns, as in
// Muon (Jordan, 2024): of all singular values that are not tiny, five steps leave some between
// about 0.7 and 1.2. Products are of bfloat16 values where the kernels have such, as in Jordan's
// own program, and of float32 elsewhere; sums are float32, and their order depends on the shape
// alone.
class Orthogonalizer {
 public:
  explicit Orthogonalizer(const Kernels& kernels) : kernels_(&kernels) {}

  // Replaces `matrix`, [rows, columns]. Any scale; zeros stay zeros.
  void run(float* matrix, int64_t rows, int64_t columns);

 private:
  void iterate();
  // out = m * transposed(m) for m of size_ rows of n values; computes one half and mirrors it.
  void times_own_transpose(const float* m, int64_t n, float* out);
  // next_ += polynomial_ * x_.
  void add_polynomial_times_x();
  // halves_ = `rows` rows of n values, rounded; an odd number of values gets a zero behind it.
  void round(const float* m, int64_t rows, int64_t n);
  // out(m, first_column + c) (+)= row m of halves_ times row c of packed_, over n values, for rows
  // from first_row on; out has `columns` columns.
  void multiply_panel(int64_t first_row, int64_t n, int64_t first_column, int64_t columns, bool add,
                      float* out) const;

  const Kernels* kernels_;
  int64_t size_ = 0;                        // rows of x_, the smaller dimension
  int64_t length_ = 0;                      // columns of x_
  std::vector<float> x_, next_;             // [size_, length_]
  std::vector<float> square_, polynomial_;  // [size_, size_]
  // Operands of bfloat16 products: left ones; x_; right ones, as a panel.
  std::vector<uint16_t> halves_, x_halves_, packed_;
};

}  // namespace minke
