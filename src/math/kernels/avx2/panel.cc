#include "math/kernels/avx2/panel.h"

#include "math/kernels/avx2/lanes.h"

namespace minke::avx2 {
namespace {

constexpr int kQuads = kActivationBlock / 4;  // of a block

// A PanelKind as constants.
struct Traits {
  bool is_signed, offset, zero, halves;
  int together;  // results of the 8-bit multiplication that are added in 16 bits
};

constexpr Traits traits(PanelKind kind) {
  switch (kind) {
    case PanelKind::kOffset32By8:
      return {false, true, false, false, 8};
    case PanelKind::kOffset32By4:
      return {false, true, false, false, 4};
    case PanelKind::kZero32By8:
      return {false, false, true, false, 8};
    case PanelKind::kZero32By4:
      return {false, false, true, false, 4};
    case PanelKind::kOffset16By4:
      return {false, true, false, true, 4};
    case PanelKind::kZero16By4:
      return {false, false, true, true, 4};
    case PanelKind::kZero16By2:
      return {false, false, true, true, 2};
    case PanelKind::kSigned32:
      return {true, false, false, false, 1};
  }
  return {};
}

// What a tile of products works on, from its first weight row and its first activation row on.
struct Tile {
  const Panel& panel;
  int row;
  int row_count;
  int bias_shift;
  int64_t blocks;
  const ActivationBlock* x;
  int64_t x_stride;
  bool first;
  float* out;
  int64_t out_stride;
};

// Sums of V vectors of eight weight rows and M activation rows.
template <int V, int M>
using Sums = __m256[M][V];

[[gnu::always_inline]] inline __m256i four_values(const ActivationBlock& x, int quad) {
  int four;
  __builtin_memcpy(&four, x.q + 4 * quad, sizeof four);
  return _mm256_set1_epi32(four);
}

[[gnu::always_inline]] inline __m256i codes_at(const Tile& t, int64_t quad, int v) {
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(t.panel.q[quad][t.row + 8 * v]));
}

// Additions stay where they are written: put off until their results are wanted, they would keep
// more operands waiting than there are registers.
[[gnu::always_inline]] inline void keep_order(__m256i& v) {
  asm volatile("" : "+x"(v));
}

// Products of the codes of quads [begin, end) of block b: four columns added up in each lane.
template <PanelKind kKind, int V, int M>
[[gnu::always_inline]] inline void multiply_quads(const Tile& t, int64_t b, int begin, int end,
                                                  __m256i (&dot)[M][V]) {
  constexpr Traits kTraits = traits(kKind);
  const __m256i ones = _mm256_set1_epi16(1);
#pragma GCC unroll 8
  for (int first = begin; first < end; first += kTraits.together) {
    __m256i pairs[M][V];
#pragma GCC unroll 8
    for (int k = first; k < first + kTraits.together; ++k) {
      __m256i w[V];
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) w[v] = codes_at(t, b * kQuads + k, v);
#pragma GCC unroll 4
      for (int m = 0; m < M; ++m) {
        const __m256i x = four_values(t.x[m * t.x_stride + b], k);
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) {
          const __m256i two = kTraits.is_signed ? _mm256_maddubs_epi16(_mm256_abs_epi8(w[v]),
                                                                       _mm256_sign_epi8(x, w[v]))
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
        if (kTraits.together == 1) keep_order(dot[m][v]);
      }
    }
  }
}

// Adds the products of quads [begin, end) of block b, which make up part `part` of it and have the
// scale `group`.
template <PanelKind kKind, int V, int M>
[[gnu::always_inline]] inline void add_part(const Tile& t, int64_t b, int begin, int end,
                                            int64_t group, int part, Sums<V, M>& sum) {
  constexpr Traits kTraits = traits(kKind);
  __m256i dot[M][V];
  multiply_quads<kKind, V, M>(t, b, begin, end, dot);
#pragma GCC unroll 4
  for (int m = 0; m < M; ++m) {
    const ActivationBlock& x = t.x[m * t.x_stride + b];
    const __m256 x_scale = _mm256_set1_ps(x.scale);
    const __m256i correction = _mm256_set1_epi32(x.bias[part] >> t.bias_shift);
    const __m256 x_sum = _mm256_set1_ps(x.sum[part]);
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      const __m256i all = kTraits.zero ? _mm256_add_epi32(dot[m][v], correction) : dot[m][v];
      const float* scale = t.panel.scale[group] + t.row + 8 * v;
      const __m256 factor = _mm256_mul_ps(x_scale, _mm256_load_ps(scale));
      sum[m][v] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(all), factor, sum[m][v]);
      if constexpr (kTraits.offset) {
        const float* offset = t.panel.offset[group] + t.row + 8 * v;
        sum[m][v] = _mm256_fmadd_ps(_mm256_load_ps(offset), x_sum, sum[m][v]);
      }
    }
  }
}

