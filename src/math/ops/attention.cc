#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/core/check.h"
#include "math/ops/attention_backward.h"

namespace minke {
namespace {

constexpr int64_t kChunk = kAttentionChunk;
static_assert(kChunk <= kMostLatentRows);
// Chunks of a span. Part of the definition of the result, as kChunk is: a span's sums grow chunk by
// chunk, and spans are joined in their order.
constexpr int64_t kSpanChunks = 2;
constexpr int64_t kSpan = kSpanChunks * kChunk;
// Query rows (tokens times the heads of a group) that one task takes through a chunk.
constexpr int64_t kTaskRows = 32;

// The softmax state of some query rows after some keys: out = sum_t exp(s_t - max) v_t, total =
// sum_t exp(s_t - max).
struct Partial {
  float* out;    // [rows, value_dim]
  float* max;    // [rows]
  float* total;  // [rows]
};

// Rows of values, `stride` apart.
template <typename T>
struct Rows {
  const T* first;
  int64_t stride;
};

struct Tile {
  int64_t kv_head;
  int64_t first, tokens;  // query tokens
};

class Attention {
 public:
  Attention(Context& ctx, const AttentionArgs& args) : k_(ctx.kernels()), a_(args) {
    CHECK(a_.heads % a_.kv_heads == 0);
    CHECK(a_.type == DType::kF32 || a_.type == DType::kBF16 || a_.type == DType::kQ8_0);
    const auto chunks = static_cast<size_t>((a_.first_position + a_.rows + kChunk - 1) / kChunk);
    CHECK(a_.keys.size() >= chunks && a_.values.size() >= chunks);
    values_in_keys_ = a_.keys[0] == a_.values[0] && a_.key_stride == a_.value_stride &&
                      a_.key_head_stride == a_.value_head_stride && a_.value_dim <= a_.key_dim;
    CHECK(!a_.latents || (a_.type == DType::kQ8_0 && values_in_keys_ && a_.kv_heads == 1 &&
                          a_.key_dim % 32 == 0 && a_.value_dim % 32 == 0));
    bytes_ = a_.latents && k_.dot_latents != nullptr;
    halves_ = !bytes_ && attention_type(k_, a_.type) == DType::kBF16;
    in_place_ = bytes_ || a_.type == (halves_ ? DType::kBF16 : DType::kF32);
    group_ = a_.heads / a_.kv_heads;
    tile_tokens_ = std::max<int64_t>(1, kTaskRows / group_);
    for (int64_t j = 0; j < a_.kv_heads; ++j) {
      for (int64_t t = 0; t < a_.rows; t += tile_tokens_) {
        tiles_.push_back({j, t, std::min(tile_tokens_, a_.rows - t)});
      }
    }
  }

  void run(Context& ctx, float* out) {
    const int workers = ctx.pool().size();
    take_scratch(ctx);
    prepare_queries(ctx);
    const auto tiles = static_cast<int64_t>(tiles_.size());
    const int64_t spans = (a_.first_position + a_.rows + kSpan - 1) / kSpan;
    if (tiles >= 4 * workers || spans == 1 || workers == 1) {
      // Enough tiles for all workers: each task walks the spans of its tile.
      float* memory = ctx.arena().allocate<float>(workers * 2 * partial_floats());
      ctx.pool().parallel_for(tiles, [&](int64_t i, int worker) {
        float* base = memory + worker * 2 * partial_floats();
        whole_tile(tiles_[static_cast<size_t>(i)], partial(base), partial(base + partial_floats()),
                   worker, out);
      });
      return;
    }
    float* memory = ctx.arena().allocate<float>(tiles * spans * partial_floats());
    ctx.pool().parallel_for(tiles * spans, [&](int64_t i, int worker) {
      const Tile& tile = tiles_[static_cast<size_t>(i / spans)];
      if (i % spans < tile_spans(tile)) {
        one_span(tile, i % spans, partial(memory + i * partial_floats()), worker);
      }
    });
    ctx.pool().parallel_for(tiles * tile_rows(), [&](int64_t i, int) {
      const int64_t t = i / tile_rows(), r = i % tile_rows();
      const Tile& tile = tiles_[static_cast<size_t>(t)];
      if (r >= tile.tokens * group_) return;
      const Partial sum = partial(memory + t * spans * partial_floats());
      for (int64_t s = 1; s < tile_spans(tile); ++s) {
        join(sum, partial(memory + (t * spans + s) * partial_floats()), r);
      }
      finish(tile, sum, r, out);
    });
  }

