#pragma once

#include "math/kernels/avx512/panel.h"

// Unpacking 16 rows at once, a row in each lane: what is stored is transposed before it is taken
// apart, which is half of the work for codes of four bits. Formats that have no unpack_sixteen here
// go through unpack_panel of panel.h.

namespace minke::avx512 {
namespace {

// Where the blocks of 16 rows begin that are unpacked together.
using SixteenBlocks = const uint8_t* const (&)[16];

// Where the results go: 16 rows (a half) of a panel, from block `block` on.
struct PanelHalf {
  Panel& panel;
  int block;
  int first_row;

  [[gnu::always_inline]] void store_q(int quad, __m512i codes) const {
    _mm512_store_si512(panel.q[block + quad / kQuads][quad % kQuads][first_row], codes);
  }
  // Factors of the `index`-th group of columns of this block that shares one, each of `groups` in
  // 32 columns.
  [[gnu::always_inline]] void store_scale(int index, __m512 scale, int groups = 1) const {
    _mm512_store_ps(panel.scale[groups * block + index] + first_row, scale);
  }
  [[gnu::always_inline]] void store_offset(int index, __m512 offset, int groups = 1) const {
    _mm512_store_ps(panel.offset[groups * block + index] + first_row, offset);
  }
};

// Four 32-bit words of each row, `offset` bytes into its block: lane r of out[k] is word k of row
// r.
[[gnu::always_inline]] inline void load_words4(SixteenBlocks b, int offset, __m512i (&out)[4]) {
  __m512i rows[4];
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) {
    const auto load = [&](int r) {
      return _mm_loadu_si128(reinterpret_cast<const __m128i*>(b[r] + offset));
    };
    rows[j] = _mm512_castsi128_si512(load(j));
    rows[j] = _mm512_inserti32x4(rows[j], load(j + 4), 1);
    rows[j] = _mm512_inserti32x4(rows[j], load(j + 8), 2);
    rows[j] = _mm512_inserti32x4(rows[j], load(j + 12), 3);
  }
  const __m512i a = _mm512_unpacklo_epi32(rows[0], rows[1]);
  const __m512i c = _mm512_unpackhi_epi32(rows[0], rows[1]);
  const __m512i d = _mm512_unpacklo_epi32(rows[2], rows[3]);
  const __m512i e = _mm512_unpackhi_epi32(rows[2], rows[3]);
  out[0] = _mm512_unpacklo_epi64(a, d);
  out[1] = _mm512_unpackhi_epi64(a, d);
  out[2] = _mm512_unpacklo_epi64(c, e);
  out[3] = _mm512_unpackhi_epi64(c, e);
}

// 16 words of each row: lane r of out[k] is word k of row r.
[[gnu::always_inline]] inline void load_words16(SixteenBlocks b, int offset, __m512i (&out)[16]) {
#pragma GCC unroll 16
  for (int r = 0; r < 16; ++r) out[r] = _mm512_loadu_si512(b[r] + offset);
  transpose16(out);
}

// The half in the low, or after a shift in the high 16 bits of each lane.
[[gnu::always_inline]] inline __m512 low_halves(__m512i words) {
  return _mm512_cvtph_ps(_mm512_cvtepi32_epi16(words));
}
[[gnu::always_inline]] inline __m512 high_halves(__m512i words) {
  return low_halves(_mm512_srli_epi32(words, 16));
}

[[gnu::always_inline]] inline __m512i low_nibbles(__m512i v) {
  return _mm512_and_si512(v, _mm512_set1_epi8(15));
}
[[gnu::always_inline]] inline __m512i high_nibbles(__m512i v) {
  return low_nibbles(_mm512_srli_epi32(v, 4));
}

// Byte `i` of each lane, times `factor`.
[[gnu::always_inline]] inline __m512 byte_times(__m512i bytes, int i, __m512 factor) {
  const __m512i byte = _mm512_and_si512(_mm512_srli_epi32(bytes, static_cast<unsigned>(8 * i)),
                                        _mm512_set1_epi32(255));
  return _mm512_mul_ps(factor, _mm512_cvtepi32_ps(byte));
}

// d, dmin and the six-bit scales and minima of Q4_K and Q5_K.
[[gnu::always_inline]] inline void unpack_six_bits(SixteenBlocks b, const PanelHalf& to) {
  __m512i words[4];
  load_words4(b, 0, words);
  const __m512 d = low_halves(words[0]);
  const __m512 minus_dmin = _mm512_xor_ps(high_halves(words[0]), _mm512_set1_ps(-0.0f));
  const __m512i six = _mm512_set1_epi8(0x3f);
  const __m512i two = _mm512_set1_epi8(0x30);
  const auto high_parts = [&](__m512i nibbles, __m512i word) {
    return _mm512_or_si512(nibbles, _mm512_and_si512(_mm512_srli_epi32(word, 2), two));
  };
  const __m512i scales[2] = {_mm512_and_si512(words[1], six),
                             high_parts(low_nibbles(words[3]), words[1])};
  const __m512i minima[2] = {_mm512_and_si512(words[2], six),
                             high_parts(high_nibbles(words[3]), words[2])};
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) {
    to.store_scale(i, byte_times(scales[i / 4], i % 4, d));
    to.store_offset(i, byte_times(minima[i / 4], i % 4, minus_dmin));
  }
}

