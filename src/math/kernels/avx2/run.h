#pragma once

#include <immintrin.h>

#include "math/kernels/avx2/avx2.h"

// What the unpackers share. A format is a struct with
//   kValues (values of a block), kBytes (bytes of a block),
//   kColumnsOfScale (values that share a scale), kOffset (whether it has offsets),
//   kSigned, kZero, kLargest: decode gives codes q + kZero, of at most kLargest in absolute value
//     and none negative unless kSigned; kZero is 0 or a power of two,
//   decode(block, Run&) if a block has 256 values, decode(Blocks<kBytes>, Run&) if it has 32.

namespace minke::avx2 {
namespace {

// One run of 16 groups in two halves of eight. Lane g of q[t][h] holds values 4t..4t+3 of group
// 8h + g; lane g of scale[h] and offset[h] belong to that group.
struct Run {
  __m256i q[4][2];
  __m256 scale[2];
  __m256 offset[2];
};

[[gnu::always_inline]] inline __m128i load16(const void* p) {
  return _mm_loadu_si128(static_cast<const __m128i*>(p));
}
[[gnu::always_inline]] inline __m256i load32(const void* p) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(p));
}
[[gnu::always_inline]] inline void store16(void* p, __m128i v) {
  _mm_storeu_si128(static_cast<__m128i*>(p), v);
}
[[gnu::always_inline]] inline void store32(void* p, __m256i v) {
  _mm256_storeu_si256(static_cast<__m256i*>(p), v);
}

// The eight blocks of a run of 32-value blocks. A row may end within a run: the last block that it
// has then stands in for the missing ones, whose groups are dropped when the run is stored.
template <int kBytes>
struct Blocks {
  const uint8_t* first;
  int last = 7;
  const uint8_t* operator[](int k) const { return first + (k < last ? k : last) * kBytes; }
};

// Decodes the run at `row`, of which `values` are there, leaving q + kZero in its q.
template <typename Format>
[[gnu::always_inline]] inline void decode_codes(const uint8_t* row, int64_t values, Run& run) {
  if constexpr (Format::kValues == kRun) {
    Format::decode(row, run);
  } else {
    Format::decode(Blocks<Format::kBytes>{row, static_cast<int>(values / Format::kValues) - 1},
                   run);
  }
}

// The same with q itself.
template <typename Format>
[[gnu::always_inline]] inline void decode_run(const uint8_t* row, int64_t values, Run& run) {
  decode_codes<Format>(row, values, run);
  if constexpr (Format::kZero != 0) {
    for (auto& quarter : run.q) {
      for (auto& q : quarter) q = _mm256_sub_epi8(q, _mm256_set1_epi8(Format::kZero));
    }
  }
}

[[gnu::always_inline]] inline float f16_at(const uint8_t* p) {
  uint16_t h;
  __builtin_memcpy(&h, p, sizeof h);
  return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(h)));
}

// In each half: lane t of register k becomes lane k of register t.
[[gnu::always_inline]] inline void transpose(const __m256i in[4], __m256i out[4]) {
  const __m256i a = _mm256_unpacklo_epi32(in[0], in[1]);
  const __m256i b = _mm256_unpackhi_epi32(in[0], in[1]);
  const __m256i c = _mm256_unpacklo_epi32(in[2], in[3]);
  const __m256i d = _mm256_unpackhi_epi32(in[2], in[3]);
  out[0] = _mm256_unpacklo_epi64(a, c);
  out[1] = _mm256_unpackhi_epi64(a, c);
  out[2] = _mm256_unpacklo_epi64(b, d);
  out[3] = _mm256_unpackhi_epi64(b, d);
}

// Quarters of eight 16-byte pieces, `offset` bytes into b[0]..b[7], in order.
template <typename Pieces>
[[gnu::always_inline]] inline void load_quarters(const Pieces& b, int offset, __m256i out[4]) {
  __m256i rows[4];
#pragma GCC unroll 4
  for (int k = 0; k < 4; ++k) {
    rows[k] = _mm256_set_m128i(load16(b[k + 4] + offset), load16(b[k] + offset));
  }
  transpose(rows, out);
}