template <PanelKind kKind, int V, int M>
void multiply_tile(const Tile& t) {
  Sums<V, M> sum;
  __m256i lanes[V];  // rows that exist
#pragma GCC unroll 4
  for (int v = 0; v < V; ++v) {
    lanes[v] = first_lanes(t.row_count - 8 * v);
#pragma GCC unroll 4
    for (int m = 0; m < M; ++m) {
      sum[m][v] = t.first ? _mm256_setzero_ps()
                          : _mm256_maskload_ps(t.out + m * t.out_stride + 8 * v, lanes[v]);
    }
  }
  for (int64_t b = 0; b < t.blocks; ++b) {
    if constexpr (traits(kKind).halves) {
      add_part<kKind, V, M>(t, b, 0, kQuads / 2, 2 * b, 1, sum);
      add_part<kKind, V, M>(t, b, kQuads / 2, kQuads, 2 * b + 1, 2, sum);
    } else {
      add_part<kKind, V, M>(t, b, 0, kQuads, b, 0, sum);
    }
  }
#pragma GCC unroll 4
  for (int v = 0; v < V; ++v) {
#pragma GCC unroll 4
    for (int m = 0; m < M; ++m) {
      _mm256_maskstore_ps(t.out + m * t.out_stride + 8 * v, lanes[v], sum[m][v]);
    }
  }
}

template <PanelKind kKind, int M>
void multiply_rows(Tile tile) {
  const int row_count = tile.row_count;
  for (; tile.row < row_count; tile.row += 16, tile.row_count -= 16, tile.out += 16) {
    if (tile.row_count > 8) {
      multiply_tile<kKind, 2, M>(tile);
    } else {
      multiply_tile<kKind, 1, M>(tile);
    }
  }
}

template <PanelKind kKind>
void multiply_kind(Tile tile, int64_t m_count) {
  constexpr int kMost = 3;
  int64_t m = 0;
  for (; m + kMost <= m_count; m += kMost) {
    multiply_rows<kKind, kMost>(tile);
    tile.x += kMost * tile.x_stride;
    tile.out += kMost * tile.out_stride;
  }
  switch (m_count - m) {
    case 2:
      return multiply_rows<kKind, 2>(tile);
    case 1:
      return multiply_rows<kKind, 1>(tile);
    default:
      return;
  }
}

}  // namespace

void multiply_panel(PanelKind kind, int bias_shift, const Panel& panel, int row_count,
                    int64_t blocks, const ActivationBlock* x, int64_t x_stride, int64_t m_count,
                    bool first, float* out, int64_t out_stride) {
  const Tile tile = {panel, 0, row_count, bias_shift, blocks, x, x_stride, first, out, out_stride};
  switch (kind) {
    case PanelKind::kOffset32By8:
      return multiply_kind<PanelKind::kOffset32By8>(tile, m_count);
    case PanelKind::kOffset32By4:
      return multiply_kind<PanelKind::kOffset32By4>(tile, m_count);
    case PanelKind::kZero32By8:
      return multiply_kind<PanelKind::kZero32By8>(tile, m_count);
    case PanelKind::kZero32By4:
      return multiply_kind<PanelKind::kZero32By4>(tile, m_count);
    case PanelKind::kOffset16By4:
      return multiply_kind<PanelKind::kOffset16By4>(tile, m_count);
    case PanelKind::kZero16By4:
      return multiply_kind<PanelKind::kZero16By4>(tile, m_count);
    case PanelKind::kZero16By2:
      return multiply_kind<PanelKind::kZero16By2>(tile, m_count);
    case PanelKind::kSigned32:
      return multiply_kind<PanelKind::kSigned32>(tile, m_count);
  }
}

}  // namespace minke::avx2
