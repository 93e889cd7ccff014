#include "math/kernels/avx512/panel.h"

namespace minke::avx512 {
namespace {

// What a tile of products works on, from its first activation row on.
struct Tile {
  const Panel& panel;
  int64_t blocks;
  const ActivationBlock* x;
  int64_t x_stride;
  bool first;
  float* out;
  int64_t out_stride;
  __mmask16 lanes[2];  // rows that exist
};

[[gnu::always_inline]] inline __m512i four_values(const ActivationBlock& x, int quad) {
  int four;
  __builtin_memcpy(&four, x.q + 4 * quad, sizeof four);
  return _mm512_set1_epi32(four);
}

// Adds the products of quads [begin, end) of a block to the sums of M activation rows.
// V vectors of 16 weight rows.
template <bool kOffset, int V, int M>
[[gnu::always_inline]] inline void add_block(const Panel& p, int64_t b, int begin, int end,
                                             int64_t group, const ActivationBlock* x,
                                             int64_t x_stride, int part, __m512 (&sum)[M][V]) {
  __m512i w[kQuads][V];
#pragma GCC unroll 8
  for (int k = begin; k < end; ++k) {
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) w[k][v] = _mm512_load_si512(p.q[b][k][16 * v]);
  }
#pragma GCC unroll 4
  for (int m = 0; m < M; ++m) {
    const ActivationBlock& a = x[m * x_stride];
    __m512i dot[V];
#pragma GCC unroll 2
    for (auto& d : dot) {
      d = kOffset ? _mm512_setzero_si512() : _mm512_set1_epi32(a.bias[part]);
    }
#pragma GCC unroll 8
    for (int k = begin; k < end; ++k) {
      const __m512i four = four_values(a, k);
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) dot[v] = _mm512_dpbusd_epi32(dot[v], w[k][v], four);
    }
    const __m512 scale = _mm512_set1_ps(a.scale);
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) {
      const __m512 factor = _mm512_mul_ps(scale, _mm512_load_ps(p.scale[group] + 16 * v));
      sum[m][v] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot[v]), factor, sum[m][v]);
      if constexpr (kOffset) {
        sum[m][v] = _mm512_fmadd_ps(_mm512_load_ps(p.offset[group] + 16 * v),
                                    _mm512_set1_ps(a.sum[part]), sum[m][v]);
      }
    }
  }
}

template <PanelKind kKind, int V, int M>
void multiply_tile(const Tile& t) {
  constexpr bool kOffset = has_offsets(kKind);
  constexpr bool kHalves = scales_halves(kKind);
  __m512 sum[M][V];
#pragma GCC unroll 4
  for (int m = 0; m < M; ++m) {
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) {
      sum[m][v] = t.first ? _mm512_setzero_ps()
                          : _mm512_maskz_loadu_ps(t.lanes[v], t.out + m * t.out_stride + 16 * v);
    }
  }
  for (int64_t b = 0; b < t.blocks; ++b) {
    if constexpr (kHalves) {
      add_block<kOffset, V, M>(t.panel, b, 0, kQuads / 2, 2 * b, t.x + b, t.x_stride, 1, sum);
      add_block<kOffset, V, M>(t.panel, b, kQuads / 2, kQuads, 2 * b + 1, t.x + b, t.x_stride, 2,
                               sum);
    } else {
      add_block<kOffset, V, M>(t.panel, b, 0, kQuads, b, t.x + b, t.x_stride, 0, sum);
    }
  }
#pragma GCC unroll 4
  for (int m = 0; m < M; ++m) {
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) {
      _mm512_mask_storeu_ps(t.out + m * t.out_stride + 16 * v, t.lanes[v], sum[m][v]);
    }
  }
}

template <PanelKind kKind, int V>
void multiply_rows(Tile tile, int64_t m_count) {
  constexpr int kMost = 4;
  int64_t m = 0;
  for (; m + kMost <= m_count; m += kMost) {
    multiply_tile<kKind, V, kMost>(tile);
    tile.x += kMost * tile.x_stride;
    tile.out += kMost * tile.out_stride;
  }
  switch (m_count - m) {
    case 3:
      return multiply_tile<kKind, V, 3>(tile);
    case 2:
      return multiply_tile<kKind, V, 2>(tile);
    case 1:
      return multiply_tile<kKind, V, 1>(tile);
    default:
      return;
  }
}

template <PanelKind kKind>
void multiply_kind(const Tile& tile, int64_t m_count) {
  if (tile.lanes[1] == 0) {
    multiply_rows<kKind, 1>(tile, m_count);
  } else {
    multiply_rows<kKind, 2>(tile, m_count);
  }
}

}  // namespace

void multiply_panel(PanelKind kind, const Panel& panel, int row_count, int64_t blocks,
                    const ActivationBlock* x, int64_t x_stride, int64_t m_count, bool first,
                    float* out, int64_t out_stride) {
  const uint32_t rows = row_count == kPanelRows ? ~0u : (1u << row_count) - 1;
  const Tile tile = {
      panel,      blocks,
      x,          x_stride,
      first,      out,
      out_stride, {static_cast<__mmask16>(rows & 0xffff), static_cast<__mmask16>(rows >> 16)}};
  switch (kind) {
    case PanelKind::kOffset32:
      return multiply_kind<PanelKind::kOffset32>(tile, m_count);
    case PanelKind::kSigned32:
      return multiply_kind<PanelKind::kSigned32>(tile, m_count);
    case PanelKind::kOffset16:
      return multiply_kind<PanelKind::kOffset16>(tile, m_count);
    case PanelKind::kSigned16:
      return multiply_kind<PanelKind::kSigned16>(tile, m_count);
  }
}

}  // namespace minke::avx512
