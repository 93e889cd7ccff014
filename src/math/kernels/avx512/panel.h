#pragma once

#include "math/kernels/avx512/product.h"
#include "math/kernels/avx512/run.h"
#include "math/kernels/avx512/transpose.h"

// Products of weight rows as they are stored with many activation rows. A panel of up to 32 rows
// and 512 columns is unpacked so that a vector holds four columns of 16 rows, a row in each lane;
// it stays in the first-level cache while all activation rows go past it. An activation value meets
// 32 rows at once, and no sum ever crosses lanes.

namespace minke::avx512 {

constexpr int kPanelRows = 32;
constexpr int kPanelColumns = 512;
constexpr int kQuads = kActivationBlock / 4;  // of a block
constexpr int kPanelBlocks = kPanelColumns / kActivationBlock;

// Codes as unsigned bytes (q + 128 where a format's codes may be negative), scales and offsets of
// each 32 columns, or of each 16.
struct Panel {
  alignas(64) uint8_t q[kPanelBlocks][kQuads][kPanelRows][4];
  alignas(64) float scale[kPanelColumns / kGroup][kPanelRows];
  alignas(64) float offset[kPanelColumns / kGroup][kPanelRows];
};

enum class PanelKind {
  kOffset32,  // unsigned codes; a scale and an offset for 32 columns
  kSigned32,  // signed codes; a scale for 32 columns
  kOffset16,  // unsigned codes; a scale and an offset for 16 columns
  kSigned16,  // signed codes; a scale for 16 columns
};

static constexpr bool has_offsets(PanelKind kind) {
  return kind == PanelKind::kOffset32 || kind == PanelKind::kOffset16;
}
// Scales stand for 16 columns, the halves of a block.
static constexpr bool scales_halves(PanelKind kind) {
  return kind == PanelKind::kOffset16 || kind == PanelKind::kSigned16;
}

// out[m * out_stride + r] (+)= (row r of the panel) . x_m over `blocks` blocks for r < row_count,
// m < m_count; `first` replaces what stands in `out`, otherwise it is added to. Row m begins at
// x + m * x_stride. Block by block: the order of additions depends on the row's length alone.
void multiply_panel(PanelKind kind, const Panel& panel, int row_count, int64_t blocks,
                    const ActivationBlock* x, int64_t x_stride, int64_t m_count, bool first,
                    float* out, int64_t out_stride);

namespace {

template <typename Format>
constexpr PanelKind panel_kind() {
  if (Format::kColumnsOfScale == kGroup) {
    return Format::kOffset ? PanelKind::kOffset16 : PanelKind::kSigned16;
  }
  return Format::kOffset ? PanelKind::kOffset32 : PanelKind::kSigned32;
}

[[gnu::always_inline]] inline void load_transposed(const __m512i (&rows)[16], __m512i (&out)[16]) {
#pragma GCC unroll 16
  for (int r = 0; r < 16; ++r) out[r] = rows[r];
  transpose16(out);
}

// Runs of 16 weight rows, before they are transposed.
struct SixteenRuns {
  __m512i q[4][16];
  __m512i scale[16];
  __m512i offset[16];
};

// Puts one run of 16 rows into the half `half` of the panel, from its group `first_group` on.
template <typename Format>
void put_sixteen(const SixteenRuns& runs, int groups, int first_group, int half, Panel& panel) {
  constexpr int kStep = Format::kColumnsOfScale / kGroup;
  __m512i lanes[16];
  for (int t = 0; t < 4; ++t) {
    load_transposed(runs.q[t], lanes);
    for (int g = 0; g < groups; ++g) {
      const int quad = 4 * (first_group + g) + t;
      _mm512_store_si512(panel.q[quad / kQuads][quad % kQuads][16 * half], lanes[g]);
    }
  }
  const auto store_factors = [&](const __m512i(&rows)[16], float(*to)[kPanelRows]) {
    load_transposed(rows, lanes);
    for (int g = 0; g < groups; g += kStep) {
      _mm512_store_si512(to[(first_group + g) / kStep] + 16 * half, lanes[g]);
    }
  };
  store_factors(runs.scale, panel.scale);
  if constexpr (Format::kOffset) store_factors(runs.offset, panel.offset);
}

// The same as unpack_panel by Format::unpack_sixteen; in sixteen.h, which a format that has one
// includes.
template <typename Format>
void unpack_panel_by_sixteen(const uint8_t* rows, int64_t row_stride, int row_count, int64_t first,
                             int64_t columns, Panel& panel);

// Columns [first, first + columns) of `row_count` rows. Rows that are missing repeat the last one.
template <typename Format>
void unpack_panel(const uint8_t* rows, int64_t row_stride, int row_count, int64_t first,
                  int64_t columns, Panel& panel) {
  if constexpr (requires { &Format::unpack_sixteen; }) {
    unpack_panel_by_sixteen<Format>(rows, row_stride, row_count, first, columns, panel);
    return;
  }
  SixteenRuns runs;
  for (int half = 0; half * 16 < row_count; ++half) {
    for (int64_t run = 0; run < columns; run += kRun) {
      const int64_t values = columns - run < kRun ? columns - run : kRun;
      const int64_t offset = (first + run) / Format::kValues * Format::kBytes;
      for (int r = 0; r < 16; ++r) {
        const int row = 16 * half + r < row_count ? 16 * half + r : row_count - 1;
        Run w;
        decode_run<Format>(rows + row * row_stride + offset, values, w);
#pragma GCC unroll 4
        for (int t = 0; t < 4; ++t) {
          runs.q[t][r] = Format::kZero == 0 ? w.q[t] : add_bytes(w.q[t], 128 - Format::kZero);
        }
        runs.scale[r] = _mm512_castps_si512(w.scale);
        if constexpr (Format::kOffset) runs.offset[r] = _mm512_castps_si512(w.offset);
      }
      put_sixteen<Format>(runs, static_cast<int>(values / kGroup), static_cast<int>(run / kGroup),
                          half, panel);
    }
  }
}

// Asks for `bytes` bytes from `begin` on, for the second-level cache.
[[gnu::always_inline]] inline void prefetch_range(const uint8_t* begin, int64_t bytes) {
  constexpr int64_t kCacheLine = 64;
  for (int64_t i = 0; i < bytes; i += kCacheLine) _mm_prefetch(begin + i, _MM_HINT_T1);
}

// While a panel is multiplied, by a function like multiply_panel, the weights of the next one are
// on their way.
template <typename Format, auto kMultiply = multiply_panel>
void product_many(const uint8_t* rows, int64_t row_stride, int row_count, int64_t n,
                  const ActivationBlock* x, int64_t x_stride, int64_t m_count, float* out,
                  int64_t out_stride) {
  Panel panel;
  const auto panel_rows = [&](int r) {
    const int rest = row_count - r;
    return rest < kPanelRows ? (rest < 0 ? 0 : rest) : kPanelRows;
  };
  const int64_t chunks = (n + kPanelColumns - 1) / kPanelColumns;
  prefetch_range(rows, panel_rows(0) * row_stride);
  for (int r = 0; r < row_count; r += kPanelRows) {
    const uint8_t* next = rows + (r + kPanelRows) * row_stride;
    const int64_t share = panel_rows(r + kPanelRows) * row_stride / chunks;
    for (int64_t chunk = 0; chunk < chunks; ++chunk) {
      const int64_t first = chunk * kPanelColumns;
      const int64_t columns = n - first < kPanelColumns ? n - first : kPanelColumns;
      prefetch_range(next + chunk * share, share);
      unpack_panel<Format>(rows + r * row_stride, row_stride, panel_rows(r), first, columns, panel);
      kMultiply(panel_kind<Format>(), panel, panel_rows(r), columns / kActivationBlock,
                x + first / kActivationBlock, x_stride, m_count, first == 0, out + r, out_stride);
    }
  }
}

template <typename Format>
constexpr QuantizedFormat kEntries = {unpack_i8<Format>, unpack_f32<Format>, product_few<Format>,
                                      product_many<Format>};

}  // namespace
}  // namespace minke::avx512