 private:
  int64_t tile_rows() const { return tile_tokens_ * group_; }
  int64_t partial_floats() const { return tile_rows() * (a_.value_dim + 2); }
  Partial partial(float* p) const {
    const int64_t rows = tile_rows();
    return {p, p + rows * a_.value_dim, p + rows * a_.value_dim + rows};
  }
  // Keys that the tile's last token sees, and spans that hold them.
  int64_t tile_keys(const Tile& tile) const { return a_.first_position + tile.first + tile.tokens; }
  int64_t tile_spans(const Tile& tile) const { return (tile_keys(tile) + kSpan - 1) / kSpan; }

  void take_scratch(Context& ctx) {
    Arena& arena = ctx.arena();
    const int workers = ctx.pool().size();
    const int64_t queries = a_.rows * a_.heads * a_.key_dim;
    scores_ = arena.allocate<float>(workers * tile_rows() * kChunk);
    if (bytes_) {
      const int64_t tiles = static_cast<int64_t>(tiles_.size()) * query_tiles();
      byte_queries_.q = arena.allocate<int8_t>(tiles * kQueryTile * a_.key_dim);
      byte_queries_.scale = arena.allocate<float>(tiles * kQueryTile * blocks());
      byte_queries_.bias = arena.allocate<int32_t>(tiles * kQueryTile * blocks());
      byte_weights_.q = arena.allocate<uint8_t>(workers * weight_rows() * weight_bytes(kChunk));
      byte_weights_.scale = arena.allocate<float>(workers * weight_rows());
    } else if (halves_) {
      half_queries_ = arena.allocate<uint16_t>(queries);
      weights_ = arena.allocate<uint16_t>(workers * tile_rows() * kChunk);
    } else {
      queries_ = arena.allocate<float>(queries);
    }
    if (in_place_) return;
    if (halves_) {
      half_chunks_ = arena.allocate<uint16_t>(workers * chunk_values());
    } else {
      chunks_ = arena.allocate<float>(workers * chunk_values());
    }
  }

  // Of one tile: tiles of quantized queries, their scales for a row, and rows of quantized weights.
  int64_t query_tiles() const { return (tile_rows() + kQueryTile - 1) / kQueryTile; }
  int64_t blocks() const { return query_blocks(a_.key_dim, a_.value_dim); }
  int64_t weight_rows() const {
    return (tile_rows() + kWeightTile - 1) / kWeightTile * kWeightTile;
  }
  QuantizedQueries quantized_queries(int64_t tile) const {
    const int64_t rows = tile * query_tiles() * kQueryTile;
    return {byte_queries_.q + rows * a_.key_dim, byte_queries_.scale + rows * blocks(),
            byte_queries_.bias + rows * blocks()};
  }
  QuantizedWeights quantized_weights(int worker) const {
    const int64_t rows = worker * weight_rows();
    return {byte_weights_.q + rows * weight_bytes(kChunk), byte_weights_.scale + rows};
  }
  LatentRows latents(int64_t begin, int64_t keys) const {
    return {chunk(a_.keys, begin), row_bytes(a_.type, a_.key_stride), keys, a_.key_dim,
            a_.value_dim};
  }

  // Queries times `scale` in 8 bits, tile by tile. All of a tile's rows are of the one key head.
  void quantize_tiles(Context& ctx) {
    const int64_t n = a_.key_dim;
    float* scaled = ctx.arena().allocate<float>(ctx.pool().size() * tile_rows() * n);
    ctx.pool().parallel_for(static_cast<int64_t>(tiles_.size()), [&](int64_t i, int worker) {
      const Tile& tile = tiles_[static_cast<size_t>(i)];
      const int64_t rows = tile.tokens * group_;
      float* to = scaled + worker * tile_rows() * n;
      const float* from = a_.queries + tile.first * group_ * n;
      for (int64_t j = 0; j < rows * n; ++j) to[j] = from[j] * a_.scale;
      k_.quantize_queries(to, n, rows, n, a_.value_dim, quantized_queries(i));
    });
  }

  // Queries times `scale`, those of a tile together: [kv_heads, rows, group, key_dim].
  void prepare_queries(Context& ctx) {
    if (bytes_) return quantize_tiles(ctx);
    const int64_t n = a_.key_dim;
    float* scaled = ctx.arena().allocate<float>(ctx.pool().size() * n);
    ctx.pool().parallel_for(a_.rows, [&](int64_t m, int worker) {
      for (int64_t h = 0; h < a_.heads; ++h) {
        const float* from = a_.queries + (m * a_.heads + h) * n;
        const int64_t at = first_query(h / group_, m) + h % group_ * n;
        float* to = halves_ ? scaled + worker * n : queries_ + at;
        for (int64_t i = 0; i < n; ++i) to[i] = from[i] * a_.scale;
        if (halves_) k_.round_bf16(to, n, half_queries_ + at);
      }
    });
  }
  int64_t first_query(int64_t kv_head, int64_t row) const {
    return (kv_head * a_.rows + row) * group_ * a_.key_dim;
  }

