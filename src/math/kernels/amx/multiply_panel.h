#pragma once

#include "math/kernels/amx/tiles.h"
#include "math/kernels/avx512/panel.h"

// avx512/multiply_panel by tiles, and the same bits: sums of a block are exact in both, and scales
// are applied by the same operations in the same order.

namespace minke::amx {
namespace {

using avx512::kPanelRows;
using avx512::kQuads;
using avx512::Panel;
using avx512::PanelKind;

// Fewer activation rows than this take fewer instructions without tiles: a tile of weights costs as
// much for one row as for sixteen.
constexpr int64_t kLeastRows = 4;

// Sums of one block: 16 activation rows with 16 weight rows.
struct alignas(64) BlockSums {
  int32_t value[kTileRows][16];
};

// Up to 16 activation rows with 16 rows of a panel.
struct Square {
  const Panel& panel;
  int half;  // of the panel's rows
  const ActivationBlock* x;
  int64_t x_stride;
  int rows;  // activation rows
};

// Sums of quads [begin, end) of block b. Two sets of tiles, so that one block's sums are formed
// while those of the block before are scaled.
template <typename Tiles, int kSet>
[[gnu::always_inline]] inline void sum_block(const Square& s, int64_t b, int begin,
                                             BlockSums& sums) {
  constexpr int kSum = kSet, kLeft = 2 + kSet, kRight = 4 + kSet;
  Tiles::template zero<kSum>();
  Tiles::template load<kLeft>(s.x[b].q + 4 * begin, s.x_stride * int64_t{sizeof(ActivationBlock)});
  Tiles::template load<kRight>(s.panel.q[b][begin][16 * s.half], int64_t{4 * kPanelRows});
  Tiles::template add_bytes<kSum, kLeft, kRight>();
  Tiles::template store<kSum>(sums.value, kTileRowBytes);
}

// Adds the scaled sums of a block, whose scales are those of `group`; `part` as in ActivationBlock.
template <bool kOffset, int kRows>
[[gnu::always_inline]] inline void add_scaled_sums(const Square& s, int64_t b, int64_t group,
                                                   int part, const BlockSums& sums,
                                                   __m512 (&total)[kTileRows]) {
  const __m512 scale = _mm512_load_ps(s.panel.scale[group] + 16 * s.half);
  const ActivationBlock* x = s.x + b;
  const int rows = kRows == 0 ? s.rows : kRows;
#pragma GCC unroll 16
  for (int m = 0; m < rows; ++m, x += s.x_stride) {
    __m512i dot = _mm512_load_si512(sums.value[m]);
    if constexpr (!kOffset) dot = _mm512_add_epi32(dot, _mm512_set1_epi32(x->bias[part]));
    const __m512 factor = _mm512_mul_ps(_mm512_set1_ps(x->scale), scale);
    total[m] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot), factor, total[m]);
    if constexpr (kOffset) {
      total[m] = _mm512_fmadd_ps(_mm512_load_ps(s.panel.offset[group] + 16 * s.half),
                                 _mm512_set1_ps(x->sum[part]), total[m]);
    }
  }
}

// kRows: 16, or 0 for fewer.
template <typename Tiles, PanelKind kKind, int kRows>
void multiply_square(const Square& s, int64_t blocks, bool first, __mmask16 lanes, float* out,
                     int64_t out_stride) {
  constexpr bool kOffset = has_offsets(kKind);
  constexpr bool kHalves = scales_halves(kKind);
  BlockSums sums[2];
  __m512 total[kTileRows];
  const int rows = kRows == 0 ? s.rows : kRows;
#pragma GCC unroll 16
  for (int m = 0; m < rows; ++m) {
    total[m] = first ? _mm512_setzero_ps() : _mm512_maskz_loadu_ps(lanes, out + m * out_stride);
  }
  if constexpr (kHalves) {
    for (int64_t b = 0; b < blocks; ++b) {
      sum_block<Tiles, 0>(s, b, 0, sums[0]);
      sum_block<Tiles, 1>(s, b, kQuads / 2, sums[1]);
      add_scaled_sums<kOffset, kRows>(s, b, 2 * b, 1, sums[0], total);
      add_scaled_sums<kOffset, kRows>(s, b, 2 * b + 1, 2, sums[1], total);
    }
  } else {
    for (int64_t b = 0; b < blocks; b += 2) {
      sum_block<Tiles, 0>(s, b, 0, sums[0]);
      if (b + 1 < blocks) sum_block<Tiles, 1>(s, b + 1, 0, sums[1]);
      add_scaled_sums<kOffset, kRows>(s, b, b, 0, sums[0], total);
      if (b + 1 < blocks) add_scaled_sums<kOffset, kRows>(s, b + 1, b + 1, 0, sums[1], total);
    }
  }
#pragma GCC unroll 16
  for (int m = 0; m < rows; ++m) _mm512_mask_storeu_ps(out + m * out_stride, lanes, total[m]);
}

template <typename Tiles>
void configure_square(PanelKind kind, int rows) {
  const int quads = scales_halves(kind) ? kQuads / 2 : kQuads;
  TileShapes shapes;
  for (int set = 0; set < 2; ++set) {
    shapes.set(set, rows, kTileRowBytes);
    shapes.set(2 + set, rows, 4 * quads);
    shapes.set(4 + set, quads, kTileRowBytes);
  }
  Tiles::configure(shapes);
}

template <typename Tiles, PanelKind kKind>
void multiply_kind(const Panel& panel, int row_count, int64_t blocks, const ActivationBlock* x,
                   int64_t x_stride, int64_t m_count, bool first, float* out, int64_t out_stride) {
  for (int64_t m = 0; m < m_count; m += kTileRows) {
    const int rows = m_count - m < kTileRows ? static_cast<int>(m_count - m) : kTileRows;
    if (m == 0 || rows < kTileRows) configure_square<Tiles>(kKind, rows);
    for (int r = 0; r < row_count; r += 16) {
      const int there = row_count - r;
      const auto lanes = static_cast<__mmask16>(there >= 16 ? 0xffff : (1 << there) - 1);
      const Square s{panel, r / 16, x + m * x_stride, x_stride, rows};
      float* to = out + m * out_stride + r;
      if (rows == kTileRows) {
        multiply_square<Tiles, kKind, kTileRows>(s, blocks, first, lanes, to, out_stride);
      } else {
        multiply_square<Tiles, kKind, 0>(s, blocks, first, lanes, to, out_stride);
      }
    }
  }
  Tiles::release();
}

template <typename Tiles>
void multiply_panel(PanelKind kind, const Panel& panel, int row_count, int64_t blocks,
                    const ActivationBlock* x, int64_t x_stride, int64_t m_count, bool first,
                    float* out, int64_t out_stride) {
  if (m_count < kLeastRows) {
    return avx512::multiply_panel(kind, panel, row_count, blocks, x, x_stride, m_count, first, out,
                                  out_stride);
  }
  const auto multiply = [&](auto multiply_kind) {
    multiply_kind(panel, row_count, blocks, x, x_stride, m_count, first, out, out_stride);
  };
  switch (kind) {
    case PanelKind::kOffset32:
      return multiply(multiply_kind<Tiles, PanelKind::kOffset32>);
    case PanelKind::kSigned32:
      return multiply(multiply_kind<Tiles, PanelKind::kSigned32>);
    case PanelKind::kOffset16:
      return multiply(multiply_kind<Tiles, PanelKind::kOffset16>);
    case PanelKind::kSigned16:
      return multiply(multiply_kind<Tiles, PanelKind::kSigned16>);
  }
}

}  // namespace
}  // namespace minke::amx
