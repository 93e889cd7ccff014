#include "math/kernels/avx512/avx512.h"
#include "math/kernels/avx512/panel.h"

// Attention over latents in 8 bits. A latent is read in two ways. For scores, bytes of 32 latents
// are transposed so that a lane has four neighbouring values of one latent; for sums, so that it
// has one value of four neighbouring latents. Eight rows of queries, or four of weights, meet each
// vector of bytes.

namespace minke::avx512 {
namespace {

constexpr int64_t kBlock = 32, kScaleBytes = 2, kBlockBytes = kScaleBytes + kBlock;
constexpr int kPanelLatents = 32;
constexpr int kSlab = 64;  // values of latents whose sums stay in registers

// _mm512_dpbusd_epi32 in place: around the intrinsic GCC 12 moves each of many running sums to
// another register and back.
[[gnu::always_inline]] inline void add_products(__m512i& sum, __m512i bytes, __m512i codes) {
  asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(bytes), "v"(codes));
}

// Where the block of queries that begins at value i of n ends.
int64_t query_block_end(int64_t i, int64_t latent_values, int64_t n) {
  const int64_t part_end = i < latent_values ? latent_values : n;
  return part_end - i < kQueryBlock ? part_end : i + kQueryBlock;
}

[[gnu::always_inline]] inline float f16_at(const uint8_t* p) {
  uint16_t h;
  __builtin_memcpy(&h, p, sizeof h);
  return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(h)));
}

// The scales of the blocks at value `first` of `count` latents from `rows` on.
__m512 scales(const uint8_t* rows, int64_t row_stride, int64_t count, int64_t first) {
  alignas(64) float out[16] = {};
  for (int64_t r = 0; r < 16 && r < count; ++r) {
    out[r] = f16_at(rows + r * row_stride + first / kBlock * kBlockBytes);
  }
  return _mm512_load_ps(out);
}

// The 16 bytes of `codes` as four words, `stride` apart.
void store_words(__m512i codes, int32_t* words, int64_t stride) {
  alignas(16) int32_t four[4];
  _mm_store_si128(reinterpret_cast<__m128i*>(four), _mm512_cvtepi32_epi8(codes));
  for (int64_t k = 0; k < 4; ++k) words[k * stride] = four[k];
}

// One block of up to kQueryBlock values of a query row. Its four-byte words stand `kQueryTile`
// apart.
void quantize_query(const float* x, int64_t values, int32_t* words, float* scale, int32_t* bias) {
  // Bits of absolute values order like the values, with infinity and NaN on top.
  __m512i most = _mm512_setzero_si512();
  for (int64_t i = 0; i < values; i += 16) {
    const __m512i bits = _mm512_castps_si512(_mm512_abs_ps(_mm512_loadu_ps(x + i)));
    most = _mm512_max_epu32(most, bits);
  }
  const uint32_t largest_bits = _mm512_reduce_max_epu32(most);
  float largest;
  __builtin_memcpy(&largest, &largest_bits, sizeof largest);
  const bool finite = largest_bits < 0x7f800000u;
  *bias = 0;
  *scale = finite ? 0.0f : __builtin_nanf("");
  if (!finite || largest < kTiny) {
    for (int64_t k = 0; k < values / 4; ++k) words[k * kQueryTile] = 0;
    return;
  }
  const __m512 inverse = _mm512_set1_ps(127.0f / largest);
  __m512i sum = _mm512_setzero_si512();
  for (int64_t i = 0; i < values; i += 16) {
    const __m512i codes = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_loadu_ps(x + i), inverse));
    sum = _mm512_add_epi32(sum, codes);
    store_words(codes, words + i / 4 * kQueryTile, kQueryTile);
  }
  *scale = largest / 127.0f;
  *bias = -128 * _mm512_reduce_add_epi32(sum);
}

// Bytes + 128 of kPanelLatents latents and kQueryBlock values: [quad of values][latent][4].
struct ScorePanel {
  alignas(64) uint8_t q[kQueryBlock / 4][kPanelLatents][4];
};

