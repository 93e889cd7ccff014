#pragma once

#include "math/kernels/avx2/formats_blocks32.h"
#include "math/kernels/avx2/formats_k.h"
#include "math/kernels/avx2/multiply_tiles.h"
#include "math/kernels/avx_vnni/avx_vnni.h"

// The products of avx2/ by vpdpbusd, which adds four products of an unsigned code and an activation
// in 32 bits: the same sums, so the same bits. The instruction has two encodings, that of AVX-VNNI
// and that of AVX-512; the compiler's flags tell which one these intrinsics stand for.

namespace minke::avx_vnni {
namespace {

using avx2::kQuads;
using avx2::Panel;
using avx2::Tile;

template <bool kOffset, bool kHalves>
struct DotProducts {
  static constexpr bool kHasOffset = kOffset;
  static constexpr bool kHasZero = !kOffset;
  static constexpr bool kScalesHalves = kHalves;

  template <int V, int M>
  [[gnu::always_inline]] static void multiply_quads(const Tile& t, int64_t b, int begin, int end,
                                                    __m256i (&dot)[M][V]) {
#pragma GCC unroll 8
    for (int k = begin; k < end; ++k) {
      __m256i w[V];
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) w[v] = avx2::codes_at(t, b * kQuads + k, v);
#pragma GCC unroll 4
      for (int m = 0; m < M; ++m) {
        const __m256i x = avx2::four_values(t.x[m * t.x_stride + b], k);
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) {
          const __m256i before = k == begin ? _mm256_setzero_si256() : dot[m][v];
          dot[m][v] = _mm256_dpbusd_epi32(before, w[v], x);
        }
      }
    }
  }
};

// See avx2/product.h. Signed codes become unsigned ones.
struct ByteDots {
  template <typename Format>
  static constexpr int kZero = Format::kSigned ? 128 : Format::kZero;

  template <typename Format>
  [[gnu::always_inline]] static __m256i codes(__m256i decoded) {
    return Format::kSigned ? _mm256_xor_si256(decoded, _mm256_set1_epi8(-128)) : decoded;
  }

  template <typename Format, typename Load>
  [[gnu::always_inline]] static __m256i dot_quarters(const avx2::Run& w, int half,
                                                     const Load& load) {
    __m256i dot = _mm256_setzero_si256();
#pragma GCC unroll 4
    for (int t = 0; t < 4; ++t) {
      dot = _mm256_dpbusd_epi32(dot, codes<Format>(w.q[t][half]), load(t));
    }
    return dot;
  }

  template <typename Format>
  static void multiply(const Panel& panel, int row_count, int64_t blocks, const ActivationBlock* x,
                       int64_t x_stride, int64_t m_count, bool first, float* out,
                       int64_t out_stride) {
    static_assert(Format::kOffset == (kZero<Format> == 0), "a format has offsets or a zero point");
    using Products = DotProducts<Format::kOffset, Format::kColumnsOfScale == kGroup>;
    avx2::multiply_tiles<Products>(panel, row_count, avx2::bias_shift(kZero<Format>), blocks, x,
                                   x_stride, m_count, first, out, out_stride);
  }
};

template <typename Format>
constexpr TypedProducts products(const char* type) {
  return {type, avx2::product_few<Format, ByteDots>, avx2::product_many<Format, ByteDots>};
}

constexpr TypedProducts kProductsOfTypes[kTypes] = {
    products<avx2::Q4_0>("Q4_0"),     products<avx2::Q4_1>("Q4_1"),
    products<avx2::Q5_0>("Q5_0"),     products<avx2::Q5_1>("Q5_1"),
    products<avx2::Q8_0>("Q8_0"),     products<avx2::IQ4_NL>("IQ4_NL"),
    products<avx2::MXFP4>("MXFP4"),   products<avx2::Q2_K>("Q2_K"),
    products<avx2::Q3_K>("Q3_K"),     products<avx2::Q4_K>("Q4_K"),
    products<avx2::Q5_K>("Q5_K"),     products<avx2::Q6_K>("Q6_K"),
    products<avx2::IQ4_XS>("IQ4_XS"),
};

}  // namespace
}  // namespace minke::avx_vnni
