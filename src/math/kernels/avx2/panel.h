#pragma once

#include "math/kernels/avx2/product.h"
#include "math/kernels/avx2/run.h"

// Products of weight rows as they are stored with many activation rows. A panel of up to 32 rows
// and 512 columns is unpacked so that a vector holds four columns of eight rows, a row in each
// lane; it stays in the first-level cache while all activation rows go past it. No sum ever crosses
// lanes.

namespace minke::avx2 {

constexpr int kPanelRows = 32;
constexpr int kPanelColumns = 512;

// Codes of four columns, those of `Bytes`; scales and offsets of each 32 columns, or of each 16.
struct Panel {
  alignas(32) uint8_t q[kPanelColumns / 4][kPanelRows][4];
  alignas(32) float scale[kPanelColumns / kGroup][kPanelRows];
  alignas(32) float offset[kPanelColumns / kGroup][kPanelRows];
};

namespace {

// Lane j of register i becomes lane i of register j.
[[gnu::always_inline]] inline void transpose8(const __m256i (&v)[8], __m256i (&out)[8]) {
  __m256i low[4], high[4];
  transpose(v, low);
  transpose(v + 4, high);
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) {
    out[j] = _mm256_permute2x128_si256(low[j], high[j], 0x20);
    out[4 + j] = _mm256_permute2x128_si256(low[j], high[j], 0x31);
  }
}

// Halves of runs of eight weight rows, before they are transposed.
struct EightRuns {
  __m256i q[4][8];
  __m256i scale[8];
  __m256i offset[8];
};

// Puts groups [first_group, first_group + groups), at most eight, of rows [row, row + 8) into the
// panel.
template <typename Format>
void put_eight(const EightRuns& runs, int64_t groups, int64_t first_group, int row, Panel& panel) {
  constexpr int kStep = Format::kColumnsOfScale / kGroup;
  __m256i lanes[8];
  for (int t = 0; t < 4; ++t) {
    transpose8(runs.q[t], lanes);
    for (int64_t g = 0; g < groups; ++g) {
      store32(panel.q[4 * (first_group + g) + t][row], lanes[g]);
    }
  }
  const auto put_factors = [&](const __m256i(&rows)[8], float(*to)[kPanelRows]) {
    transpose8(rows, lanes);
    for (int64_t g = 0; g < groups; g += kStep) {
      store32(to[(first_group + g) / kStep] + row, lanes[g]);
    }
  };
  put_factors(runs.scale, panel.scale);
  if constexpr (Format::kOffset) put_factors(runs.offset, panel.offset);
}

// Columns [first, first + columns) of `row_count` rows. Rows that are missing repeat the last one.
template <typename Format, typename Bytes>
void unpack_panel(const uint8_t* rows, int64_t row_stride, int row_count, int64_t first,
                  int64_t columns, Panel& panel) {
  EightRuns runs[2];
  for (int eight = 0; eight < row_count; eight += 8) {
    for (int64_t run = 0; run < columns; run += kRun) {
      const int64_t values = columns - run < kRun ? columns - run : kRun;
      const int64_t offset = (first + run) / Format::kValues * Format::kBytes;
      for (int r = 0; r < 8; ++r) {
        const int row = eight + r < row_count ? eight + r : row_count - 1;
        Run w;
        decode_codes<Format>(rows + row * row_stride + offset, values, w);
#pragma GCC unroll 2
        for (int h = 0; h < 2; ++h) {
#pragma GCC unroll 4
          for (int t = 0; t < 4; ++t) {
            runs[h].q[t][r] = Bytes::template codes<Format>(w.q[t][h]);
          }
          runs[h].scale[r] = _mm256_castps_si256(w.scale[h]);
          if constexpr (Format::kOffset) runs[h].offset[r] = _mm256_castps_si256(w.offset[h]);
        }
      }
      const int64_t groups = values / kGroup;
      put_eight<Format>(runs[0], groups < 8 ? groups : 8, run / kGroup, eight, panel);
      if (groups > 8) put_eight<Format>(runs[1], groups - 8, run / kGroup + 8, eight, panel);
    }
  }
}

template <typename Format, typename Bytes>
void product_many(const uint8_t* rows, int64_t row_stride, int row_count, int64_t n,
                  const ActivationBlock* x, int64_t x_stride, int64_t m_count, float* out,
                  int64_t out_stride) {
  Panel panel;
  for (int r = 0; r < row_count; r += kPanelRows) {
    const int count = row_count - r < kPanelRows ? row_count - r : kPanelRows;
    for (int64_t first = 0; first < n; first += kPanelColumns) {
      const int64_t columns = n - first < kPanelColumns ? n - first : kPanelColumns;
      unpack_panel<Format, Bytes>(rows + r * row_stride, row_stride, count, first, columns, panel);
      Bytes::template multiply<Format>(panel, count, columns / kActivationBlock,
                                       x + first / kActivationBlock, x_stride, m_count, first == 0,
                                       out + r, out_stride);
    }
  }
}

}  // namespace
}  // namespace minke::avx2