// Row r and row r + 4, 32 bytes each.
__m512i two_rows(const uint8_t* from, int64_t stride) {
  const auto* low = reinterpret_cast<const __m256i*>(from);
  const auto* high = reinterpret_cast<const __m256i*>(from + 4 * stride);
  return _mm512_inserti64x4(_mm512_zextsi256_si512(_mm256_loadu_si256(low)),
                            _mm256_loadu_si256(high), 1);
}

// One block of 16 rows.
[[gnu::noinline]] void transpose_block(const uint8_t* codes, int64_t stride,
                                       uint8_t (*out)[kPanelLatents][4]) {
  const __m512i sign = _mm512_set1_epi8(static_cast<char>(0x80));
  // v[half][j]: in each 128-bit lane, words of four rows; rows 8 * half on.
  __m512i v[2][4];
#pragma GCC unroll 2
  for (int half = 0; half < 2; ++half) {
    __m512i row[4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      row[j] = _mm512_xor_si512(two_rows(codes + (8 * half + j) * stride, stride), sign);
    }
    const __m512i a = _mm512_unpacklo_epi32(row[0], row[1]);
    const __m512i b = _mm512_unpackhi_epi32(row[0], row[1]);
    const __m512i c = _mm512_unpacklo_epi32(row[2], row[3]);
    const __m512i d = _mm512_unpackhi_epi32(row[2], row[3]);
    v[half][0] = _mm512_unpacklo_epi64(a, c);
    v[half][1] = _mm512_unpackhi_epi64(a, c);
    v[half][2] = _mm512_unpacklo_epi64(b, d);
    v[half][3] = _mm512_unpackhi_epi64(b, d);
  }
#pragma GCC unroll 4
  for (int k = 0; k < 4; ++k) {
    _mm512_store_si512(out[k], _mm512_shuffle_i32x4(v[0][k], v[1][k], 0x88));
    _mm512_store_si512(out[4 + k], _mm512_shuffle_i32x4(v[0][k], v[1][k], 0xdd));
  }
}

void unpack_scores(const uint8_t* rows, int64_t row_stride, int64_t count, int64_t first,
                   int64_t values, ScorePanel& panel) {
  constexpr int64_t kPartBytes = kQueryBlock / kBlock * kBlockBytes;
  const uint8_t* from = rows + first / kBlock * kBlockBytes;
  uint8_t copy[kPanelLatents * kPartBytes];
  if (count < kPanelLatents) {
    // Rows that are missing repeat the last one.
    for (int64_t r = 0; r < kPanelLatents; ++r) {
      const int64_t row = r < count ? r : count - 1;
      __builtin_memcpy(copy + r * kPartBytes, from + row * row_stride,
                       static_cast<size_t>(values / kBlock * kBlockBytes));
    }
    from = copy;
    row_stride = kPartBytes;
  }
  for (int64_t i = 0; i < values / kBlock; ++i) {
    for (int64_t r = 0; r < kPanelLatents; r += 16) {
      transpose_block(from + r * row_stride + i * kBlockBytes + kScaleBytes, row_stride,
                      reinterpret_cast<uint8_t(*)[kPanelLatents][4]>(panel.q[8 * i] + r));
    }
  }
}

struct ScoreTile {
  const ScorePanel& panel;
  int64_t quads;
  __m512 row_scale[2];
  __mmask16 lanes[2];
};

