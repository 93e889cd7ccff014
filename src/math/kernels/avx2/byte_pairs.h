#pragma once

#include "math/kernels/avx2/panel.h"
#include "math/kernels/avx2/product.h"

// Products of bytes by vpmaddubsw, which adds two products of an unsigned code and an activation in
// 16 bits. Signed codes lend their sign to the activations.

namespace minke::avx2 {

// What products of a format's codes need: its kSigned, kOffset, kColumnsOfScale, and how many
// results of the 8-bit multiplication are added in 16 bits (a power of two, at most kPairSums).
enum class PanelKind {
  kOffset32By8,
  kOffset32By4,
  kZero32By8,
  kZero32By4,
  kOffset16By4,
  kZero16By4,
  kZero16By2,
  kSigned32,
};

// multiply_tiles() of a panel of such codes. `bias_shift` is that of product.h.
void multiply_pairs(PanelKind kind, int bias_shift, const Panel& panel, int row_count,
                    int64_t blocks, const ActivationBlock* x, int64_t x_stride, int64_t m_count,
                    bool first, float* out, int64_t out_stride);

namespace {

// Two products are at most 2 * kLargest * 127 in absolute value, activations being at most 127. So
// many pairs can be added in 16 bits before they must be widened.
template <typename Format>
constexpr int kPairSums = 32767 / (2 * Format::kLargest * 127);

template <typename Format>
constexpr PanelKind panel_kind() {
  constexpr int kSums = kPairSums<Format>;
  constexpr bool kZero16 = !Format::kOffset && Format::kColumnsOfScale == kGroup;
  static_assert(Format::kSigned || kSums >= (kZero16 ? 2 : 4), "sums overflow 16 bits");
  if (Format::kSigned) return PanelKind::kSigned32;
  if (Format::kColumnsOfScale == kGroup) {
    if (Format::kOffset) return PanelKind::kOffset16By4;
    return kSums >= 4 ? PanelKind::kZero16By4 : PanelKind::kZero16By2;
  }
  if (Format::kOffset) return kSums >= 8 ? PanelKind::kOffset32By8 : PanelKind::kOffset32By4;
  return kSums >= 8 ? PanelKind::kZero32By8 : PanelKind::kZero32By4;
}

// See product.h.
struct BytePairs {
  template <typename Format>
  static constexpr int kZero = Format::kZero;
  template <typename Format>
  [[gnu::always_inline]] static __m256i codes(__m256i decoded) {
    return decoded;
  }

  template <typename Format, typename Load>
  [[gnu::always_inline]] static __m256i dot_quarters(const Run& w, int half, const Load& load) {
    static_assert(kPairSums<Format> >= 1);
    constexpr int kTogether = kPairSums<Format> < 4 ? kPairSums<Format> : 4;
    const __m256i ones = _mm256_set1_epi16(1);
    __m256i dot = _mm256_setzero_si256();
#pragma GCC unroll 4
    for (int first = 0; first < 4; first += kTogether) {
      __m256i pairs = _mm256_setzero_si256();
#pragma GCC unroll 4
      for (int t = first; t < first + kTogether; ++t) {
        const __m256i q = w.q[t][half];
        const __m256i two =
            Format::kSigned ? _mm256_maddubs_epi16(_mm256_abs_epi8(q), _mm256_sign_epi8(load(t), q))
                            : _mm256_maddubs_epi16(q, load(t));
        pairs = _mm256_add_epi16(pairs, two);
      }
      dot = _mm256_add_epi32(dot, _mm256_madd_epi16(pairs, ones));
    }
    return dot;
  }

  template <typename Format>
  static void multiply(const Panel& panel, int row_count, int64_t blocks, const ActivationBlock* x,
                       int64_t x_stride, int64_t m_count, bool first, float* out,
                       int64_t out_stride) {
    multiply_pairs(panel_kind<Format>(), bias_shift(kZero<Format>), panel, row_count, blocks, x,
                   x_stride, m_count, first, out, out_stride);
  }
};

template <typename Format>
constexpr QuantizedFormat kEntries = {unpack_i8<Format>, unpack_f32<Format>,
                                      product_few<Format, BytePairs>,
                                      product_many<Format, BytePairs>};

}  // namespace
}  // namespace minke::avx2