// Turns 256 values in natural order into quarters.
[[gnu::always_inline]] inline void interleave(const uint8_t* natural, Run& run) {
  for (int h = 0; h < 2; ++h) {
    __m256i quarters[4];
    load_quarters(Blocks<kGroup>{natural + 128 * h}, 0, quarters);
    for (int t = 0; t < 4; ++t) run.q[t][h] = quarters[t];
  }
}

// Two registers of 4-bit codes as two of low and two of high nibbles.
[[gnu::always_inline]] inline void split_nibbles(const __m256i both[2], __m256i low[2],
                                                 __m256i high[2]) {
  const __m256i mask = _mm256_set1_epi8(15);
#pragma GCC unroll 2
  for (int i = 0; i < 2; ++i) {
    low[i] = _mm256_and_si256(both[i], mask);
    high[i] = _mm256_and_si256(_mm256_srli_epi32(both[i], 4), mask);
  }
}

// For half `half` of a run: quarters of the 16-byte pieces `offset` bytes into b[4 * half] and the
// three that follow. In the 128-bit lanes 0 | 1: out[0] has quarters 0 and 1 of pieces 0 and 1 | 2
// and 3, as 0.0 1.0 0.1 1.1, and out[1] has quarters 2 and 3.
template <typename Pieces>
[[gnu::always_inline]] inline void load_pairs(const Pieces& b, int offset, int half,
                                              __m256i out[2]) {
  const auto load = [&](int k) { return load16(b[4 * half + k] + offset); };
  const __m256i even = _mm256_set_m128i(load(2), load(0));
  const __m256i odd = _mm256_set_m128i(load(3), load(1));
  out[0] = _mm256_unpacklo_epi32(even, odd);
  out[1] = _mm256_unpackhi_epi32(even, odd);
}

// Quarters of 4-bit codes where 32 values share 16 bytes (first 16 values low, others high nibble).
// The bytes of block k stand at b[k] + offset.
template <int kBytes>
[[gnu::always_inline]] inline void split_nibbles32(const Blocks<kBytes>& b, int offset, Run& run) {
#pragma GCC unroll 2
  for (int h = 0; h < 2; ++h) {
    __m256i both[2], low[2], high[2];
    load_pairs(b, offset, h, both);
    split_nibbles(both, low, high);
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) {
      run.q[2 * i][h] = _mm256_unpacklo_epi32(low[i], high[i]);
      run.q[2 * i + 1][h] = _mm256_unpackhi_epi32(low[i], high[i]);
    }
  }
}

// Replaces codes by the values that a table of 16 gives them.
[[gnu::always_inline]] inline void look_up(__m128i table, Run& run) {
  const __m256i both = _mm256_broadcastsi128_si256(table);
  for (auto& quarter : run.q) {
    for (auto& q : quarter) q = _mm256_shuffle_epi8(both, q);
  }
}

// The 16 values that a 4-bit code stands for in IQ4_NL and IQ4_XS (ggml: kvalues_iq4nl).
[[gnu::always_inline]] inline __m128i iq4_values() {
  return _mm_setr_epi8(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);
}

// Eight factors, each for the two groups of a block of 32 values.
[[gnu::always_inline]] inline void spread_pairs(__m256 factors, __m256 out[2]) {
  out[0] = _mm256_permutevar8x32_ps(factors, _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3));
  out[1] = _mm256_permutevar8x32_ps(factors, _mm256_setr_epi32(4, 4, 5, 5, 6, 6, 7, 7));
}

// factor * (16 signed bytes), one for each group.
[[gnu::always_inline]] inline void scale_bytes(float factor, __m128i bytes, __m256 out[2]) {
  const __m256 f = _mm256_set1_ps(factor);
  out[0] = _mm256_mul_ps(f, _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes)));
  out[1] =
      _mm256_mul_ps(f, _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_unpackhi_epi64(bytes, bytes))));
}

[[gnu::always_inline]] inline void clear_offset(Run& run) {
  run.offset[0] = run.offset[1] = _mm256_setzero_ps();
}

[[gnu::always_inline]] inline void store_full(const Run& run, int8_t* q, float* scale,
                                              float* offset) {
  for (int t = 0; t < 4; ++t) {
    store32(q + 64 * t, run.q[t][0]);
    store32(q + 64 * t + 32, run.q[t][1]);
  }
  for (int h = 0; h < 2; ++h) {
    _mm256_storeu_ps(scale + 8 * h, run.scale[h]);
    _mm256_storeu_ps(offset + 8 * h, run.offset[h]);
  }
}

