#include "math/kernels/avx2/avx2.h"
#include "math/kernels/avx2/lanes.h"

namespace minke::avx2 {
namespace {

// Calls body(i, load, store) for each eight of n values; what load reads and store writes is cut
// off at n.
struct Whole {
  __m256 load(const float* p) const { return _mm256_loadu_ps(p); }
  void store(float* p, __m256 v) const { _mm256_storeu_ps(p, v); }
  __m256 keep(__m256 v) const { return v; }
};

struct Masked {
  __m256i lanes;
  __m256 load(const float* p) const { return _mm256_maskload_ps(p, lanes); }
  void store(float* p, __m256 v) const { _mm256_maskstore_ps(p, lanes, v); }
  // Zero in the other lanes.
  __m256 keep(__m256 v) const { return _mm256_and_ps(v, _mm256_castsi256_ps(lanes)); }
};

template <typename Body>
void for_each_eight(int64_t n, const Body& body) {
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) body(i, Whole{});
  if (i < n) body(i, Masked{first_lanes(n - i)});
}

// 2^k for integers k in [-126, 127].
__m256 power_of_two(__m256i k) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(k, _mm256_set1_epi32(127)), 23));
}

// The polynomial of scalar/elementwise.cc. NaN stays NaN.
__m256 exp_f32(__m256 x) {
  const __m256 underflow = _mm256_cmp_ps(x, _mm256_set1_ps(-87.33654f), _CMP_LT_OQ);
  x = _mm256_min_ps(_mm256_set1_ps(89.0f), x);
  const __m256 k = _mm256_round_ps(_mm256_mul_ps(x, _mm256_set1_ps(1.44269504f)),
                                   _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  __m256 r = _mm256_fnmadd_ps(k, _mm256_set1_ps(0.693359375f), x);
  r = _mm256_fnmadd_ps(k, _mm256_set1_ps(-2.12194440e-4f), r);
  __m256 p = _mm256_set1_ps(1.38144672e-3f);
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(8.36878084e-3f));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(4.16683927e-2f));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.66665196e-1f));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(4.9999994e-1f));
  const __m256 e = _mm256_add_ps(_mm256_set1_ps(1.0f), _mm256_fmadd_ps(_mm256_mul_ps(r, r), p, r));
  // 2^128 is not a float: two factors.
  const __m256i whole = _mm256_cvtps_epi32(k);
  const __m256i half = _mm256_srai_epi32(whole, 1);
  const __m256 scaled = _mm256_mul_ps(_mm256_mul_ps(e, power_of_two(half)),
                                      power_of_two(_mm256_sub_epi32(whole, half)));
  return _mm256_andnot_ps(underflow, scaled);
}

}  // namespace

void rms_norm(const float* x, const float* w, int64_t n, float eps, float* out) {
  __m256 squares[4];
  for (auto& s : squares) s = _mm256_setzero_ps();
  for_each_eight(n, [&](int64_t i, auto part) {
    const __m256 v = part.load(x + i);
    __m256& s = squares[i / 8 % 4];
    s = _mm256_fmadd_ps(v, v, s);
  });
  const float sum = sum_lanes(
      _mm256_add_ps(_mm256_add_ps(squares[0], squares[1]), _mm256_add_ps(squares[2], squares[3])));
  const __m128 mean = _mm_set_ss(sum / static_cast<float>(n) + eps);
  const __m256 inverse = _mm256_set1_ps(1.0f / _mm_cvtss_f32(_mm_sqrt_ss(mean)));
  for_each_eight(n, [&](int64_t i, auto part) {
    part.store(out + i, _mm256_mul_ps(part.load(w + i), _mm256_mul_ps(part.load(x + i), inverse)));
  });
}

void silu_mul(const float* gate, const float* up, int64_t n, float* out) {
  for_each_eight(n, [&](int64_t i, auto part) {
    const __m256 z = part.load(gate + i);
    const __m256 e = exp_f32(_mm256_xor_ps(z, _mm256_set1_ps(-0.0f)));
    const __m256 silu = _mm256_div_ps(z, _mm256_add_ps(_mm256_set1_ps(1.0f), e));
    part.store(out + i, _mm256_mul_ps(silu, part.load(up + i)));
  });
}

