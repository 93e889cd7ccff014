#pragma once

#include "math/kernels/avx2/run.h"

// Formats with blocks of 256 values. Layouts: scalar/unpack_k.cc.

namespace minke::avx2 {
namespace {

[[gnu::always_inline]] inline uint32_t load_u32(const uint8_t* b) {
  uint32_t v;
  __builtin_memcpy(&v, b, sizeof v);
  return v;
}

// Quarters of 4-bit codes where 64 values share 32 bytes (first 32 values low, others high nibble);
// `b` points at the 128 bytes of a run.
[[gnu::always_inline]] inline void split_nibbles64(const uint8_t* b, Run& run) {
#pragma GCC unroll 2
  for (int h = 0; h < 2; ++h) {
    __m256i both[2], low[2], high[2];
    load_pairs(Blocks<kGroup>{b}, 0, h, both);
    split_nibbles(both, low, high);
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) {
      run.q[2 * i][h] = _mm256_unpacklo_epi64(low[i], high[i]);
      run.q[2 * i + 1][h] = _mm256_unpackhi_epi64(low[i], high[i]);
    }
  }
}

// Quarter t of the 16 bytes of even groups and of the 16 bytes of odd groups that follow, in turn
// in all lanes of out[t].
[[gnu::always_inline]] inline void load_alternating(const uint8_t* b, __m256i out[4]) {
  const __m256i even = _mm256_broadcastsi128_si256(load16(b));
  const __m256i odd = _mm256_broadcastsi128_si256(load16(b + 16));
  const __m256i low = _mm256_unpacklo_epi32(even, odd);
  const __m256i high = _mm256_unpackhi_epi32(even, odd);
  out[0] = _mm256_unpacklo_epi64(low, low);
  out[1] = _mm256_unpackhi_epi64(low, low);
  out[2] = _mm256_unpacklo_epi64(high, high);
  out[3] = _mm256_unpackhi_epi64(high, high);
}

// Quarters of 2-bit codes where 128 values share 32 bytes; `b` points at the 64 bytes of a run.
[[gnu::always_inline]] inline void split_crumbs128(const uint8_t* b, Run& run) {
  const __m256i shift = _mm256_setr_epi32(0, 0, 2, 2, 4, 4, 6, 6);
  for (int h = 0; h < 2; ++h) {
    __m256i codes[4];
    load_alternating(b + 32 * h, codes);
    for (int t = 0; t < 4; ++t) {
      run.q[t][h] = _mm256_and_si256(_mm256_srlv_epi32(codes[t], shift), _mm256_set1_epi8(3));
    }
  }
}

// Bit g / 2 of the bytes of group g, as bit kTo <= 4, for the 32 bytes at `b`.
template <int kTo>
[[gnu::always_inline]] inline void split_bits(const uint8_t* b, __m256i out[4][2]) {
  const __m256i own = _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3);
  const __m256i bit = _mm256_set1_epi8(1 << kTo);
  __m256i bytes[4];
  load_alternating(b, bytes);
  for (int t = 0; t < 4; ++t) {
    const __m256i first = _mm256_srlv_epi32(_mm256_slli_epi32(bytes[t], kTo), own);
    const __m256i second =
        _mm256_srlv_epi32(bytes[t], _mm256_add_epi32(own, _mm256_set1_epi32(4 - kTo)));
    out[t][0] = _mm256_and_si256(first, bit);
    out[t][1] = _mm256_and_si256(second, bit);
  }
}

// Scales and offsets of Q4_K and Q5_K: d, dmin f16, then six-bit scales S and minima M in 12 bytes.
[[gnu::always_inline]] inline void load_six_bits(const uint8_t* b, Run& run) {
  const __m128i all = load16(b);
  // S and M of blocks 0..3 are the low bits of the first and second four bytes; those of blocks
  // 4..7 have nibbles in the third four and their two high bits on top of the others.
  const __m128i low =
      _mm_and_si128(_mm_srlv_epi32(_mm_shuffle_epi32(all, 0xed), _mm_setr_epi32(0, 0, 0, 4)),
                    _mm_setr_epi32(0x3f3f3f3f, 0x0f0f0f0f, 0x3f3f3f3f, 0x0f0f0f0f));
  const __m128i high = _mm_and_si128(_mm_srli_epi32(_mm_shuffle_epi32(all, 0xa5), 2),
                                     _mm_setr_epi32(0, 0x30303030, 0, 0x30303030));
  const __m128i bytes = _mm_or_si128(low, high);
  const auto scaled = [](__m128 factor, __m128i eight) {
    return _mm256_mul_ps(_mm256_broadcastss_ps(factor),
                         _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(eight)));
  };
  const __m128 factors = _mm_cvtph_ps(all);
  const __m128 minus = _mm_xor_ps(_mm_movehdup_ps(factors), _mm_set1_ps(-0.0f));
  spread_pairs(scaled(factors, bytes), run.scale);
  spread_pairs(scaled(minus, _mm_unpackhi_epi64(bytes, bytes)), run.offset);
}

struct Q4_K {
  static constexpr int kValues = 256, kBytes = 144;
  static constexpr bool kSigned = false, kOffset = true;
  static constexpr int kZero = 0, kLargest = 15, kColumnsOfScale = 32;
  [[gnu::always_inline]] static void decode(const uint8_t* b, Run& run) {
    split_nibbles64(b + 16, run);
    load_six_bits(b, run);
  }
};