  void whole_tile(const Tile& tile, const Partial& sum, const Partial& next, int worker,
                  float* out) const {
    const int64_t rows = tile.tokens * group_;
    one_span(tile, 0, sum, worker);
    for (int64_t s = 1; s < tile_spans(tile); ++s) {
      one_span(tile, s, next, worker);
      for (int64_t r = 0; r < rows; ++r) join(sum, next, r);
    }
    for (int64_t r = 0; r < rows; ++r) finish(tile, sum, r, out);
  }

  // Softmax state of the tile's rows over the keys of span `s` alone. A row that sees none of them
  // has max = -inf, total = 0.
  void one_span(const Tile& tile, int64_t s, const Partial& p, int worker) const {
    const int64_t rows = tile.tokens * group_;
    std::fill_n(p.max, rows, -std::numeric_limits<float>::infinity());
    std::fill_n(p.total, rows, 0.0f);
    std::fill_n(p.out, rows * a_.value_dim, 0.0f);
    const int64_t end = std::min((s + 1) * kSpan, tile_keys(tile));
    for (int64_t key = s * kSpan; key < end; key += kChunk) {
      add_chunk(tile, key, std::min(kChunk, end - key), p, worker);
    }
  }

  // Adds keys [begin, begin + keys), those of one chunk, to the state of the tile's rows.
  void add_chunk(const Tile& tile, int64_t begin, int64_t keys, const Partial& p,
                 int worker) const {
    float* scores = scores_ + worker * tile_rows() * kChunk;
    multiply_keys(tile, begin, keys, scores, worker);
    for (int64_t r = 0; r < tile.tokens * group_; ++r) {
      const int64_t position = a_.first_position + tile.first + r / group_;
      const int64_t seen = std::clamp<int64_t>(position + 1 - begin, 0, keys);
      float* s = scores + r * kChunk;
      std::fill(s + seen, s + keys, 0.0f);
      if (seen > 0) weigh(s, seen, p, r);
    }
    add_values(tile, begin, keys, scores, p.out, worker);
  }

  // Turns `seen` scores into weights beside the keys that row r of the state holds.
  void weigh(float* scores, int64_t seen, const Partial& p, int64_t r) const {
    const float max = std::max(p.max[r], k_.max(scores, seen));
    if (max > p.max[r] && p.total[r] != 0.0f) {
      const float factor = std::exp(p.max[r] - max);
      k_.scale(p.out + r * a_.value_dim, a_.value_dim, factor);
      p.total[r] *= factor;
    }
    p.total[r] += k_.exp_sum(scores, seen, max);
    p.max[r] = max;
  }

  static const uint8_t* chunk(std::span<const uint8_t* const> chunks, int64_t begin) {
    return chunks[static_cast<size_t>(begin / kChunk)];
  }

  // scores [tile rows, kChunk] of keys [begin, begin + keys).
  void multiply_keys(const Tile& tile, int64_t begin, int64_t keys, float* scores,
                     int worker) const {
    const int64_t n = a_.key_dim, rows = tile.tokens * group_;
    if (bytes_) {
      k_.dot_latents(latents(begin, keys), quantized_queries(tile.first / tile_tokens_), rows,
                     scores, kChunk);
      return;
    }
    const int64_t query = first_query(tile.kv_head, tile.first);
    const uint8_t* first =
        chunk(a_.keys, begin) + row_bytes(a_.type, tile.kv_head * a_.key_head_stride);
    if (!in_place_) convert(first, a_.key_stride, keys, n, worker);
    if (halves_) {
      const auto w = rows_at(first, a_.key_stride, n, half_chunks_, worker);
      k_.dot_bf16(w.first, w.stride, keys, half_queries_ + query, n, rows, n, scores, kChunk);
    } else {
      const auto w = rows_at(first, a_.key_stride, n, chunks_, worker);
      k_.dot_f32(w.first, w.stride, keys, queries_ + query, n, rows, n, scores, kChunk);
    }
  }

  // out [tile rows, value_dim] += weights [tile rows, kChunk] times values [begin, begin + keys).
  void add_values(const Tile& tile, int64_t begin, int64_t keys, const float* weights, float* out,
                  int worker) const {
    const int64_t n = a_.value_dim, rows = tile.tokens * group_;
    if (bytes_) {
      const QuantizedWeights quantized = quantized_weights(worker);
      k_.quantize_weights(weights, kChunk, rows, latents(begin, keys), quantized);
      k_.accumulate_latents(quantized, rows, latents(begin, keys), out, n);
      return;
    }
    const uint8_t* first =
        chunk(a_.values, begin) + row_bytes(a_.type, tile.kv_head * a_.value_head_stride);
    // Values that are the beginnings of keys stand converted since multiply_keys().
    const int64_t width = values_in_keys_ ? a_.key_dim : n;
    if (!in_place_ && !values_in_keys_) convert(first, a_.value_stride, keys, n, worker);
    if (halves_) {
      uint16_t* rounded = weights_ + worker * tile_rows() * kChunk;
      for (int64_t r = 0; r < rows; ++r) {
        k_.round_bf16(weights + r * kChunk, keys, rounded + r * kChunk);
      }
      const auto v = rows_at(first, a_.value_stride, width, half_chunks_, worker);
      k_.accumulate_bf16(rounded, kChunk, rows, v.first, v.stride, keys, n, out, n);
    } else {
      const auto v = rows_at(first, a_.value_stride, width, chunks_, worker);
      k_.accumulate_f32(weights, kChunk, rows, v.first, v.stride, keys, n, out, n);
    }
  }

