#include "math/kernels/avx2/byte_pairs.h"

#include "math/kernels/avx2/multiply_tiles.h"

namespace minke::avx2 {
namespace {

// Additions stay where they are written: put off until their results are wanted, they would keep
// more operands waiting than there are registers.
[[gnu::always_inline]] inline void keep_order(__m256i& v) {
  asm volatile("" : "+x"(v));
}

// What codes are: unsigned with an offset, unsigned with a zero point, or signed.
enum class Codes { kOffset, kZero, kSigned };

// kTogether: results of the 8-bit multiplication that are added in 16 bits.
template <Codes kCodes, int kTogether, bool kHalves = false>
struct PairProducts {
  static constexpr bool kHasOffset = kCodes == Codes::kOffset;
  static constexpr bool kHasZero = kCodes == Codes::kZero;
  static constexpr bool kScalesHalves = kHalves;

  template <int V, int M>
  [[gnu::always_inline]] static void multiply_quads(const Tile& t, int64_t b, int begin, int end,
                                                    __m256i (&dot)[M][V]) {
    const __m256i ones = _mm256_set1_epi16(1);
#pragma GCC unroll 8
    for (int first = begin; first < end; first += kTogether) {
      __m256i pairs[M][V];
#pragma GCC unroll 8
      for (int k = first; k < first + kTogether; ++k) {
        __m256i w[V];
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) w[v] = codes_at(t, b * kQuads + k, v);
#pragma GCC unroll 4
        for (int m = 0; m < M; ++m) {
          const __m256i x = four_values(t.x[m * t.x_stride + b], k);
#pragma GCC unroll 4
          for (int v = 0; v < V; ++v) {
            const __m256i two =
                kCodes == Codes::kSigned
                    ? _mm256_maddubs_epi16(_mm256_abs_epi8(w[v]), _mm256_sign_epi8(x, w[v]))
                    : _mm256_maddubs_epi16(w[v], x);
            pairs[m][v] = k == first ? two : _mm256_add_epi16(pairs[m][v], two);
            keep_order(pairs[m][v]);
          }
        }
      }
#pragma GCC unroll 4
      for (int m = 0; m < M; ++m) {
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) {
          const __m256i four = _mm256_madd_epi16(pairs[m][v], ones);
          dot[m][v] = first == begin ? four : _mm256_add_epi32(dot[m][v], four);
          if (kTogether == 1) keep_order(dot[m][v]);
        }
      }
    }
  }
};

}  // namespace

void multiply_pairs(PanelKind kind, int bias_shift, const Panel& panel, int row_count,
                    int64_t blocks, const ActivationBlock* x, int64_t x_stride, int64_t m_count,
                    bool first, float* out, int64_t out_stride) {
  const auto multiply = [&](auto multiply_tiles) {
    multiply_tiles(panel, row_count, bias_shift, blocks, x, x_stride, m_count, first, out,
                   out_stride);
  };
  switch (kind) {
    case PanelKind::kOffset32By8:
      return multiply(multiply_tiles<PairProducts<Codes::kOffset, 8>>);
    case PanelKind::kOffset32By4:
      return multiply(multiply_tiles<PairProducts<Codes::kOffset, 4>>);
    case PanelKind::kZero32By8:
      return multiply(multiply_tiles<PairProducts<Codes::kZero, 8>>);
    case PanelKind::kZero32By4:
      return multiply(multiply_tiles<PairProducts<Codes::kZero, 4>>);
    case PanelKind::kOffset16By4:
      return multiply(multiply_tiles<PairProducts<Codes::kOffset, 4, true>>);
    case PanelKind::kZero16By4:
      return multiply(multiply_tiles<PairProducts<Codes::kZero, 4, true>>);
    case PanelKind::kZero16By2:
      return multiply(multiply_tiles<PairProducts<Codes::kZero, 2, true>>);
    case PanelKind::kSigned32:
      return multiply(multiply_tiles<PairProducts<Codes::kSigned, 1>>);
  }
}

}  // namespace minke::avx2
