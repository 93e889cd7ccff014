#include "learn/train/optimizer/orthogonalize.h"

#include <algorithm>
#include <cmath>

#include "learn/train/optimizer/adamw.h"

namespace minke {
namespace {

constexpr int kIterations = 5;
// The quintic a*s + b*s^3 + c*s^5 that Jordan found to lift small singular values fastest.
constexpr float kA = 3.4445f, kB = -4.7750f, kC = 2.0315f;
constexpr double kLeastNorm = 1e-7;  // added to the norm, for gradients that are all but zero
constexpr int64_t kTile = kPanelWidth;

// Values of a row of halves_.
int64_t even(int64_t n) {
  return n + n % 2;
}

// to[c, r] = factor * from[r, c].
void transpose(const float* from, int64_t rows, int64_t columns, float factor, float* to) {
  for (int64_t r0 = 0; r0 < rows; r0 += kTile) {
    for (int64_t c0 = 0; c0 < columns; c0 += kTile) {
      for (int64_t c = c0; c < std::min(c0 + kTile, columns); ++c) {
        for (int64_t r = r0; r < std::min(r0 + kTile, rows); ++r) {
          to[c * rows + r] = factor * from[r * columns + c];
        }
      }
    }
  }
}

}  // namespace

void Orthogonalizer::run(float* matrix, int64_t rows, int64_t columns) {
  size_ = std::min(rows, columns);
  length_ = std::max(rows, columns);
  const auto elements = static_cast<size_t>(size_ * length_);
  const auto squares = static_cast<size_t>(size_ * size_);
  x_.resize(elements);
  next_.resize(elements);
  square_.resize(squares);
  polynomial_.resize(squares);
  const double norm = std::sqrt(sum_of_squares(matrix, rows * columns));
  const auto factor = static_cast<float>(1 / (norm + kLeastNorm));
  if (rows > columns) {
    transpose(matrix, rows, columns, factor, x_.data());
  } else {
    for (size_t i = 0; i < elements; ++i) x_[i] = factor * matrix[i];
  }
  for (int i = 0; i < kIterations; ++i) iterate();
  if (rows > columns) {
    transpose(x_.data(), columns, rows, 1, matrix);
  } else {
    std::copy(x_.begin(), x_.end(), matrix);
  }
}

// X becomes a X + (b A + c A^2) X with A = X X^T.
void Orthogonalizer::iterate() {
  times_own_transpose(x_.data(), length_, square_.data());
  times_own_transpose(square_.data(), size_, polynomial_.data());  // A is its own transpose
  for (size_t i = 0; i < square_.size(); ++i) {
    polynomial_[i] = kB * square_[i] + kC * polynomial_[i];
  }
  for (size_t i = 0; i < x_.size(); ++i) next_[i] = kA * x_[i];
  add_polynomial_times_x();
  std::swap(x_, next_);
}

void Orthogonalizer::times_own_transpose(const float* m, int64_t n, float* out) {
  const bool halves = kernels_->multiply_bf16 != nullptr;
  if (halves) round(m, size_, n);
  for (int64_t first = 0; first < size_; first += kTile) {
    const int64_t last = std::min(first + kTile, size_);
    if (halves) {
      packed_.resize(static_cast<size_t>(panel_values(kPanelWidth, n)));
      kernels_->pack_rows_bf16(halves_.data() + first * even(n), even(n),
                               static_cast<int>(last - first), n, packed_.data());
      multiply_panel(first, n, first, size_, false, out);
    } else {
      kernels_->dot_f32(m + first * n, n, last - first, m + first * n, n, size_ - first, n,
                        out + first * size_ + first, size_);
    }
    for (int64_t r = last; r < size_; ++r) {
      for (int64_t c = first; c < last; ++c) out[c * size_ + r] = out[r * size_ + c];
    }
  }
}

void Orthogonalizer::add_polynomial_times_x() {
  if (kernels_->multiply_bf16 == nullptr) {
    kernels_->accumulate_f32(polynomial_.data(), size_, size_, x_.data(), length_, size_, length_,
                             next_.data(), length_);
    return;
  }
  x_halves_.resize(x_.size());
  kernels_->round_bf16(x_.data(), size_ * length_, x_halves_.data());
  round(polynomial_.data(), size_, size_);
  packed_.resize(static_cast<size_t>(panel_values(kPanelWidth, size_)));
  for (int64_t first = 0; first < length_; first += kPanelWidth) {
    const int64_t count = std::min<int64_t>(kPanelWidth, length_ - first);
    kernels_->pack_columns_bf16(x_halves_.data() + first, length_, static_cast<int>(count), size_,
                                kPanelWidth, packed_.data());
    multiply_panel(0, size_, first, length_, true, next_.data());
  }
}

void Orthogonalizer::round(const float* m, int64_t rows, int64_t n) {
  halves_.assign(static_cast<size_t>(rows * even(n)), 0);
  for (int64_t r = 0; r < rows; ++r) {
    kernels_->round_bf16(m + r * n, n, halves_.data() + r * even(n));
  }
}

void Orthogonalizer::multiply_panel(int64_t first_row, int64_t n, int64_t first_column,
                                    int64_t columns, bool add, float* out) const {
  const auto width = static_cast<int>(std::min<int64_t>(kPanelWidth, columns - first_column));
  for (int64_t m = first_row; m < size_; m += kernels_->left_rows) {
    const auto rows = static_cast<int>(std::min<int64_t>(kernels_->left_rows, size_ - m));
    kernels_->multiply_bf16(halves_.data() + m * even(n), even(n), 2, packed_.data(), even(n) / 2,
                            rows, width, add, out + m * columns + first_column, columns);
  }
}

}  // namespace minke
