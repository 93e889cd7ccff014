#pragma once

#include "math/kernels/avx512/panel.h"
#include "math/kernels/avx512/product.h"
#include "math/kernels/avx512/run.h"
#include "math/kernels/avx512/sixteen.h"

// Formats with blocks of 256 values. Layouts: scalar/unpack_k.cc. Lane g belongs to group g.

namespace minke::avx512 {
namespace {

[[gnu::always_inline]] inline __m512i load64(const uint8_t* b) {
  return _mm512_loadu_si512(b);
}

[[gnu::always_inline]] inline uint32_t load_u32(const uint8_t* b) {
  uint32_t v;
  __builtin_memcpy(&v, b, sizeof v);
  return v;
}

// An index vector for each quarter: lane g of `first`, plus t.
[[gnu::always_inline]] inline __m512i plus(__m512i first, int t) {
  return _mm512_add_epi32(first, _mm512_set1_epi32(t));
}

// (a & mask) | b.
[[gnu::always_inline]] inline __m512i and_or(__m512i a, __m512i mask, __m512i b) {
  return _mm512_ternarylogic_epi32(a, mask, b, 0xea);
}

// The bytes of quarters of 4-bit codes where 64 values share 32 bytes (first 32 values low, others
// high nibble), and how far each lane's codes are shifted in them; `b` points at the 128 bytes of a
// run.
[[gnu::always_inline]] inline void pick_nibbles64(const uint8_t* b, __m512i out[4]) {
  const __m512i first = _mm512_setr_epi32(0, 4, 0, 4, 8, 12, 8, 12, 16, 20, 16, 20, 24, 28, 24, 28);
  const __m512i low = load64(b);
  const __m512i high = load64(b + 64);
  for (int t = 0; t < 4; ++t) out[t] = _mm512_permutex2var_epi32(low, plus(first, t), high);
}
[[gnu::always_inline]] inline __m512i shifts_of_nibbles64() {
  return _mm512_setr_epi32(0, 0, 4, 4, 0, 0, 4, 4, 0, 0, 4, 4, 0, 0, 4, 4);
}

// The half at `b` in every lane.
[[gnu::always_inline]] inline __m512 broadcast_half(const uint8_t* b) {
  int16_t half;
  __builtin_memcpy(&half, b, sizeof half);
  return _mm512_cvtph_ps(_mm256_set1_epi16(half));
}

// Scales and offsets of Q4_K and Q5_K: d, dmin f16, then six-bit scales S and minima M in 12 bytes.
// The first four of each have their six bits in one byte; of the last four, the low nibble of S and
// the high nibble of M are in the last four bytes, their upper crumbs above those of the first
// four. Lanes 0..7 compute the eight scales, lanes 8..15 the eight offsets.
[[gnu::always_inline]] inline void load_six_bits(const uint8_t* b, Run& run) {
  const __m128i head = _mm_loadu_si128(reinterpret_cast<const __m128i*>(b));
  // The byte with the lower bits, and above it for the last four of each the one with the crumb.
  const __m512i bytes =
      _mm512_setr_epi32(0x80808004, 0x80808005, 0x80808006, 0x80808007, 0x8080040c, 0x8080050d,
                        0x8080060e, 0x8080070f, 0x80808008, 0x80808009, 0x8080800a, 0x8080800b,
                        0x8080080c, 0x8080090d, 0x80800a0e, 0x80800b0f);
  const __m512i shift = _mm512_setr_epi32(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 4, 4, 4);
  const __m512i mask =
      _mm512_setr_epi32(63, 63, 63, 63, 15, 15, 15, 15, 63, 63, 63, 63, 15, 15, 15, 15);
  const __m512i parts = _mm512_shuffle_epi8(_mm512_broadcast_i32x4(head), bytes);
  const __m512i low = _mm512_and_si512(_mm512_srlv_epi32(parts, shift), mask);
  const __m512i six = and_or(_mm512_srli_epi32(parts, 10), _mm512_set1_epi32(0x30), low);
  // d for the scales, -dmin for the offsets.
  const __m256i factors = _mm256_setr_epi32(0x01000100, 0x01000100, 0x01000100, 0x01000100,
                                            0x03020302, 0x03020302, 0x03020302, 0x03020302);
  const __m256i sign = _mm256_inserti128_si256(_mm256_setzero_si256(), _mm_set1_epi16(-0x8000), 1);
  const __m256i halves =
      _mm256_xor_si256(_mm256_shuffle_epi8(_mm256_broadcastsi128_si256(head), factors), sign);
  const __m512 both = _mm512_mul_ps(_mm512_cvtph_ps(halves), _mm512_cvtepi32_ps(six));
  const __m512i sub_block = _mm512_srli_epi32(lane_numbers(), 1);
  run.scale = _mm512_permutexvar_ps(sub_block, both);
  run.offset = _mm512_permutexvar_ps(plus(sub_block, 8), both);
}

struct Q4_K {
  static constexpr int kValues = 256, kBytes = 144;
  static constexpr bool kOffset = true;
  static constexpr int kZero = 0, kColumnsOfScale = 32;
  [[gnu::always_inline]] static __m512i raised() { return shifts_of_nibbles64(); }
  [[gnu::always_inline]] static void decode(const uint8_t* b, Run& run) {
    pick_nibbles64(b + 16, run.q);
    const __m512i codes = _mm512_sllv_epi32(_mm512_set1_epi8(15), raised());
    for (auto& q : run.q) q = _mm512_and_si512(q, codes);
    load_six_bits(b, run);
  }
  [[gnu::always_inline]] static void unpack_sixteen(SixteenBlocks b, const PanelHalf& to) {
    unpack_six_bits(b, to);
    for (int half = 0; half < 2; ++half) {
      unpack_nibbles64(b, 16, half, to, [](__m512i q, int, int) { return q; });
    }
  }
};

struct Q5_K {
  static constexpr int kValues = 256, kBytes = 176;
  static constexpr bool kOffset = true;
  static constexpr int kZero = 0, kColumnsOfScale = 32;
  [[gnu::always_inline]] static void decode(const uint8_t* b, Run& run) {
    pick_nibbles64(b + 48, run.q);
    // Bit g / 2 of the group's bytes is rotated to bit 4.
    const __m512i half =
        _mm512_slli_epi32(_mm512_and_si512(lane_numbers(), _mm512_set1_epi32(1)), 2);
    const __m512i turn =
        _mm512_sub_epi32(_mm512_srli_epi32(lane_numbers(), 1), _mm512_set1_epi32(4));
    const __m512i fifth =
        _mm512_castsi256_si512(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(b + 16)));
    for (int t = 0; t < 4; ++t) {
      const __m512i bits = _mm512_rorv_epi32(_mm512_permutexvar_epi32(plus(half, t), fifth), turn);
      const __m512i low = _mm512_srlv_epi32(run.q[t], shifts_of_nibbles64());
      run.q[t] = and_or(bits, _mm512_set1_epi8(16), _mm512_and_si512(low, _mm512_set1_epi8(15)));
    }
    load_six_bits(b, run);
  }
  // Bit k of byte i belongs to value i of block k.
  [[gnu::always_inline]] static void unpack_sixteen(SixteenBlocks b, const PanelHalf& to) {
    unpack_six_bits(b, to);
    __m512i high[8];
    __m512i half_words[4];
    load_words4(b, 16, half_words);
    for (int k = 0; k < 4; ++k) high[k] = half_words[k];
    load_words4(b, 32, half_words);
    for (int k = 0; k < 4; ++k) high[4 + k] = half_words[k];
    for (int half = 0; half < 2; ++half) {
      unpack_nibbles64(b, 48, half, to, [&](__m512i q, int block, int quad) {
        const auto turn = _mm512_set1_epi32(block + 28);
        return and_or(_mm512_rorv_epi32(high[quad], turn), _mm512_set1_epi8(16), q);
      });
    }
  }
};

struct Q6_K {
  static constexpr int kValues = 256, kBytes = 210;
  static constexpr bool kOffset = false;
  static constexpr int kZero = 32, kColumnsOfScale = 16;
  [[gnu::always_inline]] static void decode(const uint8_t* b, Run& run) {
    const __m512i first =
        _mm512_setr_epi32(0, 4, 8, 12, 0, 4, 8, 12, 16, 20, 24, 28, 16, 20, 24, 28);
    const __m512i shift = _mm512_setr_epi32(0, 0, 0, 0, 4, 4, 4, 4, 0, 0, 0, 0, 4, 4, 4, 4);
    // Crumb (g % 8) / 2 of the group's bytes is rotated to bits 4 and 5.
    const __m512i high_first =
        _mm512_setr_epi32(0, 4, 0, 4, 0, 4, 0, 4, 8, 12, 8, 12, 8, 12, 8, 12);
    const __m512i turn = _mm512_setr_epi32(-4, -4, -2, -2, 0, 0, 2, 2, -4, -4, -2, -2, 0, 0, 2, 2);
    const __m512i low0 = load64(b);
    const __m512i low1 = load64(b + 64);
    const __m512i high = load64(b + 128);
    for (int t = 0; t < 4; ++t) {
      const __m512i both = _mm512_permutex2var_epi32(low0, plus(first, t), low1);
      const __m512i low = _mm512_and_si512(_mm512_srlv_epi32(both, shift), _mm512_set1_epi8(15));
      const __m512i bits =
          _mm512_rorv_epi32(_mm512_permutexvar_epi32(plus(high_first, t), high), turn);
      run.q[t] = and_or(bits, _mm512_set1_epi8(0x30), low);
    }
    const __m128i scales = _mm_loadu_si128(reinterpret_cast<const __m128i*>(b + 192));
    run.scale =
        _mm512_mul_ps(broadcast_half(b + 208), _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(scales)));
    run.offset = _mm512_setzero_ps();
  }
  // Codes less 32, plus the 128 of a signed format's panel.
  [[gnu::always_inline]] static void unpack_sixteen(SixteenBlocks b, const PanelHalf& to) {
    const uint8_t* tails[16];
    for (int r = 0; r < 16; ++r) tails[r] = b[r] + 194;  // 14 scales and d
    __m512i words[4];
    load_words4(tails, 0, words);
    const __m512 d = high_halves(words[3]);
    __m512i scales[4];
    load_words4(b, 192, scales);
    for (int g = 0; g < 16; ++g) {
      const __m512i top = _mm512_slli_epi32(scales[g / 4], static_cast<unsigned>(24 - 8 * (g % 4)));
      const __m512 scale = _mm512_cvtepi32_ps(_mm512_srai_epi32(top, 24));
      to.store_scale(g, _mm512_mul_ps(d, scale), 2);
    }
    __m512i high[16];
    load_words16(b, 128, high);
    for (int half = 0; half < 2; ++half) {
      __m512i low[16];
      load_words16(b, 64 * half, low);
      for (int k = 0; k < 8; ++k) {
        const __m512i h = high[8 * half + k];
        const auto store = [&](int block, __m512i nibbles, __m512i crumbs) {
          to.store_q(8 * (4 * half + block) + k,
                     add_bytes(_mm512_or_si512(nibbles, crumbs), 128 - 32));
        };
        const __m512i three = _mm512_set1_epi8(0x30);
        store(0, low_nibbles(low[k]), _mm512_and_si512(_mm512_slli_epi32(h, 4), three));
        store(1, low_nibbles(low[8 + k]), _mm512_and_si512(_mm512_slli_epi32(h, 2), three));
        store(2, high_nibbles(low[k]), _mm512_and_si512(h, three));
        store(3, high_nibbles(low[8 + k]), take_bits(h, 2, 0x30));
      }
    }
  }
};