// out[m * out_stride + r] (+)= the part of the scores that one block of a tile of queries gives.
[[gnu::noinline]] void add_scores(const ScoreTile& t, const int8_t* q, const float* scale,
                                  const int32_t* bias, bool first, int64_t rows, float* out,
                                  int64_t out_stride) {
  __m512i sum[kQueryTile][2];
#pragma GCC unroll 8
  for (int m = 0; m < kQueryTile; ++m) sum[m][0] = sum[m][1] = _mm512_set1_epi32(bias[m]);
  for (int64_t quad = 0; quad < t.quads; ++quad) {
    const __m512i low = _mm512_load_si512(t.panel.q[quad]);
    const __m512i high = _mm512_load_si512(t.panel.q[quad] + 16);
#pragma GCC unroll 8
    for (int m = 0; m < kQueryTile; ++m) {
      int32_t word;
      __builtin_memcpy(&word, q + (quad * kQueryTile + m) * 4, sizeof word);
      const __m512i four = _mm512_set1_epi32(word);
      add_products(sum[m][0], low, four);
      add_products(sum[m][1], high, four);
    }
  }
#pragma GCC unroll 8
  for (int m = 0; m < kQueryTile; ++m) {
    if (m >= rows) break;
    const __m512 factor = _mm512_set1_ps(scale[m]);
#pragma GCC unroll 2
    for (int j = 0; j < 2; ++j) {
      float* at = out + m * out_stride + 16 * j;
      const __m512 before = first ? _mm512_setzero_ps() : _mm512_maskz_loadu_ps(t.lanes[j], at);
      const __m512 part = _mm512_mul_ps(_mm512_cvtepi32_ps(sum[m][j]), t.row_scale[j]);
      _mm512_mask_storeu_ps(at, t.lanes[j], _mm512_fmadd_ps(part, factor, before));
    }
  }
}

// Values [first, first + kSlab) of latents as bytes, or [first, first + 32) and zeros:
// [quad of latents][4][lane][4], lane L of vector k having value 16 (L / 4) + 4 k + L % 4 of four
// latents.
struct SumPanel {
  alignas(64) int8_t q[kMostLatentRows / 4][4][64];
};

void unpack_sums(const LatentRows& v, int64_t first, SumPanel& panel) {
  const bool whole = first + kSlab <= v.latent_values;
  const uint8_t* begin = v.rows + first / kBlock * kBlockBytes + kScaleBytes;
  for (int64_t quad = 0; quad < (v.count + 3) / 4; ++quad) {
    __m512i row[4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      // Rows that are missing repeat the last one; their weights are zero.
      const int64_t r = 4 * quad + j < v.count ? 4 * quad + j : v.count - 1;
      const auto* at = reinterpret_cast<const __m256i*>(begin + r * v.row_stride);
      const auto* next = reinterpret_cast<const __m256i*>(begin + r * v.row_stride + kBlockBytes);
      row[j] = _mm512_zextsi256_si512(_mm256_loadu_si256(at));
      if (whole) row[j] = _mm512_inserti64x4(row[j], _mm256_loadu_si256(next), 1);
    }
    const __m512i a = _mm512_unpacklo_epi8(row[0], row[1]);
    const __m512i b = _mm512_unpackhi_epi8(row[0], row[1]);
    const __m512i c = _mm512_unpacklo_epi8(row[2], row[3]);
    const __m512i d = _mm512_unpackhi_epi8(row[2], row[3]);
    int8_t(*to)[64] = panel.q[quad];
    _mm512_store_si512(to[0], _mm512_unpacklo_epi16(a, c));
    _mm512_store_si512(to[1], _mm512_unpackhi_epi16(a, c));
    _mm512_store_si512(to[2], _mm512_unpacklo_epi16(b, d));
    _mm512_store_si512(to[3], _mm512_unpackhi_epi16(b, d));
  }
}

// Adds factor * sums, which stand as in a SumPanel, to `values` values.
void add_sums(const __m512i (&sum)[4], float factor, int64_t values, float* out) {
  const __m512i low = _mm512_shuffle_i32x4(sum[0], sum[1], 0x44);
  const __m512i low_high = _mm512_shuffle_i32x4(sum[0], sum[1], 0xee);
  const __m512i high = _mm512_shuffle_i32x4(sum[2], sum[3], 0x44);
  const __m512i high_high = _mm512_shuffle_i32x4(sum[2], sum[3], 0xee);
  const __m512i in_order[4] = {_mm512_shuffle_i32x4(low, high, 0x88),
                               _mm512_shuffle_i32x4(low, high, 0xdd),
                               _mm512_shuffle_i32x4(low_high, high_high, 0x88),
                               _mm512_shuffle_i32x4(low_high, high_high, 0xdd)};
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) {
    const __mmask16 lanes = lanes_at(16 * j, values);
    const __m512 before = _mm512_maskz_loadu_ps(lanes, out + 16 * j);
    const __m512 after =
        _mm512_fmadd_ps(_mm512_cvtepi32_ps(in_order[j]), _mm512_set1_ps(factor), before);
    _mm512_mask_storeu_ps(out + 16 * j, lanes, after);
  }
}

