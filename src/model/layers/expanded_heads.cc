#include "model/layers/expanded_heads.h"

#include <algorithm>
#include <cstring>

#include "math/ops/tape.h"

namespace minke {
namespace {

// Tokens that are expanded at a time: bounds the memory they take in float32.
constexpr int64_t kBlockRows = 512;

}  // namespace

void store_full_heads(Context& ctx, const MlaConfig& c, DType type, const float* head_values,
                      const float* k_pe, uint8_t* keys, uint8_t* values) {
  for (int64_t h = 0; h < c.heads; ++h) {
    const float* from = head_values + h * (c.nope_dim + c.value_dim);
    uint8_t* key = keys + row_bytes(type, h * c.key_dim());
    store_values(ctx, from, c.nope_dim, type, key);
    store_values(ctx, k_pe, c.rope_dim, type, key + row_bytes(type, c.nope_dim));
    store_values(ctx, from + c.nope_dim, c.value_dim, type,
                 values + row_bytes(type, h * c.value_dim));
  }
}

AttentionHeads full_heads(const MlaConfig& c, DType type, int64_t key_stride,
                          int64_t value_stride) {
  AttentionHeads a;
  a.heads = a.kv_heads = c.heads;
  a.key_dim = a.key_head_stride = c.key_dim();
  a.value_dim = a.value_head_stride = c.value_dim;
  a.key_stride = key_stride;
  a.value_stride = value_stride;
  a.type = type;
  a.scale = c.scale;
  return a;
}

ExpandedHeads::ExpandedHeads(Context& ctx, const MlaConfig& config, std::vector<CachedRow> rows)
    : config_(config), rows_(std::move(rows)), type_(attention_type(ctx.kernels(), rows_[0].type)) {
  const auto n = static_cast<int64_t>(rows_.size());
  const int64_t keys = n * config.heads * config.key_dim();
  const int64_t values = n * config.heads * config.value_dim;
  keys_ = ctx.arena().allocate<uint8_t>(row_bytes(type_, keys));
  values_ = ctx.arena().allocate<uint8_t>(row_bytes(type_, values));
  if (ctx.tape() != nullptr) {
    key_source_ = ctx.activation({keys});
    value_source_ = ctx.activation({values});
  }
}

void ExpandedHeads::fill(Context& ctx, const Tensor& latent, const Tensor& k_pe,
                         const std::function<Tensor(const Tensor&)>& head_values) {
  const auto n = static_cast<int64_t>(rows_.size());
  const int64_t step = ctx.tape() == nullptr ? kBlockRows : n;
  for (int64_t first = 0; first < n; first += step) {
    const ScratchScope block(ctx);
    const int64_t count = std::min(step, n - first);
    const Tensor latents = ctx.activation({count, config_.kv_rank});
    for_row_blocks(ctx, count, [&](int64_t begin, int64_t rows) {
      for (int64_t t = begin; t < begin + rows; ++t) {
        const CachedRow& row = rows_[static_cast<size_t>(first + t)];
        load_values(ctx, row.data, config_.kv_rank, row.type, latents.f32() + t * config_.kv_rank);
      }
    });
    if (ctx.tape() != nullptr) record_latents(ctx, first, latents, latent);
    const Tensor values = head_values(latents);
    fill_block(ctx, first, latents, values);
    if (ctx.tape() != nullptr) record_block(ctx, first, values, k_pe);
  }
}

// Keys and values of the rows from `first` on; values [n, heads, nope_dim + value_dim].
void ExpandedHeads::fill_block(Context& ctx, int64_t first, const Tensor& latents,
                               const Tensor& values) {
  const MlaConfig& c = config_;
  float* pe = ctx.arena().allocate<float>(ctx.pool().size() * c.rope_dim);
  ctx.pool().parallel_for(latents.rows(), [&](int64_t t, int worker) {
    const CachedRow& row = rows_[static_cast<size_t>(first + t)];
    float* k_pe = pe + worker * c.rope_dim;
    load_values(ctx, row.data + row_bytes(row.type, c.kv_rank), c.rope_dim, row.type, k_pe);
    store_full_heads(ctx, c, type_, values.f32() + t * values.columns(), k_pe,
                     keys_ + row_bytes(type_, (first + t) * c.heads * c.key_dim()),
                     values_ + row_bytes(type_, (first + t) * c.heads * c.value_dim));
  });
}

AttentionHeads ExpandedHeads::heads() const {
  return full_heads(config_, type_, config_.heads * config_.key_dim(),
                    config_.heads * config_.value_dim);
}

AttentionSequence ExpandedHeads::sequence(int64_t first, int64_t rows) const {
  const int64_t keys = config_.heads * config_.key_dim();
  const int64_t values = config_.heads * config_.value_dim;
  AttentionSequence s;
  s.keys = attention_chunks(keys_ + row_bytes(type_, first * keys), row_bytes(type_, keys), rows);
  s.values =
      attention_chunks(values_ + row_bytes(type_, first * values), row_bytes(type_, values), rows);
  if (key_source_) {
    s.key_source = key_source_.f32() + first * keys;
    s.value_source = value_source_.f32() + first * values;
  }
  return s;
}

void ExpandedHeads::record_latents(Context& ctx, int64_t first, const Tensor& latents,
                                   const Tensor& latent) {
  Tape* tape = ctx.tape();
  tape->record([=, rows = rows_](Context& c) {
    const int64_t n = latents.columns();
    const float* grad = tape->gradient(latents.f32());
    float* to = tape->gradient(latent.f32());
    for_row_blocks(c, latents.rows(), [&](int64_t begin, int64_t count) {
      for (int64_t t = begin; t < begin + count; ++t) {
        const int64_t source = rows[static_cast<size_t>(first + t)].source;
        if (source >= 0) c.kernels().add_scaled(grad + t * n, n, 1.0f, to + source * n);
      }
    });
  });
}

void ExpandedHeads::record_block(Context& ctx, int64_t first, const Tensor& values,
                                 const Tensor& k_pe) {
  Tape* tape = ctx.tape();
  tape->record(
      [=, c = config_, rows = rows_, keys = key_source_, whole = value_source_](Context& context) {
        const int64_t width = c.nope_dim + c.value_dim;
        const float* key_grad = tape->gradient(keys.f32());
        const float* value_grad = tape->gradient(whole.f32());
        float* to = tape->gradient(values.f32());
        float* pe_grad = tape->gradient(k_pe.f32());
        const auto add_head = [&](int64_t t, int64_t h, int64_t source) {
          const Kernels& k = context.kernels();
          const int64_t head = (first + t) * c.heads + h;
          float* out = to + (t * c.heads + h) * width;
          const float* key = key_grad + head * c.key_dim();
          k.add_scaled(key, c.nope_dim, 1.0f, out);
          k.add_scaled(value_grad + head * c.value_dim, c.value_dim, 1.0f, out + c.nope_dim);
          if (source >= 0) {
            k.add_scaled(key + c.nope_dim, c.rope_dim, 1.0f, pe_grad + source * c.rope_dim);
          }
        };
        for_row_blocks(context, values.rows(), [&](int64_t begin, int64_t count) {
          for (int64_t t = begin; t < begin + count; ++t) {
            const int64_t source = rows[static_cast<size_t>(first + t)].source;
            for (int64_t h = 0; h < c.heads; ++h) add_head(t, h, source);
          }
        });
      });
}

}  // namespace minke
