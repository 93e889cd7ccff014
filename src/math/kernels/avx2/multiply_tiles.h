#pragma once

#include "math/kernels/avx2/lanes.h"
#include "math/kernels/avx2/panel.h"

// Products of a panel with many activation rows. `Products` says what they are of: a struct with
//   kHasOffset: whether columns have an offset,
//   kHasZero: whether a zero point is to be taken out of sums,
//   kScalesHalves: whether scales stand for 16 columns, the halves of a block,
//   multiply_quads<V, M>(tile, b, begin, end, dot), which writes the products of quads [begin, end)
//     of block b, four columns added up in each lane.

namespace minke::avx2 {
namespace {

constexpr int kQuads = kActivationBlock / 4;  // of a block

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

// Adds the products of quads [begin, end) of block b, which make up part `part` of it and have the
// scale `group`.
template <typename Products, int V, int M>
[[gnu::always_inline]] inline void add_part(const Tile& t, int64_t b, int begin, int end,
                                            int64_t group, int part, Sums<V, M>& sum) {
  __m256i dot[M][V];
  Products::template multiply_quads<V, M>(t, b, begin, end, dot);
#pragma GCC unroll 4
  for (int m = 0; m < M; ++m) {
    const ActivationBlock& x = t.x[m * t.x_stride + b];
    const __m256 x_scale = _mm256_set1_ps(x.scale);
    const __m256i correction = _mm256_set1_epi32(x.bias[part] >> t.bias_shift);
    const __m256 x_sum = _mm256_set1_ps(x.sum[part]);
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      const __m256i all = Products::kHasZero ? _mm256_add_epi32(dot[m][v], correction) : dot[m][v];
      const float* scale = t.panel.scale[group] + t.row + 8 * v;
      const __m256 factor = _mm256_mul_ps(x_scale, _mm256_load_ps(scale));
      sum[m][v] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(all), factor, sum[m][v]);
      if constexpr (Products::kHasOffset) {
        const float* offset = t.panel.offset[group] + t.row + 8 * v;
        sum[m][v] = _mm256_fmadd_ps(_mm256_load_ps(offset), x_sum, sum[m][v]);
      }
    }
  }
}

template <typename Products, int V, int M>
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
    if constexpr (Products::kScalesHalves) {
      add_part<Products, V, M>(t, b, 0, kQuads / 2, 2 * b, 1, sum);
      add_part<Products, V, M>(t, b, kQuads / 2, kQuads, 2 * b + 1, 2, sum);
    } else {
      add_part<Products, V, M>(t, b, 0, kQuads, b, 0, sum);
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

template <typename Products, int M>
void multiply_rows(Tile tile) {
  const int row_count = tile.row_count;
  for (; tile.row < row_count; tile.row += 16, tile.row_count -= 16, tile.out += 16) {
    if (tile.row_count > 8) {
      multiply_tile<Products, 2, M>(tile);
    } else {
      multiply_tile<Products, 1, M>(tile);
    }
  }
}

// out[m * out_stride + r] (+)= (row r of the panel) . x_m over `blocks` blocks for r < row_count,
// m < m_count; `first` replaces what stands in `out`, otherwise it is added to. Row m begins at
// x + m * x_stride. Block by block: the order of additions depends on the row's length alone.
template <typename Products>
void multiply_tiles(const Panel& panel, int row_count, int bias_shift, int64_t blocks,
                    const ActivationBlock* x, int64_t x_stride, int64_t m_count, bool first,
                    float* out, int64_t out_stride) {
  // Sums and products of two vectors of weight rows and three activation rows are 12 of the 16
  // registers.
  constexpr int kMost = 3;
  Tile tile = {panel, 0, row_count, bias_shift, blocks, x, x_stride, first, out, out_stride};
  int64_t m = 0;
  for (; m + kMost <= m_count; m += kMost) {
    multiply_rows<Products, kMost>(tile);
    tile.x += kMost * tile.x_stride;
    tile.out += kMost * tile.out_stride;
  }
  switch (m_count - m) {
    case 2:
      return multiply_rows<Products, 2>(tile);
    case 1:
      return multiply_rows<Products, 1>(tile);
    default:
      return;
  }
}

}  // namespace
}  // namespace minke::avx2