struct Q5_K {
  static constexpr int kValues = 256, kBytes = 176;
  static constexpr bool kSigned = false, kOffset = true;
  static constexpr int kZero = 0, kLargest = 31, kColumnsOfScale = 32;
  [[gnu::always_inline]] static void decode(const uint8_t* b, Run& run) {
    __m256i fifth[4][2];
    split_bits<4>(b + 16, fifth);
    split_nibbles64(b + 48, run);
    for (int t = 0; t < 4; ++t) {
      for (int h = 0; h < 2; ++h) {
        run.q[t][h] = _mm256_or_si256(run.q[t][h], fifth[t][h]);
      }
    }
    load_six_bits(b, run);
  }
};

struct Q6_K {
  static constexpr int kValues = 256, kBytes = 210;
  static constexpr bool kSigned = false, kOffset = false;
  static constexpr int kZero = 32, kLargest = 63, kColumnsOfScale = 16;
  [[gnu::always_inline]] static void decode(const uint8_t* b, Run& run) {
    const __m256i mask = _mm256_set1_epi8(15);
    __m256i both[4];
    load_quarters(Blocks<kGroup>{b}, 0, both);
    Run crumbs;
    split_crumbs128(b + 128, crumbs);
    for (int t = 0; t < 4; ++t) {
      const __m256i low = _mm256_and_si256(both[t], mask);
      const __m256i high = _mm256_and_si256(_mm256_srli_epi32(both[t], 4), mask);
      const __m256i nibbles[2] = {_mm256_permute2x128_si256(low, high, 0x20),
                                  _mm256_permute2x128_si256(low, high, 0x31)};
      for (int h = 0; h < 2; ++h) {
        run.q[t][h] = _mm256_or_si256(nibbles[h], _mm256_slli_epi32(crumbs.q[t][h], 4));
      }
    }
    scale_bytes(f16_at(b + 208), load16(b + 192), run.scale);
    clear_offset(run);
  }
};

struct Q2_K {
  static constexpr int kValues = 256, kBytes = 84;
  static constexpr bool kSigned = false, kOffset = true;
  static constexpr int kZero = 0, kLargest = 3, kColumnsOfScale = 16;
  [[gnu::always_inline]] static void decode(const uint8_t* b, Run& run) {
    split_crumbs128(b + 16, run);
    const __m128i mask = _mm_set1_epi8(15);
    const __m128i pairs = load16(b);
    scale_bytes(f16_at(b + 80), _mm_and_si128(pairs, mask), run.scale);
    scale_bytes(-f16_at(b + 82), _mm_and_si128(_mm_srli_epi16(pairs, 4), mask), run.offset);
  }
};

struct Q3_K {
  static constexpr int kValues = 256, kBytes = 110;
  static constexpr bool kSigned = false, kOffset = false;
  static constexpr int kZero = 4, kLargest = 7, kColumnsOfScale = 16;
  // 16 scales of 6 bits, less 32: low nibbles in 8 bytes, high crumbs in 4.
  [[gnu::always_inline]] static __m128i scales(const uint8_t* b) {
    const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(b));
    const __m128i nibbles = _mm_unpacklo_epi64(bytes, _mm_srli_epi16(bytes, 4));
    const __m128i crumbs = _mm_srlv_epi32(_mm_set1_epi32(static_cast<int>(load_u32(b + 8))),
                                          _mm_setr_epi32(0, 2, 4, 6));
    const __m128i low = _mm_and_si128(nibbles, _mm_set1_epi8(15));
    const __m128i high = _mm_slli_epi16(_mm_and_si128(crumbs, _mm_set1_epi8(3)), 4);
    return _mm_sub_epi8(_mm_or_si128(low, high), _mm_set1_epi8(32));
  }
  [[gnu::always_inline]] static void decode(const uint8_t* b, Run& run) {
    __m256i third[4][2];
    split_bits<2>(b, third);
    split_crumbs128(b + 32, run);
    for (int t = 0; t < 4; ++t) {
      for (int h = 0; h < 2; ++h) {
        run.q[t][h] = _mm256_or_si256(run.q[t][h], third[t][h]);
      }
    }
    scale_bytes(f16_at(b + 108), scales(b + 96), run.scale);
    clear_offset(run);
  }
};

struct IQ4_XS {
  static constexpr int kValues = 256, kBytes = 136;
  static constexpr bool kSigned = true, kOffset = false;
  static constexpr int kZero = 0, kLargest = 127, kColumnsOfScale = 32;
  // A scale of 6 bits, less 32, for each two groups: high crumbs in 2 bytes, low nibbles in 4.
  [[gnu::always_inline]] static __m256 scales(const uint8_t* b) {
    const __m256i nibbles = _mm256_srlv_epi32(_mm256_set1_epi32(static_cast<int>(load_u32(b + 2))),
                                              _mm256_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28));
    const __m256i crumbs = _mm256_srlv_epi32(_mm256_set1_epi32(b[0] | b[1] << 8),
                                             _mm256_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14));
    const __m256i low = _mm256_and_si256(nibbles, _mm256_set1_epi32(15));
    const __m256i high = _mm256_slli_epi32(_mm256_and_si256(crumbs, _mm256_set1_epi32(3)), 4);
    return _mm256_cvtepi32_ps(_mm256_sub_epi32(_mm256_or_si256(low, high), _mm256_set1_epi32(32)));
  }
  [[gnu::always_inline]] static void decode(const uint8_t* b, Run& run) {
    split_nibbles32(Blocks<kGroup>{b + 8}, 0, run);
    look_up(iq4_values(), run);
    spread_pairs(_mm256_mul_ps(_mm256_set1_ps(f16_at(b)), scales(b + 2)), run.scale);
    clear_offset(run);
  }
};

}  // namespace
}  // namespace minke::avx2
