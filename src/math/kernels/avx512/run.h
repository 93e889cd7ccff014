#pragma once

#include "math/kernels/avx512/avx512.h"
#include "math/kernels/avx512/intrinsics.h"

// What the unpackers share. A format is a struct with
//   kValues (values of a block), kBytes (bytes of a block),
//   kZero: decode gives codes q + kZero, none of them negative; 0 or a power of two up to 128,
//   kOffset (it has offsets; kZero is 0 then), kColumnsOfScale (values that share a scale: 16, 32),
//   decode(block, Run&) if a block has 256 values, decode(Blocks<kBytes>, Run&) if it has 32,
//   raised() if decode leaves codes shifted to the left, by as many bits in each lane; kZero is 0,
//   and, where prompts are to be fast, unpack_sixteen(SixteenBlocks, PanelHalf) of sixteen.h.

namespace minke::avx512 {
namespace {

// One run of 16 groups. Lane g of q[t] holds values 4t..4t+3 of group g, lane g of scale and offset
// belong to group g.
struct Run {
  __m512i q[4];
  __m512 scale;
  __m512 offset;
};

[[gnu::always_inline]] inline __mmask16 first_lanes(int count) {
  return static_cast<__mmask16>((1u << count) - 1);
}

// Those of 16 values from i on that exist in a row of n.
[[gnu::always_inline]] inline __mmask16 lanes_at(int64_t i, int64_t n) {
  if (i >= n) return 0;
  return n - i >= 16 ? 0xffff : first_lanes(static_cast<int>(n - i));
}

// Below this a block of values counts as zeros (see scalar/quantize.cc).
constexpr float kTiny = 0x1p-100f;

// The eight blocks of a run of 32-value blocks. A row may end within a run: the last block that it
// has then stands in for the missing ones, whose groups are dropped when the run is stored.
template <int kBytes>
struct Blocks {
  const uint8_t* first;
  int last = 7;
  const uint8_t* operator[](int k) const { return first + (k < last ? k : last) * kBytes; }
};

[[gnu::always_inline]] inline __m512i add_bytes(__m512i v, int bytes) {
  return _mm512_add_epi8(v, _mm512_set1_epi8(static_cast<char>(bytes)));
}

template <typename Format>
constexpr bool kIsRaised = requires {
  Format::raised();
};

// Decodes the run at `row`, of which `values` are there. Codes are raised where the format has
// that.
template <typename Format>
[[gnu::always_inline]] inline void decode_raised_run(const uint8_t* row, int64_t values, Run& run) {
  if constexpr (Format::kValues == kRun) {
    Format::decode(row, run);
  } else {
    Format::decode(Blocks<Format::kBytes>{row, static_cast<int>(values / Format::kValues) - 1},
                   run);
  }
}

[[gnu::always_inline]] inline __m512i lane_numbers() {
  return _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}

// Turns values in natural order (register k: groups 4k..4k+3) into quarters, lane g for group g.
[[gnu::always_inline]] inline void interleave(const __m512i in[4], __m512i out[4]) {
  // Lane 8h + g of `pick` + 2u names quarter 2u + h of group g among eight.
  const __m512i pick = _mm512_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28, 1, 5, 9, 13, 17, 21, 25, 29);
  for (int u = 0; u < 2; ++u) {
    const __m512i index = _mm512_add_epi32(pick, _mm512_set1_epi32(2 * u));
    const __m512i low = _mm512_permutex2var_epi32(in[0], index, in[1]);
    const __m512i high = _mm512_permutex2var_epi32(in[2], index, in[3]);
    out[2 * u] = _mm512_inserti64x4(low, _mm512_castsi512_si256(high), 1);
    out[2 * u + 1] = _mm512_shuffle_i64x2(low, high, 0xee);
  }
}

// Stores the first `groups` groups, of which those from `real` on are padding.
[[gnu::always_inline]] inline void store_groups(const Run& run, int real, int groups, int8_t* q,
                                                float* scale, float* offset) {
  const __mmask16 keep = first_lanes(real);
  const __mmask16 lanes = first_lanes(groups);
  for (int t = 0; t < 4; ++t) {
    _mm512_mask_storeu_epi32(q + 4 * groups * t, lanes, _mm512_maskz_mov_epi32(keep, run.q[t]));
  }
  _mm512_mask_storeu_ps(scale, lanes, _mm512_maskz_mov_ps(keep, run.scale));
  _mm512_mask_storeu_ps(offset, lanes, _mm512_maskz_mov_ps(keep, run.offset));
}

// The same, where codes are q + kZero.
template <typename Format>
[[gnu::always_inline]] inline void decode_run(const uint8_t* row, int64_t values, Run& run) {
  decode_raised_run<Format>(row, values, run);
  if constexpr (kIsRaised<Format>) {
    for (auto& q : run.q) q = _mm512_srlv_epi32(q, Format::raised());
  }
}

// The same, where codes are q.
template <typename Format>
[[gnu::always_inline]] inline void decode_signed_run(const uint8_t* row, int64_t values, Run& run) {
  decode_run<Format>(row, values, run);
  if constexpr (Format::kZero > 0) {
    for (auto& q : run.q) q = add_bytes(q, -Format::kZero);
  }
}

template <typename Format>
void unpack_i8(const uint8_t* row, int64_t n, UnpackedRow out) {
  constexpr int kRunBytes = kRun / Format::kValues * Format::kBytes;
  Run run;
  int64_t i = 0;
  for (; i + kRun <= n; i += kRun, row += kRunBytes) {
    decode_signed_run<Format>(row, kRun, run);
    for (int t = 0; t < 4; ++t) _mm512_storeu_si512(out.q + i + 64 * t, run.q[t]);
    _mm512_storeu_ps(out.scale + i / kGroup, run.scale);
    _mm512_storeu_ps(out.offset + i / kGroup, run.offset);
  }
  if constexpr (Format::kValues < kRun) {
    if (i == n) return;
    decode_signed_run<Format>(row, n - i, run);
    store_groups(run, static_cast<int>((n - i) / kGroup),
                 static_cast<int>((padded_columns(n) - i) / kGroup), out.q + i,
                 out.scale + i / kGroup, out.offset + i / kGroup);
  }
}

// Writes the first `groups` groups of a run as floats in natural order.
[[gnu::always_inline]] inline void store_floats(const Run& run, int groups, float* out) {
  alignas(64) int8_t q[kRun];
  alignas(64) float scale[16];
  alignas(64) float offset[16];
  // In each 128-bit lane, 4 registers x 4 groups are transposed: register k gets group 4 * lane +
  // k.
  const __m512i a = _mm512_unpacklo_epi32(run.q[0], run.q[1]);
  const __m512i b = _mm512_unpackhi_epi32(run.q[0], run.q[1]);
  const __m512i c = _mm512_unpacklo_epi32(run.q[2], run.q[3]);
  const __m512i d = _mm512_unpackhi_epi32(run.q[2], run.q[3]);
  _mm512_store_si512(q, _mm512_unpacklo_epi64(a, c));
  _mm512_store_si512(q + 64, _mm512_unpackhi_epi64(a, c));
  _mm512_store_si512(q + 128, _mm512_unpacklo_epi64(b, d));
  _mm512_store_si512(q + 192, _mm512_unpackhi_epi64(b, d));
  _mm512_store_ps(scale, run.scale);
  _mm512_store_ps(offset, run.offset);
  for (int g = 0; g < groups; ++g) {
    const __m128i bytes =
        _mm_load_si128(reinterpret_cast<const __m128i*>(q + 64 * (g % 4) + 16 * (g / 4)));
    const __m512 values = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes));
    const __m512 scaled = _mm512_mul_ps(_mm512_set1_ps(scale[g]), values);
    _mm512_storeu_ps(out + kGroup * g, _mm512_add_ps(scaled, _mm512_set1_ps(offset[g])));
  }
}

