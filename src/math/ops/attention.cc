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
// Floats of the states of spans that wait to be joined: 64 MiB, or those of one tile.
constexpr int64_t kSplitFloats = 16 << 20;

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

// Query tokens of a sequence that share a key-value head.
struct Tile {
  const AttentionSequence* sequence;
  int64_t kv_head;
  int64_t first, tokens;  // query tokens
  int64_t query;          // where its first query stands among those of all tiles
  int64_t index;          // among the tiles
  int64_t first_span;     // among those of all tiles

  // Keys that the last token sees, and spans that hold them.
  int64_t keys() const { return sequence->first_position + first + tokens; }
  int64_t spans() const { return (keys() + kSpan - 1) / kSpan; }
};

class Attention {
 public:
  Attention(Context& ctx, const AttentionHeads& heads, std::span<const AttentionSequence> sequences)
      : k_(ctx.kernels()), a_(heads) {
    CHECK(a_.heads % a_.kv_heads == 0);
    CHECK(a_.type == DType::kF32 || a_.type == DType::kBF16 || a_.type == DType::kQ8_0);
    group_ = a_.heads / a_.kv_heads;
    int64_t most_rows = 1;
    for (const AttentionSequence& s : sequences) most_rows = std::max(most_rows, s.rows);
    tile_tokens_ = std::clamp<int64_t>(kTaskRows / group_, 1, most_rows);
    for (const AttentionSequence& s : sequences) add_tiles(s);
    values_in_keys_ = a_.key_stride == a_.value_stride &&
                      a_.key_head_stride == a_.value_head_stride && a_.value_dim <= a_.key_dim &&
                      std::ranges::all_of(tiles_, [](const Tile& t) {
                        return t.sequence->keys[0] == t.sequence->values[0];
                      });
    CHECK(!a_.latents || (a_.type == DType::kQ8_0 && values_in_keys_ && a_.kv_heads == 1 &&
                          a_.key_dim % 32 == 0 && a_.value_dim % 32 == 0));
    bytes_ = a_.latents && k_.dot_latents != nullptr;
    halves_ = !bytes_ && attention_type(k_, a_.type) == DType::kBF16;
    in_place_ = bytes_ || a_.type == (halves_ ? DType::kBF16 : DType::kF32);
  }

  void run(Context& ctx) {
    const int workers = ctx.pool().size();
    take_scratch(ctx);
    prepare_queries(ctx);
    int64_t most_spans = 0;
    for (const Tile& tile : tiles_) most_spans = std::max(most_spans, tile.spans());
    const auto tiles = static_cast<int64_t>(tiles_.size());
    if (most_spans <= 1 || workers == 1 || 4 * workers * most_spans <= spans_) {
      // No tile is more than a small part of a worker's share: each task walks the spans of one.
      float* memory = ctx.arena().allocate<float>(workers * 2 * partial_floats());
      ctx.pool().parallel_for(tiles, [&](int64_t i, int worker) {
        float* base = memory + worker * 2 * partial_floats();
        whole_tile(tiles_[static_cast<size_t>(i)], partial(base), partial(base + partial_floats()),
                   worker);
      });
      return;
    }
    const int64_t most = std::max(most_spans, kSplitFloats / partial_floats());
    float* memory = ctx.arena().allocate<float>(std::min(most, spans_) * partial_floats());
    for (int64_t first = 0, end; first < tiles; first = end) {
      end = first + 1;
      while (end < tiles && end_span(end) - first_span(first) <= most) ++end;
      split_tiles(ctx, first, end, memory);
    }
  }

 private:
  int64_t first_span(int64_t tile) const { return tiles_[static_cast<size_t>(tile)].first_span; }
  int64_t end_span(int64_t tile) const {
    return first_span(tile) + tiles_[static_cast<size_t>(tile)].spans();
  }