// The bytes of quarters of 2-bit codes where 128 values share 32 bytes, and how far each lane's
// codes are shifted in them; `b` points at the 64 bytes of a run.
[[gnu::always_inline]] inline void pick_crumbs128(const uint8_t* b, __m512i out[4]) {
  const __m512i first = _mm512_setr_epi32(0, 4, 0, 4, 0, 4, 0, 4, 8, 12, 8, 12, 8, 12, 8, 12);
  const __m512i codes = load64(b);
  for (int t = 0; t < 4; ++t) out[t] = _mm512_permutexvar_epi32(plus(first, t), codes);
}
[[gnu::always_inline]] inline __m512i shifts_of_crumbs128() {
  return _mm512_setr_epi32(0, 0, 2, 2, 4, 4, 6, 6, 0, 0, 2, 2, 4, 4, 6, 6);
}

struct Q2_K {
  static constexpr int kValues = 256, kBytes = 84;
  static constexpr bool kOffset = true;
  static constexpr int kZero = 0, kColumnsOfScale = 16;
  [[gnu::always_inline]] static __m512i raised() { return shifts_of_crumbs128(); }
  [[gnu::always_inline]] static void decode(const uint8_t* b, Run& run) {
    pick_crumbs128(b + 16, run.q);
    const __m512i codes = _mm512_sllv_epi32(_mm512_set1_epi8(3), raised());
    for (auto& q : run.q) q = _mm512_and_si512(q, codes);
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(b));
    const __m512i pairs = _mm512_cvtepu8_epi32(bytes);
    const __m512i scales = _mm512_and_si512(pairs, _mm512_set1_epi32(15));
    const __m512i minima = _mm512_srli_epi32(pairs, 4);
    run.scale = _mm512_mul_ps(broadcast_half(b + 80), _mm512_cvtepi32_ps(scales));
    run.offset = _mm512_mul_ps(_mm512_xor_ps(broadcast_half(b + 82), _mm512_set1_ps(-0.0f)),
                               _mm512_cvtepi32_ps(minima));
  }
};