// A tile of weights with one slab: out [rows, values].
void accumulate_slab(const SumPanel& panel, int64_t quads, const uint8_t* q, const float* scale,
                     int64_t rows, int64_t values, float* out, int64_t out_stride) {
  __m512i sum[kWeightTile][4];
#pragma GCC unroll 4
  for (auto& row : sum) {
#pragma GCC unroll 4
    for (__m512i& s : row) s = _mm512_setzero_si512();
  }
  for (int64_t quad = 0; quad < quads; ++quad) {
    __m512i bytes[4];
#pragma GCC unroll 4
    for (int k = 0; k < 4; ++k) bytes[k] = _mm512_load_si512(panel.q[quad][k]);
#pragma GCC unroll 4
    for (int m = 0; m < kWeightTile; ++m) {
      int32_t word;
      __builtin_memcpy(&word, q + (quad * kWeightTile + m) * 4, sizeof word);
      const __m512i weights = _mm512_set1_epi32(word);
#pragma GCC unroll 4
      for (int k = 0; k < 4; ++k) add_products(sum[m][k], weights, bytes[k]);
    }
  }
#pragma GCC unroll 4
  for (int m = 0; m < kWeightTile; ++m) {
    if (m < rows) add_sums(sum[m], scale[m], values, out + m * out_stride);
  }
}

}  // namespace

void quantize_queries(const float* x, int64_t x_stride, int64_t m_count, int64_t n,
                      int64_t latent_values, QuantizedQueries out) {
  const int64_t blocks = query_blocks(n, latent_values);
  for (int64_t tile = 0; tile * kQueryTile < m_count; ++tile) {
    int8_t* q = out.q + tile * n * kQueryTile;
    float* scale = out.scale + tile * blocks * kQueryTile;
    int32_t* bias = out.bias + tile * blocks * kQueryTile;
    const int64_t rows = m_count - tile * kQueryTile;
    if (rows < kQueryTile) {
      __builtin_memset(q, 0, static_cast<size_t>(n * kQueryTile));
      __builtin_memset(scale, 0, static_cast<size_t>(blocks * kQueryTile) * sizeof *scale);
      __builtin_memset(bias, 0, static_cast<size_t>(blocks * kQueryTile) * sizeof *bias);
    }
    for (int64_t m = 0; m < kQueryTile && m < rows; ++m) {
      const float* row = x + (tile * kQueryTile + m) * x_stride;
      auto* words = reinterpret_cast<int32_t*>(q) + m;
      int64_t block = 0;
      for (int64_t i = 0, end; i < n; i = end, ++block) {
        end = query_block_end(i, latent_values, n);
        quantize_query(row + i, end - i, words + i / 4 * kQueryTile, scale + block * kQueryTile + m,
                       bias + block * kQueryTile + m);
      }
    }
  }
}

void dot_latents(LatentRows w, QuantizedQueries x, int64_t m_count, float* out,
                 int64_t out_stride) {
  const int64_t blocks = query_blocks(w.n, w.latent_values);
  for (int64_t r = 0; r < w.count; r += kPanelLatents) {
    const uint8_t* rows = w.rows + r * w.row_stride;
    const int64_t count = w.count - r;
    const int64_t ahead = count > kPanelLatents ? kPanelLatents * w.row_stride / blocks : 0;
    const uint8_t* next = rows + kPanelLatents * w.row_stride;
    int64_t block = 0;
    for (int64_t i = 0, end; i < w.n; i = end, ++block) {
      const int64_t part = i < w.latent_values ? 0 : w.latent_values;
      end = query_block_end(i, w.latent_values, w.n);
      prefetch_range(next + block * ahead, ahead);
      ScorePanel panel;
      unpack_scores(rows, w.row_stride, count, i, end - i, panel);
      const ScoreTile tile = {panel,
                              (end - i) / 4,
                              {scales(rows, w.row_stride, count, part),
                               scales(rows + 16 * w.row_stride, w.row_stride, count - 16, part)},
                              {lanes_at(0, count), lanes_at(16, count)}};
      for (int64_t m = 0; m < m_count; m += kQueryTile) {
        const int64_t at = m / kQueryTile * blocks * kQueryTile + block * kQueryTile;
        add_scores(tile, x.q + m * w.n + i * kQueryTile, x.scale + at, x.bias + at, i == 0,
                   m_count - m, out + m * out_stride + r, out_stride);
      }
    }
  }
}