// Codes of four bits where 64 values share 32 bytes (first 32 values low, others high nibble), one
// half of a block of 256. `fifth` makes the code's other bits: fifth(block of 32, quad of it).
template <typename Fifth>
[[gnu::always_inline]] inline void unpack_nibbles64(SixteenBlocks b, int offset, int half,
                                                    const PanelHalf& to, const Fifth& fifth) {
  __m512i words[16];
  load_words16(b, offset + 64 * half, words);
#pragma GCC unroll 16
  for (int k = 0; k < 16; ++k) {
    const int block = 4 * half + k / 8 * 2;
    const int quad = k % 8;
    to.store_q(8 * block + quad, fifth(low_nibbles(words[k]), block, quad));
    to.store_q(8 * block + 8 + quad, fifth(high_nibbles(words[k]), block + 1, quad));
  }
}

// Codes of four bits where 32 values share 16 bytes (first 16 values low, others high nibble).
// change(codes, quad) makes of them what the panel holds.
template <typename Change>
[[gnu::always_inline]] inline void unpack_nibbles32(SixteenBlocks b, int offset,
                                                    const PanelHalf& to, const Change& change) {
  __m512i words[4];
  load_words4(b, offset, words);
#pragma GCC unroll 4
  for (int k = 0; k < 4; ++k) {
    to.store_q(k, change(low_nibbles(words[k]), k));
    to.store_q(4 + k, change(high_nibbles(words[k]), 4 + k));
  }
}

// Bits 4k..4k+3 of each lane to bit 4 of the bytes of the lane.
[[gnu::always_inline]] inline __m512i fifth_bits(__m512i bits, int quad) {
  const __m512i four = _mm512_and_si512(_mm512_srli_epi32(bits, static_cast<unsigned>(4 * quad)),
                                        _mm512_set1_epi32(15));
  // Four copies, seven bits apart, bring bit i to the lowest bit of byte i.
  const __m512i copies = _mm512_mullo_epi32(four, _mm512_set1_epi32(0x00204081));
  return _mm512_slli_epi32(_mm512_and_si512(copies, _mm512_set1_epi32(0x01010101)), 4);
}

[[gnu::always_inline]] inline __m512i take_bits(__m512i v, int shift, int mask) {
  return _mm512_and_si512(_mm512_srli_epi32(v, static_cast<unsigned>(shift)),
                          _mm512_set1_epi8(static_cast<char>(mask)));
}

// Columns [first, first + columns) of `row_count` rows, by Format::unpack_sixteen.
template <typename Format>
void unpack_panel_by_sixteen(const uint8_t* rows, int64_t row_stride, int row_count, int64_t first,
                             int64_t columns, Panel& panel) {
  for (int first_row = 0; first_row < row_count; first_row += 16) {
    const uint8_t* blocks[16];
    for (int r = 0; r < 16; ++r) {
      // Rows that are missing repeat the last one.
      const int row = first_row + r < row_count ? first_row + r : row_count - 1;
      blocks[r] = rows + row * row_stride + first / Format::kValues * Format::kBytes;
    }
    for (int64_t i = 0; i < columns; i += Format::kValues) {
      Format::unpack_sixteen(blocks,
                             PanelHalf{panel, static_cast<int>(i / kActivationBlock), first_row});
      for (auto& block : blocks) block += Format::kBytes;
    }
  }
}

}  // namespace
}  // namespace minke::avx512