struct Q3_K {
  static constexpr int kValues = 256, kBytes = 110;
  static constexpr bool kOffset = false;
  static constexpr int kZero = 4, kColumnsOfScale = 16;
  // 16 scales of 6 bits, less 32: low nibbles in 8 bytes, high crumbs in 4.
  [[gnu::always_inline]] static __m512 scales(const uint8_t* b) {
    const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(b));
    const __m128i nibbles = _mm_unpacklo_epi64(bytes, _mm_srli_epi16(bytes, 4));
    const __m128i crumbs = _mm_srlv_epi32(_mm_set1_epi32(static_cast<int>(load_u32(b + 8))),
                                          _mm_setr_epi32(0, 2, 4, 6));
    const __m128i low = _mm_and_si128(nibbles, _mm_set1_epi8(15));
    const __m128i high = _mm_slli_epi16(_mm_and_si128(crumbs, _mm_set1_epi8(3)), 4);
    const __m128i six = _mm_sub_epi8(_mm_or_si128(low, high), _mm_set1_epi8(32));
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(six));
  }
  [[gnu::always_inline]] static void decode(const uint8_t* b, Run& run) {
    pick_crumbs128(b + 32, run.q);
    // Bit g / 2 of the group's bytes is rotated to bit 2.
    const __m512i half =
        _mm512_slli_epi32(_mm512_and_si512(lane_numbers(), _mm512_set1_epi32(1)), 2);
    const __m512i turn =
        _mm512_sub_epi32(_mm512_srli_epi32(lane_numbers(), 1), _mm512_set1_epi32(2));
    const __m512i third =
        _mm512_castsi256_si512(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(b)));
    const __m512i four = _mm512_set1_epi8(4);
    for (int t = 0; t < 4; ++t) {
      const __m512i bits = _mm512_rorv_epi32(_mm512_permutexvar_epi32(plus(half, t), third), turn);
      const __m512i low = _mm512_srlv_epi32(run.q[t], shifts_of_crumbs128());
      run.q[t] = and_or(bits, four, _mm512_and_si512(low, _mm512_set1_epi8(3)));
    }
    run.scale = _mm512_mul_ps(broadcast_half(b + 108), scales(b + 96));
    run.offset = _mm512_setzero_ps();
  }
};