template <typename Format>
void unpack_f32(const uint8_t* row, int64_t n, float* out) {
  constexpr int kRunBytes = kRun / Format::kValues * Format::kBytes;
  Run run;
  int64_t i = 0;
  for (; i + kRun <= n; i += kRun, row += kRunBytes) {
    decode_signed_run<Format>(row, kRun, run);
    store_floats(run, kRun / kGroup, out + i);
  }
  if constexpr (Format::kValues < kRun) {
    if (i == n) return;
    decode_signed_run<Format>(row, n - i, run);
    store_floats(run, static_cast<int>((n - i) / kGroup), out + i);
  }
}

// The 16 values that a 4-bit code stands for in IQ4_NL and IQ4_XS (ggml: kvalues_iq4nl).
[[gnu::always_inline]] inline __m512i iq4_values() {
  return _mm512_broadcast_i32x4(
      _mm_setr_epi8(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113));
}

// Quarters of 4-bit codes where 32 values share 16 bytes (first 16 values low, others high nibble);
// low and high hold the 128 bytes of a run.
[[gnu::always_inline]] inline void split_nibbles32(__m512i low, __m512i high, __m512i out[4]) {
  const __m512i g = lane_numbers();
  const __m512i first = _mm512_slli_epi32(_mm512_srli_epi32(g, 1), 2);
  const __m512i shift = _mm512_slli_epi32(_mm512_and_si512(g, _mm512_set1_epi32(1)), 2);
  for (int t = 0; t < 4; ++t) {
    const __m512i index = _mm512_add_epi32(first, _mm512_set1_epi32(t));
    const __m512i both = _mm512_permutex2var_epi32(low, index, high);
    out[t] = _mm512_and_si512(_mm512_srlv_epi32(both, shift), _mm512_set1_epi8(15));
  }
}

}  // namespace
}  // namespace minke::avx512
