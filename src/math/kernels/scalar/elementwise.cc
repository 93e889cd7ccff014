#include <algorithm>
#include <bit>
#include <cmath>

#include "math/kernels/scalar/scalar.h"

namespace minke::scalar {
namespace {

// exp(x) = 2^k * exp(r), k = round(x / ln 2), |r| <= ln(2) / 2. ln 2 is split in a part of ten
// bits, whose product with k is exact, and the rest. exp(r) = 1 + r + r^2 * (polynomial of degree
// 4), fitted to the least largest relative error over |r| <= ln(2) / 2, which is 3e-9.
float exp_f32(float x) {
  constexpr float kSmallest = -87.33654f;  // below it the result is not a normal float
  constexpr float kLargest = 89.0f;        // above it the result is infinite
  constexpr float kMagic = 12582912.0f;    // 1.5 * 2^23: adding it rounds to an integer
  if (x < kSmallest) return 0.0f;
  if (x > kLargest) x = kLargest;
  const float k = (x * 1.44269504f + kMagic) - kMagic;
  const float r = (x - k * 0.693359375f) - k * -2.12194440e-4f;
  float p = 1.38144672e-3f;
  p = p * r + 8.36878084e-3f;
  p = p * r + 4.16683927e-2f;
  p = p * r + 1.66665196e-1f;
  p = p * r + 4.9999994e-1f;
  const float e = 1.0f + (r + r * r * p);
  if (!(k >= -126.0f)) return e;  // NaN
  // 2^128 is not a float: two factors.
  const int whole = static_cast<int>(k);
  const int half = whole >> 1;
  return e * std::bit_cast<float>((half + 127) << 23) *
         std::bit_cast<float>((whole - half + 127) << 23);
}

}  // namespace

void rms_norm(const float* x, const float* w, int64_t n, float eps, float* out) {
  double squares = 0.0;
  for (int64_t i = 0; i < n; ++i) squares += static_cast<double>(x[i]) * x[i];
  const float inverse =
      1.0f / std::sqrt(static_cast<float>(squares / static_cast<double>(n)) + eps);
  for (int64_t i = 0; i < n; ++i) out[i] = w[i] * (x[i] * inverse);
}

void silu_mul(const float* gate, const float* up, int64_t n, float* out) {
  for (int64_t i = 0; i < n; ++i) out[i] = gate[i] / (1.0f + exp_f32(-gate[i])) * up[i];
}

void rms_norm_backward(const float* x, const float* w, const float* out_grad, int64_t n, float eps,
                       float* x_grad, float* w_grad) {
  double squares = 0.0, products = 0.0;
  for (int64_t i = 0; i < n; ++i) {
    squares += static_cast<double>(x[i]) * x[i];
    products += static_cast<double>(out_grad[i]) * w[i] * x[i];
  }
  const double mean = squares / static_cast<double>(n) + static_cast<double>(eps);
  const auto inverse = static_cast<float>(1.0 / std::sqrt(mean));
  // mean(g w xh) / rms, as a factor of x / rms.
  const auto shared = static_cast<float>(products / static_cast<double>(n) / mean);
  for (int64_t i = 0; i < n; ++i) {
    x_grad[i] += inverse * (out_grad[i] * w[i] - shared * x[i]);
    w_grad[i] += out_grad[i] * (x[i] * inverse);
  }
}

void silu_mul_backward(const float* gate, const float* up, const float* out_grad, int64_t n,
                       float* gate_grad, float* up_grad) {
  for (int64_t i = 0; i < n; ++i) {
    const float g = out_grad[i];
    const float sigmoid = 1.0f / (1.0f + exp_f32(-gate[i]));
    const float silu = gate[i] * sigmoid;
    // silu' = sigmoid + silu * (1 - sigmoid).
    gate_grad[i] = g * up[i] * (sigmoid + silu * (1.0f - sigmoid));
    up_grad[i] = g * silu;
  }
}

void add_scaled(const float* x, int64_t n, float factor, float* to) {
  for (int64_t i = 0; i < n; ++i) to[i] += factor * x[i];
}

float exp_sum(float* x, int64_t n, float max) {
  double sum = 0.0;
  for (int64_t i = 0; i < n; ++i) {
    x[i] = exp_f32(x[i] - max);
    sum += static_cast<double>(x[i]);
  }
  return static_cast<float>(sum);
}

float max(const float* x, int64_t n) {
  return *std::max_element(x, x + n);
}

void scale(float* x, int64_t n, float factor) {
  for (int64_t i = 0; i < n; ++i) x[i] *= factor;
}

}  // namespace minke::scalar
