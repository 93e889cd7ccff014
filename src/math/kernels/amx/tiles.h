#pragma once

#include <stdint.h>

// The tile registers of AMX: eight of up to 16 rows of 64 bytes (Intel 64 and IA-32 Architectures
// Software Developer's Manual, volume 1, chapter 18).

namespace minke::amx {

constexpr int kTiles = 8;
constexpr int kTileRows = 16;      // most rows of a tile
constexpr int kTileRowBytes = 64;  // most bytes of a row

namespace {

// The operand of ldtilecfg: how large each tile is. A tile of no rows must not be used.
struct alignas(64) TileShapes {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};

  void set(int tile, int tile_rows, int tile_row_bytes) {
    rows[tile] = static_cast<uint8_t>(tile_rows);
    row_bytes[tile] = static_cast<uint16_t>(tile_rows == 0 ? 0 : tile_row_bytes);
  }
};
static_assert(sizeof(TileShapes) == 64);

// What the products below are written in. tests/kernels/emulated_amx.cc does the same by plain
// loops, so that they are tested where no processor has tiles. Only a product's own thread sees its
// tiles: each begins with configure() and ends with release().
struct HardwareTiles {
  static void configure(const TileShapes& shapes) { asm volatile("ldtilecfg %0" : : "m"(shapes)); }
  static void release() { asm volatile("tilerelease"); }

  template <int kTile>
  static void zero() {
    asm volatile("tilezero %%tmm%c0" : : "i"(kTile));
  }
  // Row i of a tile is at i * stride bytes.
  template <int kTile>
  static void load(const void* from, int64_t stride) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(from), "r"(stride), "i"(kTile) : "memory");
  }
  template <int kTile>
  static void store(void* to, int64_t stride) {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(to), "r"(stride), "i"(kTile) : "memory");
  }
  // sum[m][n] += left[m][4k + i] * right[k][4n + i] over k and i < 4: signed bytes of the left
  // tile, unsigned ones of the right, 32-bit sums.
  template <int kSum, int kLeft, int kRight>
  static void add_bytes() {
    asm volatile("tdpbsud %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kSum), "i"(kLeft), "i"(kRight));
  }
  // sum[m][n] += left[m][2k + i] * right[k][2n + i] over k and i < 2: bfloat16, float32 sums.
  template <int kSum, int kLeft, int kRight>
  static void add_halves() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kSum), "i"(kLeft), "i"(kRight));
  }
};

}  // namespace
}  // namespace minke::amx