struct IQ4_XS {
  static constexpr int kValues = 256, kBytes = 136;
  static constexpr bool kOffset = false;
  static constexpr int kZero = 128, kColumnsOfScale = 32;
  // A scale of 6 bits, less 32, for each two groups: low nibbles in 4 bytes, high crumbs in 2.
  [[gnu::always_inline]] static __m512 scales(const uint8_t* b) {
    const __m512i block = _mm512_srli_epi32(lane_numbers(), 1);
    const __m512i nibbles = _mm512_srlv_epi32(_mm512_set1_epi32(static_cast<int>(load_u32(b + 2))),
                                              _mm512_slli_epi32(block, 2));
    const __m512i crumbs =
        _mm512_srlv_epi32(_mm512_set1_epi32(b[0] | b[1] << 8), _mm512_slli_epi32(block, 1));
    const __m512i low = _mm512_and_si512(nibbles, _mm512_set1_epi32(15));
    const __m512i six = and_or(_mm512_slli_epi32(crumbs, 4), _mm512_set1_epi32(0x30), low);
    return _mm512_cvtepi32_ps(_mm512_sub_epi32(six, _mm512_set1_epi32(32)));
  }
  [[gnu::always_inline]] static void decode(const uint8_t* b, Run& run) {
    split_nibbles32(load64(b + 8), load64(b + 72), run.q);
    const __m512i values = add_bytes(iq4_values(), kZero);
    for (auto& q : run.q) q = _mm512_shuffle_epi8(values, q);
    run.scale = _mm512_mul_ps(broadcast_half(b), scales(b + 2));
    run.offset = _mm512_setzero_ps();
  }
};

}  // namespace
}  // namespace minke::avx512