// Four groups of a quarter, those from `real` on being padding.
[[gnu::always_inline]] inline __m128i four_groups(const __m256i quarter[2], int64_t first,
                                                  int64_t real) {
  const __m256i half = quarter[first / 8];
  const __m128i four =
      first % 8 == 0 ? _mm256_castsi256_si128(half) : _mm256_extracti128_si256(half, 1);
  const __m128i keep =
      _mm_cmpgt_epi32(_mm_set1_epi32(static_cast<int>(real - first)), _mm_setr_epi32(0, 1, 2, 3));
  return _mm_and_si128(four, keep);
}

// Stores the first `groups` groups (a multiple of four), of which those from `real` on are padding.
[[gnu::always_inline]] inline void store_groups(const Run& run, int64_t real, int64_t groups,
                                                int8_t* q, float* scale, float* offset) {
  const __m256i scales[2] = {_mm256_castps_si256(run.scale[0]), _mm256_castps_si256(run.scale[1])};
  const __m256i offsets[2] = {_mm256_castps_si256(run.offset[0]),
                              _mm256_castps_si256(run.offset[1])};
  for (int64_t first = 0; first < groups; first += 4) {
    for (int t = 0; t < 4; ++t) {
      store16(q + 4 * (groups * t + first), four_groups(run.q[t], first, real));
    }
    store16(scale + first, four_groups(scales, first, real));
    store16(offset + first, four_groups(offsets, first, real));
  }
}

template <typename Format>
void unpack_i8(const uint8_t* row, int64_t n, UnpackedRow out) {
  constexpr int kRunBytes = kRun / Format::kValues * Format::kBytes;
  Run run;
  int64_t i = 0;
  for (; i + kRun <= n; i += kRun, row += kRunBytes) {
    decode_run<Format>(row, kRun, run);
    store_full(run, out.q + i, out.scale + i / kGroup, out.offset + i / kGroup);
  }
  if constexpr (Format::kValues < kRun) {
    if (i == n) return;
    decode_run<Format>(row, n - i, run);
    store_groups(run, (n - i) / kGroup, (padded_columns(n) - i) / kGroup, out.q + i,
                 out.scale + i / kGroup, out.offset + i / kGroup);
  }
}

// Writes the first `groups` groups of a run as floats in natural order.
[[gnu::always_inline]] inline void store_floats(const Run& run, int64_t groups, float* out) {
  int8_t natural[kRun];
  float scale[16];
  float offset[16];
  for (int h = 0; h < 2; ++h) {
    const __m256i quarters[4] = {run.q[0][h], run.q[1][h], run.q[2][h], run.q[3][h]};
    __m256i pieces[4];  // register k: groups k and k + 4 of the half
    transpose(quarters, pieces);
    for (int k = 0; k < 4; ++k) {
      int8_t* first = natural + 128 * h + 16 * k;
      _mm_storeu_si128(reinterpret_cast<__m128i*>(first), _mm256_castsi256_si128(pieces[k]));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(first + 64),
                       _mm256_extracti128_si256(pieces[k], 1));
    }
    _mm256_storeu_ps(scale + 8 * h, run.scale[h]);
    _mm256_storeu_ps(offset + 8 * h, run.offset[h]);
  }
  for (int64_t i = 0; i < groups * kGroup; i += 8) {
    const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(natural + i));
    const __m256 values = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes));
    const __m256 scaled = _mm256_mul_ps(_mm256_set1_ps(scale[i / kGroup]), values);
    _mm256_storeu_ps(out + i, _mm256_add_ps(scaled, _mm256_set1_ps(offset[i / kGroup])));
  }
}

template <typename Format>
void unpack_f32(const uint8_t* row, int64_t n, float* out) {
  constexpr int kRunBytes = kRun / Format::kValues * Format::kBytes;
  Run run;
  int64_t i = 0;
  for (; i + kRun <= n; i += kRun, row += kRunBytes) {
    decode_run<Format>(row, kRun, run);
    store_floats(run, kRun / kGroup, out + i);
  }
  if constexpr (Format::kValues < kRun) {
    if (i == n) return;
    decode_run<Format>(row, n - i, run);
    store_floats(run, (n - i) / kGroup, out + i);
  }
}

}  // namespace
}  // namespace minke::avx2
