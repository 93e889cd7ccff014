#pragma once

#include "math/kernels/avx2/run.h"

// Formats with blocks of 32 values, eight blocks at a time. Layouts: scalar/unpack_blocks32.cc.

namespace minke::avx2 {
namespace {

// A half from each of eight blocks, each for the two groups of its block.
template <int kBytes>
[[gnu::always_inline]] inline void load_halves(const Blocks<kBytes>& b, int offset, __m256 out[2]) {
  const auto load = [&](int k) {
    int16_t h;
    __builtin_memcpy(&h, b[k] + offset, sizeof h);
    return h;
  };
  spread_pairs(_mm256_cvtph_ps(_mm_setr_epi16(load(0), load(1), load(2), load(3), load(4), load(5),
                                              load(6), load(7))),
               out);
}

// For the fifth bits of eight blocks (32 bits each): all ones in set[t][h] where the bit is set.
template <int kBytes>
[[gnu::always_inline]] inline void load_bits(const Blocks<kBytes>& b, int offset,
                                             __m256i set[4][2]) {
  const auto load = [&](int k) {
    int bits;
    __builtin_memcpy(&bits, b[k] + offset, sizeof bits);
    return bits;
  };
  for (int h = 0; h < 2; ++h) {
    // Lane g gets the 16 bits of group g. Each of its bytes then gets the byte its own bit is in.
    const int k = 4 * h;
    const __m128i first = _mm_insert_epi32(_mm_cvtsi32_si128(load(k)), load(k + 1), 1);
    const __m128i second = _mm_insert_epi32(_mm_cvtsi32_si128(load(k + 2)), load(k + 3), 1);
    const __m256i bits = _mm256_cvtepu16_epi32(_mm_unpacklo_epi64(first, second));
    for (int t = 0; t < 4; ++t) {
      const __m256i spread = _mm256_broadcastsi128_si256(
          _mm_add_epi8(_mm_setr_epi8(0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12),
                       _mm_set1_epi8(static_cast<char>(t / 2))));
      const __m256i own = _mm256_set1_epi32(t % 2 == 0 ? 0x08040201 : static_cast<int>(0x80402010));
      set[t][h] = _mm256_cmpeq_epi8(_mm256_and_si256(_mm256_shuffle_epi8(bits, spread), own), own);
    }
  }
}

struct Q4_0 {
  static constexpr int kValues = 32, kBytes = 18;
  static constexpr bool kSigned = false, kOffset = false;
  static constexpr int kZero = 8, kLargest = 15, kColumnsOfScale = 32;
  [[gnu::always_inline]] static void decode(const Blocks<kBytes>& b, Run& run) {
    split_nibbles32(b, 2, run);
    load_halves(b, 0, run.scale);
    clear_offset(run);
  }
};

struct Q4_1 {
  static constexpr int kValues = 32, kBytes = 20;
  static constexpr bool kSigned = false, kOffset = true;
  static constexpr int kZero = 0, kLargest = 15, kColumnsOfScale = 32;
  [[gnu::always_inline]] static void decode(const Blocks<kBytes>& b, Run& run) {
    split_nibbles32(b, 4, run);
    load_halves(b, 0, run.scale);
    load_halves(b, 2, run.offset);
  }
};

struct Q5_0 {
  static constexpr int kValues = 32, kBytes = 22;
  static constexpr bool kSigned = false, kOffset = false;
  static constexpr int kZero = 16, kLargest = 31, kColumnsOfScale = 32;
  [[gnu::always_inline]] static void decode(const Blocks<kBytes>& b, Run& run) {
    const __m256i sixteen = _mm256_set1_epi8(16);
    __m256i set[4][2];
    load_bits(b, 2, set);
    split_nibbles32(b, 6, run);
    for (int t = 0; t < 4; ++t) {
      for (int h = 0; h < 2; ++h) {
        run.q[t][h] = _mm256_or_si256(run.q[t][h], _mm256_and_si256(set[t][h], sixteen));
      }
    }
    load_halves(b, 0, run.scale);
    clear_offset(run);
  }
};

struct Q5_1 {
  static constexpr int kValues = 32, kBytes = 24;
  static constexpr bool kSigned = false, kOffset = true;
  static constexpr int kZero = 0, kLargest = 31, kColumnsOfScale = 32;
  [[gnu::always_inline]] static void decode(const Blocks<kBytes>& b, Run& run) {
    const __m256i sixteen = _mm256_set1_epi8(16);
    __m256i set[4][2];
    load_bits(b, 4, set);
    split_nibbles32(b, 8, run);
    for (int t = 0; t < 4; ++t) {
      for (int h = 0; h < 2; ++h) {
        run.q[t][h] = _mm256_or_si256(run.q[t][h], _mm256_and_si256(set[t][h], sixteen));
      }
    }
    load_halves(b, 0, run.scale);
    load_halves(b, 2, run.offset);
  }
};

struct Q8_0 {
  static constexpr int kValues = 32, kBytes = 34;
  static constexpr bool kSigned = true, kOffset = false;
  static constexpr int kZero = 0, kLargest = 128, kColumnsOfScale = 32;
  [[gnu::always_inline]] static void decode(const Blocks<kBytes>& b, Run& run) {
    for (int h = 0; h < 2; ++h) {
      // Groups k and k + 4 of the half are in blocks k / 2 and k / 2 + 2.
      __m256i rows[4];
      for (int k = 0; k < 4; ++k) {
        const int block = 4 * h + k / 2;
        const int offset = 2 + k % 2 * kGroup;
        rows[k] = _mm256_set_m128i(load16(b[block + 2] + offset), load16(b[block] + offset));
      }
      __m256i quarters[4];
      transpose(rows, quarters);
      for (int t = 0; t < 4; ++t) run.q[t][h] = quarters[t];
    }
    load_halves(b, 0, run.scale);
    clear_offset(run);
  }
};

struct IQ4_NL {
  static constexpr int kValues = 32, kBytes = 18;
  static constexpr bool kSigned = true, kOffset = false;
  static constexpr int kZero = 0, kLargest = 127, kColumnsOfScale = 32;
  [[gnu::always_inline]] static void decode(const Blocks<kBytes>& b, Run& run) {
    split_nibbles32(b, 2, run);
    look_up(iq4_values(), run);
    load_halves(b, 0, run.scale);
    clear_offset(run);
  }
};

struct MXFP4 {
  static constexpr int kValues = 32, kBytes = 17;
  static constexpr bool kSigned = false, kOffset = false;
  static constexpr int kZero = 16, kLargest = 28, kColumnsOfScale = 32;
  // 2^(e - 128) for the exponent of each block.
  [[gnu::always_inline]] static __m256 scales(const Blocks<kBytes>& b) {
    const auto e = [&](int k) { return static_cast<int32_t>(b[k][0]); };
    const __m256i exponents = _mm256_setr_epi32(e(0), e(1), e(2), e(3), e(4), e(5), e(6), e(7));
    const __m256i normal = _mm256_slli_epi32(_mm256_sub_epi32(exponents, _mm256_set1_epi32(1)), 23);
    const __m256i subnormal = _mm256_sllv_epi32(_mm256_set1_epi32(0x00200000), exponents);
    const __m256i small = _mm256_cmpgt_epi32(_mm256_set1_epi32(2), exponents);
    return _mm256_castsi256_ps(_mm256_blendv_epi8(normal, subnormal, small));
  }
  [[gnu::always_inline]] static void decode(const Blocks<kBytes>& b, Run& run) {
    const __m128i doubled = _mm_setr_epi8(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12);
    split_nibbles32(b, 1, run);
    look_up(_mm_add_epi8(doubled, _mm_set1_epi8(kZero)), run);
    spread_pairs(scales(b), run.scale);
    clear_offset(run);
  }
};

}  // namespace
}  // namespace minke::avx2
