#include "apps/measure/chains/chains.h"

#include <immintrin.h>

namespace minke {
namespace {

// Tiles 0 to 5 are accumulators, 6 and 7 the operands; a tile is 16 rows of 64 bytes. An
// instruction takes 16 cycles and is done after about 50, so that four would be enough.
constexpr int kChains = 6;
constexpr int kRows = 16;
constexpr int kRowBytes = 64;
constexpr int kSums = kRows * kRowBytes / 4;

// The operand of ldtilecfg.
struct alignas(64) TileConfig {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {kRowBytes, kRowBytes, kRowBytes, kRowBytes,
                            kRowBytes, kRowBytes, kRowBytes, kRowBytes};
  uint8_t rows[16] = {kRows, kRows, kRows, kRows, kRows, kRows, kRows, kRows};
};
static_assert(sizeof(TileConfig) == 64);

// What stands in memory at `at` is written, and read again. GCC's intrinsics do not say that tile
// instructions read and write it.
void settle(const void* at) {
  asm volatile("" : : "r"(at) : "memory");
}

// Accumulator c begins with c in every place.
template <typename Sum>
void load_tiles(const void* a, const void* b) {
  alignas(64) Sum begin[kChains][kSums];
  for (int c = 0; c < kChains; ++c) {
    for (Sum& value : begin[c]) value = static_cast<Sum>(c);
  }
  const TileConfig config;
  settle(begin);
  settle(&config);
  _tile_loadconfig(&config);
  _tile_loadd(0, begin[0], kRowBytes);
  _tile_loadd(1, begin[1], kRowBytes);
  _tile_loadd(2, begin[2], kRowBytes);
  _tile_loadd(3, begin[3], kRowBytes);
  _tile_loadd(4, begin[4], kRowBytes);
  _tile_loadd(5, begin[5], kRowBytes);
  _tile_loadd(6, a, kRowBytes);
  _tile_loadd(7, b, kRowBytes);
}

template <typename Sum>
void add(const Sum* from, Sum* sums) {
  for (int i = 0; i < kSums; ++i) sums[i] += from[i];
}
// Wraps around as the instruction does.
template <>
void add(const int32_t* from, int32_t* sums) {
  for (int i = 0; i < kSums; ++i) {
    sums[i] = static_cast<int32_t>(static_cast<uint32_t>(sums[i]) + static_cast<uint32_t>(from[i]));
  }
}

template <typename Sum>
void store_tiles(Sum* sums) {
  alignas(64) Sum end[kChains][kSums];
  _tile_stored(0, end[0], kRowBytes);
  _tile_stored(1, end[1], kRowBytes);
  _tile_stored(2, end[2], kRowBytes);
  _tile_stored(3, end[3], kRowBytes);
  _tile_stored(4, end[4], kRowBytes);
  _tile_stored(5, end[5], kRowBytes);
  settle(end);
  _tile_release();
  for (int i = 0; i < kSums; ++i) sums[i] = 0;
  for (int c = 0; c < kChains; ++c) add(end[c], sums);
}

void run_tdpbusd(const uint8_t* a, const int8_t* b, int64_t steps, int32_t* sums) {
  load_tiles<int32_t>(a, b);
  for (int64_t step = 0; step < steps; ++step) {
    _tile_dpbusd(0, 6, 7);
    _tile_dpbusd(1, 6, 7);
    _tile_dpbusd(2, 6, 7);
    _tile_dpbusd(3, 6, 7);
    _tile_dpbusd(4, 6, 7);
    _tile_dpbusd(5, 6, 7);
  }
  store_tiles(sums);
}

void run_tdpbf16ps(const uint16_t* a, const uint16_t* b, int64_t steps, float* sums) {
  load_tiles<float>(a, b);
  for (int64_t step = 0; step < steps; ++step) {
    _tile_dpbf16ps(0, 6, 7);
    _tile_dpbf16ps(1, 6, 7);
    _tile_dpbf16ps(2, 6, 7);
    _tile_dpbf16ps(3, 6, 7);
    _tile_dpbf16ps(4, 6, 7);
    _tile_dpbf16ps(5, 6, 7);
  }
  store_tiles(sums);
}

}  // namespace

const Int8Chain kTdpbusd = {"tdpbusd", kSums, 64, kChains, run_tdpbusd};
const Bf16Chain kTdpbf16ps = {"tdpbf16ps", kSums, 32, kChains, run_tdpbf16ps};

}  // namespace minke
