#pragma once

#include "math/kernels/amx/amx.h"
#include "math/kernels/amx/tiles.h"
#include "math/kernels/avx512/intrinsics.h"
#include "math/kernels/kernels.h"

// Products of bfloat16 rows with panels, by tiles. A panel's pairs of 16 rows are the rows of a
// right tile as they stand, and 16 pairs of 16 left rows are a left tile.

namespace minke::amx {
namespace {

constexpr int kPairs = kStepPairs;

// Up to 32 rows times a panel: four squares of sums, upper and lower, of the panel's first and
// second 16 rows.
template <typename Tiles>
class HalfTile {
 public:
  HalfTile(int rows, int columns, float* out, int64_t out_stride)
      : upper_(rows < kTileRows ? rows : kTileRows),
        lower_(rows - upper_),
        first_(columns < kTileRows ? columns : kTileRows),
        second_(columns - first_),
        out_(out),
        out_stride_(out_stride) {
    TileShapes shapes;
    for (int right = 0; right < 2; ++right) {
      shapes.set(right, upper_, kTileRowBytes);
      shapes.set(2 + right, lower_, kTileRowBytes);
      shapes.set(6 + right, kPairs, kTileRowBytes);
    }
    shapes.set(4, upper_, kTileRowBytes);
    shapes.set(5, lower_, kTileRowBytes);
    Tiles::configure(shapes);
  }

  void begin(bool add) {
    begin_square<0>(add, 0, upper_, 0, first_);
    begin_square<1>(add, 0, upper_, 16, second_);
    begin_square<2>(add, kTileRows, lower_, 0, first_);
    begin_square<3>(add, kTileRows, lower_, 16, second_);
  }

  // Sixteen pairs; strides in bytes.
  void step(const void* left, int64_t left_stride, const void* right, int64_t right_stride) {
    const auto* l = static_cast<const uint8_t*>(left);
    const auto* r = static_cast<const uint8_t*>(right);
    Tiles::template load<6>(r, right_stride);
    Tiles::template load<4>(l, left_stride);
    Tiles::template add_halves<0, 4, 6>();
    if (second_ > 0) {
      Tiles::template load<7>(r + kTileRowBytes, right_stride);
      Tiles::template add_halves<1, 4, 7>();
    }
    if (lower_ > 0) {
      Tiles::template load<5>(l + kTileRows * left_stride, left_stride);
      Tiles::template add_halves<2, 5, 6>();
      if (second_ > 0) Tiles::template add_halves<3, 5, 7>();
    }
  }

  void end() {
    end_square<0>(0, upper_, 0, first_);
    end_square<1>(0, upper_, 16, second_);
    end_square<2>(kTileRows, lower_, 0, first_);
    end_square<3>(kTileRows, lower_, 16, second_);
    Tiles::release();
  }

 private:
  struct alignas(64) Floats {
    float value[kTileRows][16];
  };
  static __mmask16 lanes(int columns) { return static_cast<__mmask16>((1u << columns) - 1); }

  template <int kTile>
  void begin_square(bool add, int row, int rows, int column, int columns) {
    if (rows == 0 || columns == 0) return;
    const float* from = out_ + row * out_stride_ + column;
    if (!add) return Tiles::template zero<kTile>();
    if (columns == 16) return Tiles::template load<kTile>(from, 4 * out_stride_);
    Floats sums;
    for (int m = 0; m < rows; ++m) {
      _mm512_store_ps(sums.value[m], _mm512_maskz_loadu_ps(lanes(columns), from + m * out_stride_));
    }
    Tiles::template load<kTile>(sums.value, kTileRowBytes);
  }

  template <int kTile>
  void end_square(int row, int rows, int column, int columns) {
    if (rows == 0 || columns == 0) return;
    float* to = out_ + row * out_stride_ + column;
    if (columns == 16) return Tiles::template store<kTile>(to, 4 * out_stride_);
    Floats sums;
    Tiles::template store<kTile>(sums.value, kTileRowBytes);
    for (int m = 0; m < rows; ++m) {
      _mm512_mask_storeu_ps(to + m * out_stride_, lanes(columns), _mm512_load_ps(sums.value[m]));
    }
  }

  int upper_, lower_;   // rows
  int first_, second_;  // columns
  float* out_;
  int64_t out_stride_;
};

// The last pairs of both operands, and zeros.
struct alignas(64) LastPairs {
  uint16_t left[2 * kTileRows][2 * kPairs];
  uint16_t right[kPairs][2 * kPanelWidth];

  LastPairs(const uint16_t* left_from, int64_t row_stride, int rows, const uint16_t* right_from,
            int pairs) {
    const auto present = static_cast<__mmask16>((1u << pairs) - 1);
    for (int m = 0; m < rows; ++m) {
      _mm512_store_si512(left[m], _mm512_maskz_loadu_epi32(present, left_from + m * row_stride));
    }
    for (int p = 0; p < kPairs; ++p) {
      for (int half = 0; half < 2; ++half) {
        const uint16_t* from = right_from + (2 * p + half) * kPanelWidth;
        _mm512_store_si512(right[p] + half * kPanelWidth,
                           p < pairs ? _mm512_loadu_si512(from) : _mm512_setzero_si512());
      }
    }
  }
};

template <typename Tiles>
void multiply_half_tiles(const uint16_t* left, int64_t row_stride, int64_t /*pair_stride*/,
                         const uint16_t* right, int64_t pairs, int rows, int columns, bool add,
                         float* out, int64_t out_stride) {
  HalfTile<Tiles> tile(rows, columns, out, out_stride);
  tile.begin(add);
  int64_t p = 0;
  for (; p + kPairs <= pairs; p += kPairs) {
    tile.step(left + 2 * p, 2 * row_stride, right + p * 2 * kPanelWidth, 4 * kPanelWidth);
  }
  if (p < pairs) {
    const LastPairs last(left + 2 * p, row_stride, rows, right + p * 2 * kPanelWidth,
                         static_cast<int>(pairs - p));
    tile.step(last.left, kTileRowBytes, last.right, 4 * kPanelWidth);
  }
  tile.end();
}

}  // namespace
}  // namespace minke::amx