  // Tiles [first, end), a task for each span, whose states stand in `memory` until they are joined.
  void split_tiles(Context& ctx, int64_t first, int64_t end, float* memory) const {
    const int64_t begin = first_span(first);
    const auto of_span = [&](int64_t span) {
      return partial(memory + (span - begin) * partial_floats());
    };
    ctx.pool().parallel_for(end_span(end - 1) - begin, [&](int64_t i, int worker) {
      const auto next = std::ranges::upper_bound(tiles_, begin + i, {}, &Tile::first_span);
      const Tile& tile = *(next - 1);
      one_span(tile, begin + i - tile.first_span, of_span(begin + i), worker);
    });
    ctx.pool().parallel_for((end - first) * tile_rows(), [&](int64_t i, int) {
      const Tile& tile = tiles_[static_cast<size_t>(first + i / tile_rows())];
      const int64_t r = i % tile_rows();
      if (r >= tile.tokens * group_) return;
      const Partial sum = of_span(tile.first_span);
      for (int64_t s = 1; s < tile.spans(); ++s) join(sum, of_span(tile.first_span + s), r);
      finish(tile, sum, r);
    });
  }

  int64_t tile_rows() const { return tile_tokens_ * group_; }
  int64_t partial_floats() const { return tile_rows() * (a_.value_dim + 2); }
  Partial partial(float* p) const {
    const int64_t rows = tile_rows();
    return {p, p + rows * a_.value_dim, p + rows * a_.value_dim + rows};
  }

  void add_tiles(const AttentionSequence& s) {
    const auto chunks = static_cast<size_t>((s.first_position + s.rows + kChunk - 1) / kChunk);
    CHECK(s.keys.size() >= chunks && s.values.size() >= chunks);
    for (int64_t j = 0; j < a_.kv_heads; ++j) {
      for (int64_t t = 0; t < s.rows; t += tile_tokens_) {
        const Tile tile = {&s,       j,
                           t,        std::min(tile_tokens_, s.rows - t),
                           queries_, static_cast<int64_t>(tiles_.size()),
                           spans_};
        queries_ += tile.tokens * group_;
        spans_ += tile.spans();
        tiles_.push_back(tile);
      }
    }
  }

