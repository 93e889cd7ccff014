#pragma once

#include "math/kernels/avx512/run.h"

// Words of runs of blocks of 32 values, picked out of their bytes.

namespace minke::avx512 {
namespace {

// The bytes of a run of blocks, in three vectors; zero beyond the last block. Reading them whole
// and picking words out of them takes fewer instructions than a load for each field of each block.
template <int kBytes>
struct RunBytes {
  [[gnu::always_inline]] explicit RunBytes(const Blocks<kBytes>& b) {
    static_assert(8 * kBytes <= 192);
    const int bytes = (b.last + 1) * kBytes;
#pragma GCC unroll 3
    for (int i = 0; i < 3; ++i) {
      const int rest = bytes - 64 * i;
      const __mmask64 there = rest >= 64  ? ~__mmask64{0}
                              : rest <= 0 ? __mmask64{0}
                                          : (__mmask64{1} << rest) - 1;
      part[i] = _mm512_maskz_loadu_epi8(there, b.first + 64 * i);
    }
  }
  __m512i part[3];
};

// Which words of a run go where, for RunBytes::pick: an index from 0 for each.
template <typename Word>
struct Picks {
  static constexpr int kCount = 64 / sizeof(Word);
  alignas(64) Word index[kCount];
};

// Lane g of 32 bits gets the 32-bit word `word` of its block, of `per_block` such words.
constexpr Picks<int32_t> picks32(int per_block, int word) {
  Picks<int32_t> p{};
  for (int g = 0; g < 16; ++g) p.index[g] = g / 2 * per_block + word;
  return p;
}
// Lane g of 32 bits gets the 16-bit words `word` and `word` + 1 of its block.
constexpr Picks<int16_t> picks16(int per_block, int word) {
  Picks<int16_t> p{};
  for (int i = 0; i < 32; ++i) {
    p.index[i] = static_cast<int16_t>(i / 4 * per_block + word + i % 2);
  }
  return p;
}
// Lane g of 16 bits gets the 16-bit word `word` of its block, or the one after it if g is odd and
// `step` is 1.
constexpr Picks<int16_t> picks16_each(int per_block, int word, int step) {
  Picks<int16_t> p{};
  for (int g = 0; g < 16; ++g) {
    p.index[g] = static_cast<int16_t>(g / 2 * per_block + word + g % 2 * step);
  }
  return p;
}

template <int kBytes>
[[gnu::always_inline]] inline __m512i pick(const RunBytes<kBytes>& run, const Picks<int32_t>& p) {
  const __m512i index = _mm512_load_si512(p.index);
  const __m512i low = _mm512_permutex2var_epi32(run.part[0], index, run.part[1]);
  const __mmask16 third = _mm512_cmpgt_epi32_mask(index, _mm512_set1_epi32(31));
  return _mm512_mask_permutexvar_epi32(low, third, index, run.part[2]);
}

template <int kBytes>
[[gnu::always_inline]] inline __m512i pick(const RunBytes<kBytes>& run, const Picks<int16_t>& p) {
  const __m512i index = _mm512_load_si512(p.index);
  const __m512i low = _mm512_permutex2var_epi16(run.part[0], index, run.part[1]);
  const __mmask32 third = _mm512_cmpgt_epi16_mask(index, _mm512_set1_epi16(63));
  return _mm512_mask_permutexvar_epi16(low, third, index, run.part[2]);
}

// Quarters of the codes of a run whose blocks, in words of type Word, hold them from word kFirst
// on: 32 values in 16 bytes, first 16 values low, others high nibble.
template <typename Word, int kFirst, int kBytes>
[[gnu::always_inline]] inline void pick_nibbles(const RunBytes<kBytes>& run, __m512i out[4]) {
  const __m512i shift = _mm512_setr_epi32(0, 4, 0, 4, 0, 4, 0, 4, 0, 4, 0, 4, 0, 4, 0, 4);
  const auto quarter = [&](const auto& picks) {
    return _mm512_and_si512(_mm512_srlv_epi32(pick(run, picks), shift), _mm512_set1_epi8(15));
  };
  if constexpr (sizeof(Word) == 4) {
    static constexpr Picks<int32_t> kPicks[4] = {
        picks32(kBytes / 4, kFirst), picks32(kBytes / 4, kFirst + 1),
        picks32(kBytes / 4, kFirst + 2), picks32(kBytes / 4, kFirst + 3)};
#pragma GCC unroll 4
    for (int t = 0; t < 4; ++t) out[t] = quarter(kPicks[t]);
  } else {
    static constexpr Picks<int16_t> kPicks[4] = {
        picks16(kBytes / 2, kFirst), picks16(kBytes / 2, kFirst + 2),
        picks16(kBytes / 2, kFirst + 4), picks16(kBytes / 2, kFirst + 6)};
#pragma GCC unroll 4
    for (int t = 0; t < 4; ++t) out[t] = quarter(kPicks[t]);
  }
}

// The half at 16-bit word kWord of each block, for the two groups of its block.
template <int kWord, int kBytes>
[[gnu::always_inline]] inline __m512 pick_halves(const RunBytes<kBytes>& run) {
  static constexpr Picks<int16_t> kPicks = picks16_each(kBytes / 2, kWord, 0);
  return _mm512_cvtph_ps(_mm512_castsi512_si256(pick(run, kPicks)));
}

// 32 bits from 16-bit word kWord of each block on; lane g gets the 16 bits of group g.
template <int kWord, int kBytes>
[[gnu::always_inline]] inline __m512i pick_bits(const RunBytes<kBytes>& run) {
  static constexpr Picks<int16_t> kPicks = picks16_each(kBytes / 2, kWord, 1);
  return _mm512_cvtepu16_epi32(_mm512_castsi512_si256(pick(run, kPicks)));
}

}  // namespace
}  // namespace minke::avx512