void rms_norm_backward(const float* x, const float* w, const float* out_grad, int64_t n, float eps,
                       float* x_grad, float* w_grad) {
  __m256 squares = _mm256_setzero_ps(), products = _mm256_setzero_ps();
  for_each_eight(n, [&](int64_t i, auto part) {
    const __m256 v = part.load(x + i);
    squares = _mm256_fmadd_ps(v, v, squares);
    products =
        _mm256_fmadd_ps(_mm256_mul_ps(part.load(out_grad + i), part.load(w + i)), v, products);
  });
  const float count = static_cast<float>(n);
  const float mean = sum_lanes(squares) / count + eps;
  const __m256 inverse = _mm256_set1_ps(1.0f / _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(mean))));
  const __m256 shared = _mm256_set1_ps(sum_lanes(products) / count / mean);
  for_each_eight(n, [&](int64_t i, auto part) {
    const __m256 v = part.load(x + i);
    const __m256 g = part.load(out_grad + i);
    const __m256 rest = _mm256_fnmadd_ps(shared, v, _mm256_mul_ps(g, part.load(w + i)));
    part.store(x_grad + i, _mm256_fmadd_ps(inverse, rest, part.load(x_grad + i)));
    part.store(w_grad + i, _mm256_fmadd_ps(g, _mm256_mul_ps(v, inverse), part.load(w_grad + i)));
  });
}

void silu_mul_backward(const float* gate, const float* up, const float* out_grad, int64_t n,
                       float* gate_grad, float* up_grad) {
  const __m256 one = _mm256_set1_ps(1.0f);
  for_each_eight(n, [&](int64_t i, auto part) {
    const __m256 z = part.load(gate + i);
    const __m256 g = part.load(out_grad + i);
    const __m256 e = exp_f32(_mm256_xor_ps(z, _mm256_set1_ps(-0.0f)));
    const __m256 sigmoid = _mm256_div_ps(one, _mm256_add_ps(one, e));
    const __m256 silu = _mm256_mul_ps(z, sigmoid);
    const __m256 slope = _mm256_fmadd_ps(silu, _mm256_sub_ps(one, sigmoid), sigmoid);
    const __m256 gu = _mm256_mul_ps(g, part.load(up + i));
    part.store(gate_grad + i, _mm256_mul_ps(gu, slope));
    part.store(up_grad + i, _mm256_mul_ps(g, silu));
  });
}

void add_scaled(const float* x, int64_t n, float factor, float* to) {
  const __m256 f = _mm256_set1_ps(factor);
  for_each_eight(n, [&](int64_t i, auto part) {
    part.store(to + i, _mm256_fmadd_ps(part.load(x + i), f, part.load(to + i)));
  });
}

float exp_sum(float* x, int64_t n, float max) {
  const __m256 shift = _mm256_set1_ps(max);
  __m256 sums[2] = {_mm256_setzero_ps(), _mm256_setzero_ps()};
  for_each_eight(n, [&](int64_t i, auto part) {
    const __m256 e = exp_f32(_mm256_sub_ps(part.load(x + i), shift));
    part.store(x + i, e);
    __m256& s = sums[i / 8 % 2];
    s = _mm256_add_ps(s, part.keep(e));
  });
  return sum_lanes(_mm256_add_ps(sums[0], sums[1]));
}

float max(const float* x, int64_t n) {
  __m256 largest = _mm256_set1_ps(x[0]);
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) largest = _mm256_max_ps(largest, _mm256_loadu_ps(x + i));
  float lanes[8];
  _mm256_storeu_ps(lanes, largest);
  float result = lanes[0];
  for (const float lane : lanes) result = lane > result ? lane : result;
  for (; i < n; ++i) result = x[i] > result ? x[i] : result;
  return result;
}

void scale(float* x, int64_t n, float factor) {
  const __m256 f = _mm256_set1_ps(factor);
  for_each_eight(
      n, [&](int64_t i, auto part) { part.store(x + i, _mm256_mul_ps(part.load(x + i), f)); });
}

}  // namespace minke::avx2
