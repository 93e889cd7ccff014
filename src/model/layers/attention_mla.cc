#include "model/layers/attention_mla.h"

#include <algorithm>
#include <cstring>

#include "math/ops/matmul.h"

namespace minke {
namespace {

// Tokens whose keys and values are expanded at a time: bounds the memory they take in float32.
constexpr int64_t kExpandedRows = 512;

// The weight rows that make the values of head `h` out of latents.
ProductGroup value_rows(const AttentionMla& layer, const MlaConfig& c, int64_t h) {
  ProductGroup g;
  g.weight = layer.heads.kv_b ? &layer.heads.kv_b : &layer.heads.v_b;
  g.weight_first = layer.heads.kv_b ? h * (c.nope_dim + c.value_dim) + c.nope_dim : h * c.value_dim;
  g.weight_rows = c.value_dim;
  return g;
}

void copy_floats(const float* from, int64_t count, float* to) {
  std::memcpy(to, from, static_cast<size_t>(count) * sizeof(float));
}

// The matrix [rows, columns] at row `first` of `w`, as floats.
void decode_rows(const Kernels& k, const Tensor& w, int64_t first, int64_t rows, float* out) {
  for (int64_t r = 0; r < rows; ++r) decode_weight_row(k, w, first + r, out + r * w.columns());
}

}  // namespace

void AttentionMla::visit(WeightVisitor& visitor, const MlaConfig& c) {
  const int64_t q_rows = c.heads * c.key_dim();
  const WeightVisitor::Scope scope(visitor, "self_attn.", "");
  if (c.q_rank > 0) {
    visitor.matrix({"q_a_proj.weight", "attn_q_a.weight"}, q_a, {c.q_rank, c.dim});
    visitor.vector({"q_a_layernorm.weight", "attn_q_a_norm.weight"}, q_a_norm, c.q_rank);
    visitor.matrix({"q_b_proj.weight", "attn_q_b.weight"}, q_b, {q_rows, c.q_rank});
  } else {
    visitor.matrix({"q_proj.weight", "attn_q.weight"}, q, {q_rows, c.dim});
  }
  visitor.matrix({"kv_a_proj_with_mqa.weight", "attn_kv_a_mqa.weight"}, kv_a,
                 {c.kv_width(), c.dim});
  visitor.vector({"kv_a_layernorm.weight", "attn_kv_a_norm.weight"}, kv_a_norm, c.kv_rank);
  visitor.latent_heads(heads, {c.heads, c.nope_dim, c.value_dim, c.kv_rank});
  visitor.matrix({"o_proj.weight", "attn_output.weight"}, o, {c.dim, c.heads * c.value_dim});
}

Tensor AttentionMla::queries(Context& ctx, const Tensor& x, const RopeAngles& angles,
                             const MlaConfig& c) const {
  const Tensor query =
      c.q_rank > 0 ? linear(ctx, rms_norm(ctx, linear(ctx, x, q_a), q_a_norm, c.norm_eps), q_b)
                   : linear(ctx, x, q);
  return rope(ctx, query, c.key_dim(), angles, RopeLayout::kInterleaved);
}

Tensor AttentionMla::forward(Context& ctx, const Tensor& x, const RopeAngles& angles,
                             const Batch& batch, int layer, const MlaConfig& c) const {
  const Tensor query = queries(ctx, x, angles, c);
  const Tensor kv = linear(ctx, x, kv_a);
  const Tensor latent = rms_norm(ctx, select_columns(ctx, kv, 0, c.kv_rank), kv_a_norm, c.norm_eps);
  const Tensor k_pe = rope(ctx, select_columns(ctx, kv, c.kv_rank, c.rope_dim), c.rope_dim, angles,
                           RopeLayout::kInterleaved);
  Tensor out = ctx.activation({x.rows(), c.heads * c.value_dim});
  for (const Segment& s : batch.segments) {
    const DType type = s.cache->layout().type;
    for (int64_t i = 0; i < s.rows; ++i) {
      uint8_t* row = s.cache->row(layer, s.cache->length() + i);
      store_values(ctx, latent.f32() + (s.first_row + i) * c.kv_rank, c.kv_rank, type, row);
      store_values(ctx, k_pe.f32() + (s.first_row + i) * c.rope_dim, c.rope_dim, type,
                   row + row_bytes(type, c.kv_rank));
    }
    float* to = out.f32() + s.first_row * out.columns();
    if (ctx.phase() == Phase::kPrefill) {
      expanded(ctx, query, s, layer, c, to);
    } else {
      absorbed(ctx, query, s, layer, c, to);
    }
  }
  return linear(ctx, out, o);
}

// keys [n, heads, key_dim]: writes the first nope_dim values of each head from latents [n,
// kv_rank].
void AttentionMla::expand_keys(Context& ctx, const Tensor& latents, const MlaConfig& c,
                               float* keys) const {
  const int64_t n = latents.rows(), stride = c.heads * c.key_dim();
  if (heads.kv_b) {
    std::vector<ProductGroup> groups;
    for (int64_t h = 0; h < c.heads; ++h) {
      groups.push_back(
          {&heads.kv_b, h * (c.nope_dim + c.value_dim), c.nope_dim, 0, n, h * c.key_dim()});
    }
    grouped_product(ctx, groups, prepare(ctx, latents, {&heads.kv_b}), keys, stride);
    return;
  }
  // k_b stands transposed: turn each head's part round once, so that keys are the same sums as from
  // kv_b.
  const int64_t size = c.kv_rank * c.nope_dim;
  float* weights = ctx.arena().allocate<float>(ctx.pool().size() * 2 * size);
  ctx.pool().parallel_for(c.heads, [&](int64_t h, int worker) {
    float* stored = weights + worker * 2 * size;
    float* turned = stored + size;
    decode_rows(ctx.kernels(), heads.k_b, h * c.kv_rank, c.kv_rank, stored);
    for (int64_t d = 0; d < c.nope_dim; ++d) {
      for (int64_t r = 0; r < c.kv_rank; ++r)
        turned[d * c.kv_rank + r] = stored[r * c.nope_dim + d];
    }
    ctx.kernels().dot_f32(turned, c.kv_rank, c.nope_dim, latents.f32(), c.kv_rank, n, c.kv_rank,
                          keys + h * c.key_dim(), stride);
  });
}

// keys [count, heads, key_dim] and values [count, heads, value_dim] of the cached tokens from
// `first` on.
void AttentionMla::expand(Context& ctx, const Segment& s, int layer, int64_t first, int64_t count,
                          const MlaConfig& c, float* keys, float* values) const {
  const DType type = s.cache->layout().type;
  const Tensor latents = ctx.activation({count, c.kv_rank});
  ctx.pool().parallel_for(count, [&](int64_t t, int) {
    load_values(ctx, s.cache->row(layer, first + t), c.kv_rank, type,
                latents.f32() + t * c.kv_rank);
  });
  expand_keys(ctx, latents, c, keys);
  ctx.pool().parallel_for(count, [&](int64_t t, int) {
    float* k_pe = keys + t * c.heads * c.key_dim() + c.nope_dim;
    load_values(ctx, s.cache->row(layer, first + t) + row_bytes(type, c.kv_rank), c.rope_dim, type,
                k_pe);
    for (int64_t h = 1; h < c.heads; ++h) copy_floats(k_pe, c.rope_dim, k_pe + h * c.key_dim());
  });
  std::vector<ProductGroup> groups;
  for (int64_t h = 0; h < c.heads; ++h) {
    ProductGroup g = value_rows(*this, c, h);
    g.rows = count;
    g.column = h * c.value_dim;
    groups.push_back(g);
  }
  grouped_product(ctx, groups, prepare(ctx, latents, {groups[0].weight}), values,
                  c.heads * c.value_dim);
}

// out [rows, heads, value_dim], keys and values of all cached tokens expanded to full heads.
void AttentionMla::expanded(Context& ctx, const Tensor& query, const Segment& s, int layer,
                            const MlaConfig& c, float* out) const {
  const ScratchScope scratch(ctx);
  const int64_t start = s.cache->length();
  const int64_t n = start + s.rows;
  const int64_t key_stride = c.heads * c.key_dim(), value_stride = c.heads * c.value_dim;
  // Rounded like the cache if that makes attention faster.
  const bool round = s.cache->layout().type == DType::kBF16 && ctx.kernels().dot_bf16 != nullptr;
  const DType type = round ? DType::kBF16 : DType::kF32;
  uint8_t* keys = ctx.arena().allocate<uint8_t>(row_bytes(type, n * key_stride));
  uint8_t* values = ctx.arena().allocate<uint8_t>(row_bytes(type, n * value_stride));
  for (int64_t first = 0; first < n; first += kExpandedRows) {
    const ScratchScope block(ctx);
    const int64_t count = std::min(kExpandedRows, n - first);
    uint8_t* rows_of_keys = keys + row_bytes(type, first * key_stride);
    uint8_t* rows_of_values = values + row_bytes(type, first * value_stride);
    if (!round) {
      expand(ctx, s, layer, first, count, c, reinterpret_cast<float*>(rows_of_keys),
             reinterpret_cast<float*>(rows_of_values));
      continue;
    }
    const Tensor exact_keys = ctx.activation({count, key_stride});
    const Tensor exact_values = ctx.activation({count, value_stride});
    expand(ctx, s, layer, first, count, c, exact_keys.f32(), exact_values.f32());
    ctx.pool().parallel_for(count, [&](int64_t t, int) {
      store_values(ctx, exact_keys.f32() + t * key_stride, key_stride, type,
                   rows_of_keys + row_bytes(type, t * key_stride));
      store_values(ctx, exact_values.f32() + t * value_stride, value_stride, type,
                   rows_of_values + row_bytes(type, t * value_stride));
    });
  }

  AttentionArgs a;
  a.queries = query.f32() + s.first_row * query.columns();
  a.rows = s.rows;
  a.first_position = start;
  a.heads = a.kv_heads = c.heads;
  a.key_dim = a.key_head_stride = c.key_dim();
  a.value_dim = a.value_head_stride = c.value_dim;
  a.type = type;
  a.keys = keys;
  a.values = values;
  a.key_stride = key_stride;
  a.value_stride = value_stride;
  a.scale = c.scale;
  attention(ctx, a, out);
}

// nope [heads * rows, nope_dim], head by head -> [heads * rows, kv_rank]: each head's queries,
// taken into the latent space.
Tensor AttentionMla::absorb_queries(Context& ctx, const Tensor& nope, int64_t rows,
                                    const MlaConfig& c) const {
  Tensor out = ctx.activation({c.heads * rows, c.kv_rank});
  if (!heads.kv_b) {
    std::vector<ProductGroup> groups;
    for (int64_t h = 0; h < c.heads; ++h) {
      groups.push_back({&heads.k_b, h * c.kv_rank, c.kv_rank, h * rows, rows, 0});
    }
    grouped_product(ctx, groups, prepare(ctx, nope, {&heads.k_b}), out.f32(), c.kv_rank);
    return out;
  }
  float* weights = ctx.arena().allocate<float>(ctx.pool().size() * c.nope_dim * c.kv_rank);
  ctx.pool().parallel_for(c.heads, [&](int64_t h, int worker) {
    float* w = weights + worker * c.nope_dim * c.kv_rank;
    decode_rows(ctx.kernels(), heads.kv_b, h * (c.nope_dim + c.value_dim), c.nope_dim, w);
    float* to = out.f32() + h * rows * c.kv_rank;
    std::fill_n(to, rows * c.kv_rank, 0.0f);
    ctx.kernels().accumulate_f32(nope.f32() + h * rows * c.nope_dim, c.nope_dim, rows, w, c.kv_rank,
                                 c.nope_dim, c.kv_rank, to, c.kv_rank);
  });
  return out;
}

// out [rows, heads, value_dim], computed on the latents as they lie in the cache: one key-value
// head of width kv_rank + rope_dim.
void AttentionMla::absorbed(Context& ctx, const Tensor& query, const Segment& s, int layer,
                            const MlaConfig& c, float* out) const {
  const ScratchScope scratch(ctx);
  const float* q_rows = query.f32() + s.first_row * query.columns();
  Tensor nope = ctx.activation({c.heads * s.rows, c.nope_dim});
  for (int64_t h = 0; h < c.heads; ++h) {
    for (int64_t m = 0; m < s.rows; ++m) {
      copy_floats(q_rows + (m * c.heads + h) * c.key_dim(), c.nope_dim,
                  nope.f32() + (h * s.rows + m) * c.nope_dim);
    }
  }
  const Tensor absorbed_q = absorb_queries(ctx, nope, s.rows, c);
  Tensor latent_q = ctx.activation({s.rows, c.heads, c.kv_width()});
  for (int64_t m = 0; m < s.rows; ++m) {
    for (int64_t h = 0; h < c.heads; ++h) {
      float* to = latent_q.f32() + (m * c.heads + h) * c.kv_width();
      copy_floats(absorbed_q.f32() + (h * s.rows + m) * c.kv_rank, c.kv_rank, to);
      copy_floats(q_rows + (m * c.heads + h) * c.key_dim() + c.nope_dim, c.rope_dim,
                  to + c.kv_rank);
    }
  }
  AttentionArgs a;
  a.queries = latent_q.f32();
  a.rows = s.rows;
  a.first_position = s.cache->length();
  a.heads = c.heads;
  a.kv_heads = 1;
  a.key_dim = a.key_stride = a.value_stride = c.kv_width();
  a.value_dim = c.kv_rank;
  a.type = s.cache->layout().type;
  a.keys = a.values = s.cache->row(layer, 0);
  a.scale = c.scale;
  Tensor sums = ctx.activation({s.rows, c.heads, c.kv_rank});
  attention(ctx, a, sums.f32());

  Tensor by_head = ctx.activation({c.heads * s.rows, c.kv_rank});
  std::vector<ProductGroup> groups;
  for (int64_t h = 0; h < c.heads; ++h) {
    for (int64_t m = 0; m < s.rows; ++m) {
      copy_floats(sums.f32() + (m * c.heads + h) * c.kv_rank, c.kv_rank,
                  by_head.f32() + (h * s.rows + m) * c.kv_rank);
    }
    ProductGroup g = value_rows(*this, c, h);
    g.first = h * s.rows;
    g.rows = s.rows;
    groups.push_back(g);
  }
  Tensor values = ctx.activation({c.heads * s.rows, c.value_dim});
  grouped_product(ctx, groups, prepare(ctx, by_head, {groups[0].weight}), values.f32(),
                  c.value_dim);
  for (int64_t h = 0; h < c.heads; ++h) {
    for (int64_t m = 0; m < s.rows; ++m) {
      copy_floats(values.f32() + (h * s.rows + m) * c.value_dim, c.value_dim,
                  out + (m * c.heads + h) * c.value_dim);
    }
  }
}

}  // namespace minke
