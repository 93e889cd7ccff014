#include "math/kernels/avx512/avx512.h"
#include "math/kernels/avx512/intrinsics.h"
#include "math/kernels/avx512/reduce.h"

namespace minke::avx512 {
namespace {

// Lanes of the 16 values at `i` that belong to n values.
__mmask16 lanes_at(int64_t i, int64_t n) {
  return n - i >= 16 ? 0xffff : static_cast<__mmask16>((1u << (n - i)) - 1);
}

// The polynomial of scalar/elementwise.cc. NaN stays NaN.
__m512 exp_f32(__m512 x) {
  const __mmask16 underflow = _mm512_cmp_ps_mask(x, _mm512_set1_ps(-87.33654f), _CMP_LT_OQ);
  x = _mm512_min_ps(_mm512_set1_ps(89.0f), x);
  const __m512 k = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504f)),
                                        _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  __m512 r = _mm512_fnmadd_ps(k, _mm512_set1_ps(0.693359375f), x);
  r = _mm512_fnmadd_ps(k, _mm512_set1_ps(-2.12194440e-4f), r);
  __m512 p = _mm512_set1_ps(1.38144672e-3f);
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(8.36878084e-3f));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(4.16683927e-2f));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.66665196e-1f));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(4.9999994e-1f));
  const __m512 tail = _mm512_fmadd_ps(_mm512_mul_ps(r, r), p, r);
  const __m512 e = _mm512_scalef_ps(_mm512_add_ps(_mm512_set1_ps(1.0f), tail), k);
  return _mm512_mask_mov_ps(e, underflow, _mm512_setzero_ps());
}

}  // namespace

void rms_norm(const float* x, const float* w, int64_t n, float eps, float* out) {
  __m512 squares[4] = {};
  for (int64_t i = 0; i < n; i += 64) {
    for (int64_t j = i; j < i + 64 && j < n; j += 16) {
      const __m512 v = _mm512_maskz_loadu_ps(lanes_at(j, n), x + j);
      __m512& s = squares[(j - i) / 16];
      s = _mm512_fmadd_ps(v, v, s);
    }
  }
  const float sum = sum_lanes(
      _mm512_add_ps(_mm512_add_ps(squares[0], squares[1]), _mm512_add_ps(squares[2], squares[3])));
  const __m128 mean = _mm_set_ss(sum / static_cast<float>(n) + eps);
  const __m512 inverse = _mm512_set1_ps(1.0f / _mm_cvtss_f32(_mm_sqrt_ss(mean)));
  for (int64_t i = 0; i < n; i += 16) {
    const __mmask16 lanes = lanes_at(i, n);
    const __m512 scaled = _mm512_mul_ps(_mm512_maskz_loadu_ps(lanes, x + i), inverse);
    _mm512_mask_storeu_ps(out + i, lanes,
                          _mm512_mul_ps(_mm512_maskz_loadu_ps(lanes, w + i), scaled));
  }
}

void silu_mul(const float* gate, const float* up, int64_t n, float* out) {
  const __m512 one = _mm512_set1_ps(1.0f);
  const __m512 minus = _mm512_set1_ps(-0.0f);
  for (int64_t i = 0; i < n; i += 16) {
    const __mmask16 lanes = lanes_at(i, n);
    const __m512 z = _mm512_maskz_loadu_ps(lanes, gate + i);
    const __m512 e = exp_f32(_mm512_xor_ps(z, minus));
    const __m512 silu = _mm512_div_ps(z, _mm512_add_ps(one, e));
    _mm512_mask_storeu_ps(out + i, lanes,
                          _mm512_mul_ps(silu, _mm512_maskz_loadu_ps(lanes, up + i)));
  }
}