  // `count` stored rows of n values, as products take them, into the worker's scratch.
  void convert(const uint8_t* first, int64_t stride, int64_t count, int64_t n, int worker) const {
    if (halves_) {
      k_.round_q8_0(first, row_bytes(a_.type, stride), count, n,
                    half_chunks_ + worker * chunk_values());
      return;
    }
    float* to = chunks_ + worker * chunk_values();
    for (int64_t t = 0; t < count; ++t) {
      k_.unpack_f32[static_cast<int>(a_.type)](first + row_bytes(a_.type, t * stride), n,
                                               to + t * n);
    }
  }
  // Rows of n values where they are stored, or as convert() left them in `scratch`.
  template <typename T>
  Rows<T> rows_at(const uint8_t* first, int64_t stride, int64_t n, const T* scratch,
                  int worker) const {
    if (in_place_) return {reinterpret_cast<const T*>(first), stride};
    return {scratch + worker * chunk_values(), n};
  }
  int64_t chunk_values() const { return kChunk * std::max(a_.key_dim, a_.value_dim); }

  // Row r of sum = that row of sum joined with that of next.
  void join(const Partial& sum, const Partial& next, int64_t r) const {
    if (next.total[r] == 0.0f) return;
    const float max = std::max(sum.max[r], next.max[r]);
    const float old_factor = std::exp(sum.max[r] - max);
    const float new_factor = std::exp(next.max[r] - max);
    float* o = sum.out + r * a_.value_dim;
    const float* n = next.out + r * a_.value_dim;
    for (int64_t i = 0; i < a_.value_dim; ++i) o[i] = o[i] * old_factor + n[i] * new_factor;
    sum.total[r] = sum.total[r] * old_factor + next.total[r] * new_factor;
    sum.max[r] = max;
  }

  void finish(const Tile& tile, const Partial& sum, int64_t r, float* out) const {
    const int64_t token = tile.first + r / group_;
    const int64_t head = tile.kv_head * group_ + r % group_;
    float* to = out + (token * a_.heads + head) * a_.value_dim;
    const float factor = 1.0f / sum.total[r];
    for (int64_t i = 0; i < a_.value_dim; ++i) to[i] = sum.out[r * a_.value_dim + i] * factor;
  }

  const Kernels& k_;
  const AttentionArgs& a_;
  bool bytes_ = false;           // compute with products of bytes
  bool halves_ = false;          // compute with products of bfloat16 values
  bool in_place_ = true;         // keys and values are stored as products take them
  bool values_in_keys_ = false;  // the values are the beginnings of the keys
  int64_t group_ = 1;
  int64_t tile_tokens_ = 1;
  std::vector<Tile> tiles_;
  float* queries_ = nullptr;  // scaled; or these, rounded
  uint16_t* half_queries_ = nullptr;
  QuantizedQueries byte_queries_ = {};  // [tiles, query_tiles() * kQueryTile rows]
  QuantizedWeights byte_weights_ = {};  // [workers, weight_rows()]
  float* scores_ = nullptr;             // [workers, tile rows, kChunk]
  uint16_t* weights_ = nullptr;         // [workers, tile rows, kChunk], of the softmax
  // Where they are not in place: a chunk of keys or values [workers, chunk_values()], converted.
  float* chunks_ = nullptr;
  uint16_t* half_chunks_ = nullptr;
};

}  // namespace

DType attention_type(const Kernels& kernels, DType stored) {
  return stored != DType::kF32 && kernels.dot_bf16 != nullptr ? DType::kBF16 : DType::kF32;
}

std::vector<const uint8_t*> attention_chunks(const uint8_t* first, int64_t row_bytes,
                                             int64_t rows) {
  std::vector<const uint8_t*> chunks;
  for (int64_t t = 0; t < rows; t += kChunk) chunks.push_back(first + t * row_bytes);
  return chunks;
}

void attention(Context& ctx, const AttentionArgs& args, float* out) {
  if (args.rows == 0) return;
  Attention(ctx, args).run(ctx, out);
  if (ctx.tape() != nullptr) record_attention(ctx, args, out);
}

}  // namespace minke