  void take_scratch(Context& ctx) {
    Arena& arena = ctx.arena();
    const int workers = ctx.pool().size();
    const int64_t queries = queries_ * a_.key_dim;
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
      float_queries_ = arena.allocate<float>(queries);
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
  LatentRows latents(const Tile& tile, int64_t begin, int64_t keys) const {
    return {chunk(tile.sequence->keys, begin), row_bytes(a_.type, a_.key_stride), keys, a_.key_dim,
            a_.value_dim};
  }

  // Queries times `scale`, as products take them, tile by tile: [tokens, group, key_dim].
  void prepare_queries(Context& ctx) {
    float* scaled = float_queries_ != nullptr
                        ? nullptr
                        : ctx.arena().allocate<float>(ctx.pool().size() * tile_rows() * a_.key_dim);
    ctx.pool().parallel_for(static_cast<int64_t>(tiles_.size()), [&](int64_t i, int worker) {
      const Tile& tile = tiles_[static_cast<size_t>(i)];
      const int64_t n = a_.key_dim, rows = tile.tokens * group_;
      float* to =
          scaled != nullptr ? scaled + worker * tile_rows() * n : float_queries_ + tile.query * n;
      for (int64_t t = 0; t < tile.tokens; ++t) {
        const float* from =
            tile.sequence->queries + ((tile.first + t) * a_.heads + tile.kv_head * group_) * n;
        for (int64_t d = 0; d < group_ * n; ++d) to[t * group_ * n + d] = from[d] * a_.scale;
      }
      if (bytes_) {
        k_.quantize_queries(to, n, rows, n, a_.value_dim, quantized_queries(i));
      } else if (halves_) {
        k_.round_bf16(to, rows * n, half_queries_ + tile.query * n);
      }
    });
  }

  void whole_tile(const Tile& tile, const Partial& sum, const Partial& next, int worker) const {
    const int64_t rows = tile.tokens * group_;
    one_span(tile, 0, sum, worker);
    for (int64_t s = 1; s < tile.spans(); ++s) {
      one_span(tile, s, next, worker);
      for (int64_t r = 0; r < rows; ++r) join(sum, next, r);
    }
    for (int64_t r = 0; r < rows; ++r) finish(tile, sum, r);
  }

  // Softmax state of the tile's rows over the keys of span `s` alone. A row that sees none of them
  // has max = -inf, total = 0.
  void one_span(const Tile& tile, int64_t s, const Partial& p, int worker) const {
    const int64_t rows = tile.tokens * group_;
    std::fill_n(p.max, rows, -std::numeric_limits<float>::infinity());
    std::fill_n(p.total, rows, 0.0f);
    std::fill_n(p.out, rows * a_.value_dim, 0.0f);
    const int64_t end = std::min((s + 1) * kSpan, tile.keys());
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
      const int64_t position = tile.sequence->first_position + tile.first + r / group_;
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

  static const uint8_t* chunk(const std::vector<const uint8_t*>& chunks, int64_t begin) {
    return chunks[static_cast<size_t>(begin / kChunk)];
  }

  // scores [tile rows, kChunk] of keys [begin, begin + keys).
  void multiply_keys(const Tile& tile, int64_t begin, int64_t keys, float* scores,
                     int worker) const {
    const int64_t n = a_.key_dim, rows = tile.tokens * group_;
    if (bytes_) {
      k_.dot_latents(latents(tile, begin, keys), quantized_queries(tile.index), rows, scores,
                     kChunk);
      return;
    }
    const int64_t query = tile.query * n;
    const uint8_t* first =
        chunk(tile.sequence->keys, begin) + row_bytes(a_.type, tile.kv_head * a_.key_head_stride);
    if (!in_place_) convert(first, a_.key_stride, keys, n, worker);
    if (halves_) {
      const auto w = rows_at(first, a_.key_stride, n, half_chunks_, worker);
      k_.dot_bf16(w.first, w.stride, keys, half_queries_ + query, n, rows, n, scores, kChunk);
    } else {
      const auto w = rows_at(first, a_.key_stride, n, chunks_, worker);
      k_.dot_f32(w.first, w.stride, keys, float_queries_ + query, n, rows, n, scores, kChunk);
    }
  }

  // out [tile rows, value_dim] += weights [tile rows, kChunk] times values [begin, begin + keys).
  void add_values(const Tile& tile, int64_t begin, int64_t keys, const float* weights, float* out,
                  int worker) const {
    const int64_t n = a_.value_dim, rows = tile.tokens * group_;
    if (bytes_) {
      const QuantizedWeights quantized = quantized_weights(worker);
      k_.quantize_weights(weights, kChunk, rows, latents(tile, begin, keys), quantized);
      k_.accumulate_latents(quantized, rows, latents(tile, begin, keys), out, n);
      return;
    }
    const uint8_t* first = chunk(tile.sequence->values, begin) +
                           row_bytes(a_.type, tile.kv_head * a_.value_head_stride);
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

  void finish(const Tile& tile, const Partial& sum, int64_t r) const {
    const int64_t token = tile.first + r / group_;
    const int64_t head = tile.kv_head * group_ + r % group_;
    float* to = tile.sequence->out + (token * a_.heads + head) * a_.value_dim;
    const float factor = 1.0f / sum.total[r];
    for (int64_t i = 0; i < a_.value_dim; ++i) to[i] = sum.out[r * a_.value_dim + i] * factor;
  }

  const Kernels& k_;
  const AttentionHeads& a_;
  bool bytes_ = false;           // compute with products of bytes
  bool halves_ = false;          // compute with products of bfloat16 values
  bool in_place_ = true;         // keys and values are stored as products take them
  bool values_in_keys_ = false;  // the values are the beginnings of the keys
  int64_t group_ = 1;
  int64_t tile_tokens_ = 1;
  std::vector<Tile> tiles_;
  int64_t queries_ = 0, spans_ = 0;  // of all tiles
  float* float_queries_ = nullptr;   // [queries, key_dim], scaled; or these, rounded
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

void attention(Context& ctx, const AttentionHeads& heads,
               std::span<const AttentionSequence> sequences) {
  // The backward pass uses none of this memory.
  const Arena::Mark mark = ctx.arena().mark();
  Attention(ctx, heads, sequences).run(ctx);
  ctx.arena().release(mark);
  if (ctx.tape() != nullptr) record_attention(ctx, heads, sequences);
}

}  // namespace minke