void rms_norm_backward(const float* x, const float* w, const float* out_grad, int64_t n, float eps,
                       float* x_grad, float* w_grad) {
  __m512 squares[2] = {}, products[2] = {};
  for (int64_t i = 0; i < n; i += 16) {
    const __mmask16 lanes = lanes_at(i, n);
    const __m512 v = _mm512_maskz_loadu_ps(lanes, x + i);
    const __m512 gw = _mm512_mul_ps(_mm512_maskz_loadu_ps(lanes, out_grad + i),
                                    _mm512_maskz_loadu_ps(lanes, w + i));
    squares[i / 16 % 2] = _mm512_fmadd_ps(v, v, squares[i / 16 % 2]);
    products[i / 16 % 2] = _mm512_fmadd_ps(gw, v, products[i / 16 % 2]);
  }
  const float count = static_cast<float>(n);
  const float mean = sum_lanes(_mm512_add_ps(squares[0], squares[1])) / count + eps;
  const float product = sum_lanes(_mm512_add_ps(products[0], products[1]));
  const __m512 inverse = _mm512_set1_ps(1.0f / _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(mean))));
  const __m512 shared = _mm512_set1_ps(product / count / mean);
  for (int64_t i = 0; i < n; i += 16) {
    const __mmask16 lanes = lanes_at(i, n);
    const __m512 v = _mm512_maskz_loadu_ps(lanes, x + i);
    const __m512 g = _mm512_maskz_loadu_ps(lanes, out_grad + i);
    const __m512 gw = _mm512_mul_ps(g, _mm512_maskz_loadu_ps(lanes, w + i));
    const __m512 part = _mm512_fnmadd_ps(shared, v, gw);
    const __m512 dx = _mm512_fmadd_ps(inverse, part, _mm512_maskz_loadu_ps(lanes, x_grad + i));
    const __m512 dw =
        _mm512_fmadd_ps(g, _mm512_mul_ps(v, inverse), _mm512_maskz_loadu_ps(lanes, w_grad + i));
    _mm512_mask_storeu_ps(x_grad + i, lanes, dx);
    _mm512_mask_storeu_ps(w_grad + i, lanes, dw);
  }
}

void silu_mul_backward(const float* gate, const float* up, const float* out_grad, int64_t n,
                       float* gate_grad, float* up_grad) {
  const __m512 one = _mm512_set1_ps(1.0f);
  const __m512 minus = _mm512_set1_ps(-0.0f);
  for (int64_t i = 0; i < n; i += 16) {
    const __mmask16 lanes = lanes_at(i, n);
    const __m512 z = _mm512_maskz_loadu_ps(lanes, gate + i);
    const __m512 g = _mm512_maskz_loadu_ps(lanes, out_grad + i);
    const __m512 sigmoid = _mm512_div_ps(one, _mm512_add_ps(one, exp_f32(_mm512_xor_ps(z, minus))));
    const __m512 silu = _mm512_mul_ps(z, sigmoid);
    const __m512 slope = _mm512_fmadd_ps(silu, _mm512_sub_ps(one, sigmoid), sigmoid);
    const __m512 gu = _mm512_mul_ps(g, _mm512_maskz_loadu_ps(lanes, up + i));
    _mm512_mask_storeu_ps(gate_grad + i, lanes, _mm512_mul_ps(gu, slope));
    _mm512_mask_storeu_ps(up_grad + i, lanes, _mm512_mul_ps(g, silu));
  }
}

void add_scaled(const float* x, int64_t n, float factor, float* to) {
  const __m512 f = _mm512_set1_ps(factor);
  for (int64_t i = 0; i < n; i += 16) {
    const __mmask16 lanes = lanes_at(i, n);
    const __m512 sum = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(lanes, x + i), f,
                                       _mm512_maskz_loadu_ps(lanes, to + i));
    _mm512_mask_storeu_ps(to + i, lanes, sum);
  }
}

float exp_sum(float* x, int64_t n, float max) {
  const __m512 shift = _mm512_set1_ps(max);
  __m512 sums[2] = {};
  for (int64_t i = 0; i < n; i += 16) {
    const __mmask16 lanes = lanes_at(i, n);
    const __m512 e = exp_f32(_mm512_sub_ps(_mm512_maskz_loadu_ps(lanes, x + i), shift));
    _mm512_mask_storeu_ps(x + i, lanes, e);
    __m512& s = sums[i / 16 % 2];
    s = _mm512_mask_add_ps(s, lanes, s, e);
  }
  return sum_lanes(_mm512_add_ps(sums[0], sums[1]));
}

float max(const float* x, int64_t n) {
  __m512 largest = _mm512_set1_ps(x[0]);
  for (int64_t i = 0; i < n; i += 16) {
    const __mmask16 lanes = lanes_at(i, n);
    largest = _mm512_mask_max_ps(largest, lanes, largest, _mm512_maskz_loadu_ps(lanes, x + i));
  }
  return _mm512_reduce_max_ps(largest);
}

void scale(float* x, int64_t n, float factor) {
  const __m512 f = _mm512_set1_ps(factor);
  for (int64_t i = 0; i < n; i += 16) {
    const __mmask16 lanes = lanes_at(i, n);
    _mm512_mask_storeu_ps(x + i, lanes, _mm512_mul_ps(_mm512_maskz_loadu_ps(lanes, x + i), f));
  }
}

}  // namespace minke::avx512