void quantize_weights(const float* p, int64_t p_stride, int64_t m_count, LatentRows v,
                      QuantizedWeights out) {
  alignas(64) float row_scale[kMostLatentRows];
  const int64_t quads = weight_bytes(v.count) / 4;
  for (int64_t r = 0; r < v.count; r += 16) {
    _mm512_store_ps(row_scale + r, scales(v.rows + r * v.row_stride, v.row_stride, v.count - r, 0));
  }
  const __m512 zero = _mm512_setzero_ps();
  for (int64_t m = 0; m < (m_count + kWeightTile - 1) / kWeightTile * kWeightTile; ++m) {
    auto* words =
        reinterpret_cast<int32_t*>(out.q) + m / kWeightTile * quads * kWeightTile + m % kWeightTile;
    const float* row = p + m * p_stride;
    // A latent that a row does not see has the weight 0, and may hold NaN.
    const auto weights = [&](int64_t r) {
      const __m512 some = _mm512_maskz_loadu_ps(lanes_at(r, v.count), row + r);
      const __mmask16 seen = _mm512_cmp_ps_mask(some, zero, _CMP_NEQ_UQ);
      return _mm512_maskz_mul_ps(seen, some, _mm512_load_ps(row_scale + r));
    };
    float largest = 0;
    if (m < m_count) {
      __m512 most = zero;
      __mmask16 nan = 0;
      for (int64_t r = 0; r < v.count; r += 16) {
        const __m512 w = weights(r);
        nan = static_cast<__mmask16>(nan | _mm512_cmp_ps_mask(w, w, _CMP_UNORD_Q));
        most = _mm512_max_ps(most, w);
      }
      largest = nan != 0 ? 0 : _mm512_reduce_max_ps(most);
      out.scale[m] = nan != 0 ? __builtin_nanf("") : largest / 255.0f;
    }
    if (largest < kTiny) {
      for (int64_t k = 0; k < quads; ++k) words[k * kWeightTile] = 0;
      continue;
    }
    const __m512 inverse = _mm512_set1_ps(255.0f / largest);
    __m512 rest = zero;
    for (int64_t r = 0; r < v.count; r += 16) {
      const __m512 w = weights(r);
      const __m512 wanted = _mm512_fmadd_ps(w, inverse, rest);
      const __m512i nearest = _mm512_min_epi32(_mm512_cvtps_epi32(wanted), _mm512_set1_epi32(255));
      const __m512i codes = _mm512_maskz_max_epi32(_mm512_cmp_ps_mask(w, zero, _CMP_GT_OQ), nearest,
                                                   _mm512_setzero_si512());
      rest = _mm512_sub_ps(wanted, _mm512_cvtepi32_ps(codes));
      store_words(codes, words + r / 4 * kWeightTile, kWeightTile);
    }
  }
}

void accumulate_latents(QuantizedWeights p, int64_t m_count, LatentRows v, float* out,
                        int64_t out_stride) {
  const int64_t tile = weight_bytes(v.count) * kWeightTile;
  SumPanel panel;
  for (int64_t i = 0; i < v.latent_values; i += kSlab) {
    unpack_sums(v, i, panel);
    for (int64_t m = 0; m < m_count; m += kWeightTile) {
      accumulate_slab(panel, (v.count + 3) / 4, p.q + m / kWeightTile * tile, p.scale + m,
                      m_count - m, v.latent_values - i, out + m * out_stride + i, out_stride);
    }
  }
}

}  // namespace minke::avx512
