#pragma once

#include "math/kernels/avx512/panel.h"
#include "math/kernels/avx512/product.h"
#include "math/kernels/avx512/run.h"
#include "math/kernels/avx512/run_bytes.h"
#include "math/kernels/avx512/sixteen.h"

// Formats with blocks of 32 values, eight blocks at a time. Layouts: scalar/unpack_blocks32.cc.

namespace minke::avx512 {
namespace {

// 16 bytes from each of eight blocks, `offset` bytes into it.
template <int kBytes>
[[gnu::always_inline]] inline void load_codes(const Blocks<kBytes>& b, int offset, __m512i& low,
                                              __m512i& high) {
  const auto load = [&](int k) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(b[k] + offset));
  };
  const auto join = [](__m128i p, __m128i q, __m128i r, __m128i s) {
    return _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_set_m128i(q, p)),
                              _mm256_set_m128i(s, r), 1);
  };
  low = join(load(0), load(1), load(2), load(3));
  high = join(load(4), load(5), load(6), load(7));
}

// A half from each of eight blocks, each for the two groups of its block.
template <int kBytes>
[[gnu::always_inline]] inline __m512 load_halves(const Blocks<kBytes>& b, int offset) {
  const auto load = [&](int k) {
    uint16_t h;
    __builtin_memcpy(&h, b[k] + offset, sizeof h);
    return static_cast<int16_t>(h);
  };
  const __m128i halves =
      _mm_setr_epi16(load(0), load(1), load(2), load(3), load(4), load(5), load(6), load(7));
  const __m512i twice = _mm512_srli_epi32(lane_numbers(), 1);
  return _mm512_permutexvar_ps(twice, _mm512_castps256_ps512(_mm256_cvtph_ps(halves)));
}

// Which bytes of quarter t have their bit set in `bits` (lane g: 16 bits of group g).
[[gnu::always_inline]] inline __mmask64 bits_of_quarter(__m512i bits, int t) {
  // Each byte of a lane gets the byte of the 16 bits that its own bit is in.
  const __m512i spread = _mm512_broadcast_i32x4(
      _mm_add_epi8(_mm_setr_epi8(0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12),
                   _mm_set1_epi8(static_cast<char>(t / 2))));
  const __m512i own_bit = _mm512_set1_epi32(t % 2 == 0 ? 0x08040201 : static_cast<int>(0x80402010));
  return _mm512_test_epi8_mask(_mm512_shuffle_epi8(bits, spread), own_bit);
}

struct Q4_0 {
  static constexpr int kValues = 32, kBytes = 18;
  static constexpr bool kOffset = false;
  static constexpr int kZero = 8, kColumnsOfScale = 32;
  [[gnu::always_inline]] static void decode(const Blocks<kBytes>& b, Run& run) {
    const RunBytes<kBytes> bytes(b);
    pick_nibbles<int16_t, 1>(bytes, run.q);
    run.scale = pick_halves<0>(bytes);
    run.offset = _mm512_setzero_ps();
  }
  [[gnu::always_inline]] static void unpack_sixteen(SixteenBlocks b, const PanelHalf& to) {
    __m512i words[4];
    load_words4(b, 0, words);
    to.store_scale(0, low_halves(words[0]));
    unpack_nibbles32(b, 2, to, [](__m512i q, int) { return add_bytes(q, 128 - 8); });
  }
};

struct Q4_1 {
  static constexpr int kValues = 32, kBytes = 20;
  static constexpr bool kOffset = true;
  static constexpr int kZero = 0, kColumnsOfScale = 32;
  [[gnu::always_inline]] static void decode(const Blocks<kBytes>& b, Run& run) {
    const RunBytes<kBytes> bytes(b);
    pick_nibbles<int32_t, 1>(bytes, run.q);
    run.scale = pick_halves<0>(bytes);
    run.offset = pick_halves<1>(bytes);
  }
  [[gnu::always_inline]] static void unpack_sixteen(SixteenBlocks b, const PanelHalf& to) {
    __m512i words[4];
    load_words4(b, 0, words);
    to.store_scale(0, low_halves(words[0]));
    to.store_offset(0, high_halves(words[0]));
    unpack_nibbles32(b, 4, to, [](__m512i q, int) { return q; });
  }
};

struct Q5_0 {
  static constexpr int kValues = 32, kBytes = 22;
  static constexpr bool kOffset = false;
  static constexpr int kZero = 16, kColumnsOfScale = 32;
  [[gnu::always_inline]] static void decode(const Blocks<kBytes>& b, Run& run) {
    const RunBytes<kBytes> bytes(b);
    pick_nibbles<int16_t, 3>(bytes, run.q);
    const __m512i bits = pick_bits<1>(bytes);
    const __m512i sixteen = _mm512_set1_epi8(16);
    for (int t = 0; t < 4; ++t) {
      const __mmask64 set = bits_of_quarter(bits, t);
      run.q[t] = _mm512_mask_add_epi8(run.q[t], set, run.q[t], sixteen);
    }
    run.scale = pick_halves<0>(bytes);
    run.offset = _mm512_setzero_ps();
  }
  [[gnu::always_inline]] static void unpack_sixteen(SixteenBlocks b, const PanelHalf& to) {
    __m512i words[4];
    load_words4(b, 0, words);
    to.store_scale(0, low_halves(words[0]));
    const __m512i bits =
        _mm512_or_si512(_mm512_srli_epi32(words[0], 16), _mm512_slli_epi32(words[1], 16));
    unpack_nibbles32(b, 6, to, [&](__m512i q, int quad) {
      return add_bytes(_mm512_or_si512(q, fifth_bits(bits, quad)), 128 - 16);
    });
  }
};

