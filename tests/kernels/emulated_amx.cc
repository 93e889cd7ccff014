#include "emulated_amx.h"

#include "math/kernels/amx/amx.h"
#include "math/kernels/amx/multiply_bf16.h"
#include "math/kernels/amx/multiply_panel.h"
#include "math/kernels/avx512/formats_blocks32.h"
#include "math/kernels/avx512/formats_k.h"
#include "math/tensor/dtype.h"

// Compiled with the flags of the amx folder, so it follows that folder's rules.

namespace minke {
namespace {

struct Tile {
  int rows, row_bytes;
  alignas(64) uint8_t byte[amx::kTileRows][amx::kTileRowBytes];
};

// The instructions as Intel's manual defines them. What a processor would refuse ends the program.
struct EmulatedTiles {
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
    need(o.left.row_bytes == 4 * o.right.rows);
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

  static thread_local bool configured;
  static thread_local Tile tiles[amx::kTiles];
};
thread_local bool EmulatedTiles::configured = false;
thread_local Tile EmulatedTiles::tiles[amx::kTiles] = {};

template <typename Format>
constexpr amx::ProductMany kProduct =
    avx512::product_many<Format, amx::multiply_panel<EmulatedTiles>>;

}  // namespace

void set_emulated_amx_kernels(Kernels& k) {
  const auto set = [&](DType type, amx::ProductMany product) {
    k.product_many[static_cast<int>(type)] = product;
  };
  set(DType::kQ4_0, kProduct<avx512::Q4_0>);
  set(DType::kQ4_1, kProduct<avx512::Q4_1>);
  set(DType::kQ5_0, kProduct<avx512::Q5_0>);
  set(DType::kQ5_1, kProduct<avx512::Q5_1>);
  set(DType::kQ8_0, kProduct<avx512::Q8_0>);
  set(DType::kQ2_K, kProduct<avx512::Q2_K>);
  set(DType::kQ3_K, kProduct<avx512::Q3_K>);
  set(DType::kQ4_K, kProduct<avx512::Q4_K>);
  set(DType::kQ5_K, kProduct<avx512::Q5_K>);
  set(DType::kQ6_K, kProduct<avx512::Q6_K>);
  set(DType::kIQ4_NL, kProduct<avx512::IQ4_NL>);
  set(DType::kIQ4_XS, kProduct<avx512::IQ4_XS>);
  set(DType::kMXFP4, kProduct<avx512::MXFP4>);
  k.left_rows = amx::kMostRows;
  k.step_pairs = amx::kStepPairs;
  k.transpose_bf16 = amx::transpose_bf16;
  k.multiply_bf16 = amx::multiply_half_tiles<EmulatedTiles>;
}

}  // namespace minke
