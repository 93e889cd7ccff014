#include "math/ops/attention_backward.h"

#include <algorithm>
#include <cstring>

#include "base/core/check.h"
#include "math/ops/tape.h"

namespace minke {
namespace {

// Query tokens of one step; with it the products stay in the first- and second-level cache.
constexpr int64_t kTileRows = 32;

// Gradients of queries [rows, heads, key_dim], keys [rows, kv_heads, key_dim] and values
// [rows, kv_heads, value_dim], and that of the result [rows, heads, value_dim].
struct Gradients {
  const float* out;
  float *queries, *keys, *values;
};

// One key-value head of one sequence.
class HeadBackward {
 public:
  HeadBackward(const Kernels& k, const AttentionHeads& a, const AttentionSequence& s,
               const Gradients& g, int64_t kv_head, float* memory)
      : k_(k), a_(a), s_(s), g_(g), kv_head_(kv_head) {
    const int64_t n = s.rows, kd = a.key_dim, vd = a.value_dim;
    const auto take = [&](int64_t floats) {
      float* taken = memory;
      memory += floats;
      return taken;
    };
    keys_ = take(n * kd);
    values_ = take(n * vd);
    keys_grad_ = take(n * kd);
    values_grad_ = take(n * vd);
    q_ = take(kTileRows * kd);
    q_grad_ = take(kTileRows * kd);
    o_grad_ = take(kTileRows * vd);
    o_ = take(kTileRows * vd);
    weights_ = take(kTileRows * n);
    scores_ = take(kTileRows * n);
    turned_ = take(kTileRows * n);
  }

  // Floats of `memory` for a sequence of so many rows.
  static int64_t scratch(const AttentionHeads& a, int64_t rows) {
    return 2 * (rows + kTileRows) * (a.key_dim + a.value_dim) + 3 * kTileRows * rows;
  }

  void run(bool rounded) {
    load(s_.keys, a_.key_stride, a_.key_head_stride, a_.key_dim, keys_);
    load(s_.values, a_.value_stride, a_.value_head_stride, a_.value_dim, values_);
    std::memset(keys_grad_, 0, bytes(s_.rows * a_.key_dim));
    std::memset(values_grad_, 0, bytes(s_.rows * a_.value_dim));
    const int64_t group = a_.heads / a_.kv_heads;
    for (int64_t h = kv_head_ * group; h < (kv_head_ + 1) * group; ++h) {
      for (int64_t first = 0; first < s_.rows; first += kTileRows) {
        tile(h, first, std::min(kTileRows, s_.rows - first), rounded);
      }
    }
    store(keys_grad_, a_.key_dim, g_.keys);
    store(values_grad_, a_.value_dim, g_.values);
  }

 private:
  static size_t bytes(int64_t floats) { return static_cast<size_t>(floats) * sizeof(float); }

  void load(const std::vector<const uint8_t*>& chunks, int64_t stride, int64_t head_stride,
            int64_t n, float* to) const {
    for (int64_t t = 0; t < s_.rows; ++t) {
      const uint8_t* chunk = chunks[static_cast<size_t>(t / kAttentionChunk)];
      const int64_t at = t % kAttentionChunk * stride + kv_head_ * head_stride;
      k_.unpack_f32[static_cast<int>(a_.type)](chunk + row_bytes(a_.type, at), n, to + t * n);
    }
  }

  void store(const float* from, int64_t n, float* to) const {
    for (int64_t t = 0; t < s_.rows; ++t) {
      k_.add_scaled(from + t * n, n, 1.0f, to + (t * a_.kv_heads + kv_head_) * n);
    }
  }

  // Scaled queries, gradients of results and results of `count` tokens of head h, each contiguous.
  void gather(int64_t h, int64_t first, int64_t count, bool rounded) {
    const int64_t kd = a_.key_dim, vd = a_.value_dim;
    for (int64_t m = 0; m < count; ++m) {
      const int64_t row = (first + m) * a_.heads + h;
      float* q = q_ + m * kd;
      for (int64_t i = 0; i < kd; ++i) q[i] = s_.queries[row * kd + i] * a_.scale;
      if (rounded) {
        auto* halves = reinterpret_cast<uint16_t*>(q_grad_);
        k_.round_bf16(q, kd, halves);
        k_.unpack_f32[static_cast<int>(DType::kBF16)](reinterpret_cast<uint8_t*>(halves), kd, q);
      }
      std::memcpy(o_grad_ + m * vd, g_.out + row * vd, bytes(vd));
      std::memcpy(o_ + m * vd, s_.out + row * vd, bytes(vd));
    }
  }