struct Q5_1 {
  static constexpr int kValues = 32, kBytes = 24;
  static constexpr bool kOffset = true;
  static constexpr int kZero = 0, kColumnsOfScale = 32;
  [[gnu::always_inline]] static void decode(const Blocks<kBytes>& b, Run& run) {
    const RunBytes<kBytes> bytes(b);
    pick_nibbles<int32_t, 2>(bytes, run.q);
    const __m512i bits = pick_bits<2>(bytes);
    const __m512i sixteen = _mm512_set1_epi8(16);
    for (int t = 0; t < 4; ++t) {
      const __mmask64 set = bits_of_quarter(bits, t);
      run.q[t] = _mm512_mask_add_epi8(run.q[t], set, run.q[t], sixteen);
    }
    run.scale = pick_halves<0>(bytes);
    run.offset = pick_halves<1>(bytes);
  }
  [[gnu::always_inline]] static void unpack_sixteen(SixteenBlocks b, const PanelHalf& to) {
    __m512i words[4];
    load_words4(b, 0, words);
    to.store_scale(0, low_halves(words[0]));
    to.store_offset(0, high_halves(words[0]));
    unpack_nibbles32(b, 8, to, [&](__m512i q, int quad) {
      return _mm512_or_si512(q, fifth_bits(words[1], quad));
    });
  }
};

struct Q8_0 {
  static constexpr int kValues = 32, kBytes = 34;
  static constexpr bool kOffset = false;
  static constexpr int kZero = 128, kColumnsOfScale = 32;
  [[gnu::always_inline]] static void decode(const Blocks<kBytes>& b, Run& run) {
    const auto load = [&](int k) {
      return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b[k] + 2));
    };
    __m512i natural[4];
    for (int k = 0; k < 4; ++k) {
      natural[k] = _mm512_inserti64x4(_mm512_castsi256_si512(load(2 * k)), load(2 * k + 1), 1);
    }
    interleave(natural, run.q);
    for (auto& q : run.q) q = add_bytes(q, kZero);
    run.scale = load_halves(b, 0);
    run.offset = _mm512_setzero_ps();
  }
  [[gnu::always_inline]] static void unpack_sixteen(SixteenBlocks b, const PanelHalf& to) {
    __m512i words[4];
    load_words4(b, 0, words);
    to.store_scale(0, low_halves(words[0]));
    for (int half = 0; half < 2; ++half) {
      load_words4(b, 2 + 16 * half, words);
      for (int k = 0; k < 4; ++k) to.store_q(4 * half + k, add_bytes(words[k], 128));
    }
  }
};

struct IQ4_NL {
  static constexpr int kValues = 32, kBytes = 18;
  static constexpr bool kOffset = false;
  static constexpr int kZero = 128, kColumnsOfScale = 32;
  [[gnu::always_inline]] static void decode(const Blocks<kBytes>& b, Run& run) {
    const RunBytes<kBytes> bytes(b);
    pick_nibbles<int16_t, 1>(bytes, run.q);
    const __m512i values = add_bytes(iq4_values(), kZero);
    for (auto& q : run.q) q = _mm512_shuffle_epi8(values, q);
    run.scale = pick_halves<0>(bytes);
    run.offset = _mm512_setzero_ps();
  }
  [[gnu::always_inline]] static void unpack_sixteen(SixteenBlocks b, const PanelHalf& to) {
    __m512i words[4];
    load_words4(b, 0, words);
    to.store_scale(0, low_halves(words[0]));
    const __m512i values = add_bytes(iq4_values(), kZero);
    unpack_nibbles32(b, 2, to, [&](__m512i q, int) { return _mm512_shuffle_epi8(values, q); });
  }
};

struct MXFP4 {
  static constexpr int kValues = 32, kBytes = 17;
  static constexpr bool kOffset = false;
  static constexpr int kZero = 16, kColumnsOfScale = 32;
  // 2^(e - 128) for the exponent of each block, twice.
  [[gnu::always_inline]] static __m512 scales(const Blocks<kBytes>& b) {
    const auto e = [&](int k) { return static_cast<int32_t>(b[k][0]); };
    const __m256i exponents = _mm256_setr_epi32(e(0), e(1), e(2), e(3), e(4), e(5), e(6), e(7));
    const __m256i normal = _mm256_slli_epi32(_mm256_sub_epi32(exponents, _mm256_set1_epi32(1)), 23);
    const __m256i subnormal = _mm256_sllv_epi32(_mm256_set1_epi32(0x00200000), exponents);
    const __mmask8 small = _mm256_cmplt_epi32_mask(exponents, _mm256_set1_epi32(2));
    const __m256i bits = _mm256_mask_mov_epi32(normal, small, subnormal);
    const __m512i twice = _mm512_srli_epi32(lane_numbers(), 1);
    return _mm512_castsi512_ps(_mm512_permutexvar_epi32(twice, _mm512_castsi256_si512(bits)));
  }
  [[gnu::always_inline]] static void decode(const Blocks<kBytes>& b, Run& run) {
    const __m512i doubled = _mm512_broadcast_i32x4(
        _mm_setr_epi8(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12));
    __m512i low, high;
    load_codes(b, 1, low, high);
    split_nibbles32(low, high, run.q);
    const __m512i values = add_bytes(doubled, kZero);
    for (auto& q : run.q) q = _mm512_shuffle_epi8(values, q);
    run.scale = scales(b);
    run.offset = _mm512_setzero_ps();
  }
};

}  // namespace
}  // namespace minke::avx512
