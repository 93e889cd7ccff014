#include "emulated_amx.h"

#include "math/kernels/amx/multiply_bf16.h"
#include "math/kernels/amx/products.h"

// Compiled with the flags of the amx folder, so it follows that folder's rules.

namespace minke {
namespace {

struct Tile {
  int rows, row_bytes;
  alignas(64) uint8_t byte[amx::kTileRows][amx::kTileRowBytes];
};

// The instructions as Intel's manual defines them. What a processor would refuse ends the program.
struct EmulatedTiles {
  static thread_local bool configured;

  static void configure(const amx::TileShapes& shapes) {
    need(shapes.palette == 1 && shapes.start_row == 0);
    configured = true;
    for (int t = 0; t < amx::kTiles; ++t) {
      need(shapes.rows[t] <= amx::kTileRows && shapes.row_bytes[t] <= amx::kTileRowBytes);
      need((shapes.rows[t] == 0) == (shapes.row_bytes[t] == 0));
      tiles[t] = Tile{shapes.rows[t], shapes.row_bytes[t], {}};
    }
    for (int t = amx::kTiles; t < 16; ++t) need(shapes.rows[t] == 0 && shapes.row_bytes[t] == 0);
  }
  static void release() { configured = false; }

  template <int kTile>
  static void zero() {
    Tile& t = usable(kTile);
    t = Tile{t.rows, t.row_bytes, {}};
  }
  template <int kTile>
  static void load(const void* from, int64_t stride) {
    Tile& t = usable(kTile);
    t = Tile{t.rows, t.row_bytes, {}};
    for (int i = 0; i < t.rows; ++i) {
      __builtin_memcpy(t.byte[i], static_cast<const uint8_t*>(from) + i * stride,
                       static_cast<unsigned>(t.row_bytes));
    }
  }
  template <int kTile>
  static void store(void* to, int64_t stride) {
    const Tile& t = usable(kTile);
    for (int i = 0; i < t.rows; ++i) {
      __builtin_memcpy(static_cast<uint8_t*>(to) + i * stride, t.byte[i],
                       static_cast<unsigned>(t.row_bytes));
    }
  }
  template <int kSum, int kLeft, int kRight>
  static void add_bytes() {
    const auto [sum, left, right] = operands(kSum, kLeft, kRight);
    for (int m = 0; m < sum.rows; ++m) {
      for (int n = 0; n < sum.row_bytes / 4; ++n) {
        int32_t total = 0;
        __builtin_memcpy(&total, sum.byte[m] + 4 * n, 4);
        for (int k = 0; k < left.row_bytes; ++k) {
          total += static_cast<int8_t>(left.byte[m][k]) * right.byte[k / 4][4 * n + k % 4];
        }
        __builtin_memcpy(sum.byte[m] + 4 * n, &total, 4);
      }
    }
  }
  // Even and odd values are summed apart, and their sums added to what was there.
  template <int kSum, int kLeft, int kRight>
  static void add_halves() {
    const auto [sum, left, right] = operands(kSum, kLeft, kRight);
    for (int m = 0; m < sum.rows; ++m) {
      for (int n = 0; n < sum.row_bytes / 4; ++n) {
        float parts[2] = {};
        for (int k = 0; k < left.row_bytes / 2; ++k) {
          parts[k % 2] = __builtin_fmaf(half(left.byte[m] + 2 * k),
                                        half(right.byte[k / 2] + 4 * n + k % 2 * 2), parts[k % 2]);
        }
        float total = 0;
        __builtin_memcpy(&total, sum.byte[m] + 4 * n, 4);
        total += parts[0] + parts[1];
        __builtin_memcpy(sum.byte[m] + 4 * n, &total, 4);
      }
    }
  }

 private:
  struct Operands {
    Tile& sum;
    const Tile& left;
    const Tile& right;
  };
  static void need(bool fine) {
    if (!fine) __builtin_trap();
  }
  static Tile& usable(int tile) {
    need(configured && tiles[tile].rows > 0);
    return tiles[tile];
  }
  static Operands operands(int sum, int left, int right) {
    need(sum != left && sum != right && left != right);
    const Operands o{usable(sum), usable(left), usable(right)};
    need(o.left.rows == o.sum.rows && o.right.row_bytes == o.sum.row_bytes);
    need(o.left.row_bytes == 4 * o.right.rows && o.sum.row_bytes % 4 == 0);
    return o;
  }
  static float half(const uint8_t* from) {
    uint16_t word = 0;
    __builtin_memcpy(&word, from, 2);
    const uint32_t bits = static_cast<uint32_t>(word) << 16;
    float value = 0;
    __builtin_memcpy(&value, &bits, 4);
    return __builtin_isnormal(value) || __builtin_isnan(value) || __builtin_isinf(value) ? value
                                                                                         : 0;
  }

  static thread_local Tile tiles[amx::kTiles];
};
thread_local bool EmulatedTiles::configured = false;
thread_local Tile EmulatedTiles::tiles[amx::kTiles] = {};

}  // namespace

extern const amx::TypedProduct* const kEmulatedProducts = amx::Products<EmulatedTiles>::kOf;

void multiply_bf16_emulated(const uint16_t* left, int64_t row_stride, int64_t pair_stride,
                            const uint16_t* right, int64_t pairs, int rows, int columns, bool add,
                            float* out, int64_t out_stride) {
  amx::multiply_half_tiles<EmulatedTiles>(left, row_stride, pair_stride, right, pairs, rows,
                                          columns, add, out, out_stride);
}

bool emulated_tiles_are_released() {
  return !EmulatedTiles::configured;
}

}  // namespace minke