  // turned [keys, count] = x [count, keys].
  void turn(const float* x, int64_t count, int64_t keys) {
    for (int64_t m = 0; m < count; ++m) {
      for (int64_t t = 0; t < keys; ++t) turned_[t * count + m] = x[m * keys + t];
    }
  }

  void tile(int64_t h, int64_t first, int64_t count, bool rounded) {
    const int64_t kd = a_.key_dim, vd = a_.value_dim, keys = first + count;
    gather(h, first, count, rounded);
    k_.dot_f32(keys_, kd, keys, q_, kd, count, kd, weights_, keys);
    k_.dot_f32(values_, vd, keys, o_grad_, vd, count, vd, scores_, keys);
    for (int64_t m = 0; m < count; ++m) {
      const int64_t seen = first + m + 1;
      float* p = weights_ + m * keys;
      float* s = scores_ + m * keys;
      const float total = k_.exp_sum(p, seen, k_.max(p, seen));
      k_.scale(p, seen, 1.0f / total);
      float mean = 0;
      k_.dot_f32(o_ + m * vd, vd, 1, o_grad_ + m * vd, vd, 1, vd, &mean, 1);
      for (int64_t t = 0; t < seen; ++t) s[t] = p[t] * (s[t] - mean);
      std::fill(p + seen, p + keys, 0.0f);
      std::fill(s + seen, s + keys, 0.0f);
    }
    turn(weights_, count, keys);
    k_.accumulate_f32(turned_, count, keys, o_grad_, vd, count, vd, values_grad_, vd);
    turn(scores_, count, keys);
    k_.accumulate_f32(turned_, count, keys, q_, kd, count, kd, keys_grad_, kd);
    std::memset(q_grad_, 0, bytes(count * kd));
    k_.accumulate_f32(scores_, keys, count, keys_, kd, keys, kd, q_grad_, kd);
    for (int64_t m = 0; m < count; ++m) {
      k_.add_scaled(q_grad_ + m * kd, kd, a_.scale, g_.queries + ((first + m) * a_.heads + h) * kd);
    }
  }

  const Kernels& k_;
  const AttentionHeads& a_;
  const AttentionSequence& s_;
  const Gradients& g_;
  int64_t kv_head_;
  float *keys_, *values_, *keys_grad_, *values_grad_;  // [rows, dim]
  float *q_, *q_grad_, *o_grad_, *o_;                  // [tile rows, dim]
  float *weights_, *scores_, *turned_;                 // [tile rows, rows], and turned round
};

}  // namespace

void record_attention(Context& ctx, const AttentionHeads& heads,
                      std::span<const AttentionSequence> sequences) {
  int64_t most_rows = 0;
  std::vector<AttentionSequence> list;
  for (const AttentionSequence& s : sequences) {
    if (s.rows == 0) continue;
    list.push_back(s);
    CHECK(s.first_position == 0 && s.key_source != nullptr && s.value_source != nullptr);
    most_rows = std::max(most_rows, s.rows);
  }
  Tape* tape = ctx.tape();
  tape->record([tape, a = heads, most_rows, list = std::move(list)](Context& c) {
    std::vector<Gradients> gradients;
    for (const AttentionSequence& s : list) {
      gradients.push_back({tape->gradient(s.out), tape->gradient(s.queries),
                           tape->gradient(s.key_source), tape->gradient(s.value_source)});
    }
    const bool rounded = a.type == DType::kBF16 && c.kernels().dot_bf16 != nullptr;
    const int64_t floats = HeadBackward::scratch(a, most_rows);
    float* memory = c.arena().allocate<float>(c.pool().size() * floats);
    const int64_t tasks = static_cast<int64_t>(list.size()) * a.kv_heads;
    c.pool().parallel_for(tasks, [&](int64_t i, int worker) {
      const auto s = static_cast<size_t>(i / a.kv_heads);
      HeadBackward(c.kernels(), a, list[s], gradients[s], i % a.kv_heads, memory + worker * floats)
          .run(rounded);
    });
  });
}

}  // namespace minke
