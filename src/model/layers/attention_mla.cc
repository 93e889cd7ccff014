#include "model/layers/attention_mla.h"

#include <algorithm>
#include <cstring>

#include "base/core/check.h"
#include "math/ops/matmul.h"
#include "math/ops/panels.h"
#include "model/layers/expanded_heads.h"
#include "model/layers/segment_rows.h"

namespace minke {
namespace {

// Cached tokens of short sequences whose keys and values are expanded together.
constexpr int64_t kExpandedTogether = 4096;
// Rows of short segments that are taken to the latents together: bounds the memory that all heads
// take there, and is enough to share the reading of weights.
constexpr int64_t kAbsorbedTogether = 64;

std::vector<CachedRow> cached_rows(std::span<const Segment> segments, int layer) {
  std::vector<CachedRow> rows;
  for (const Segment& s : segments) {
    const int64_t start = s.cache->length();
    for (int64_t t = 0; t < segment_end(s); ++t) {
      rows.push_back({s.cache->row(layer, t), t < start ? -1 : s.first_row + t - start,
                      s.cache->layout().type});
    }
  }
  return rows;
}

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

// The first nope_dim of each head's columns of out [n, heads, nope_dim + value_dim]: latents
// [n, kv_rank] times that head's rows of k_b. These stand transposed and are turned round once, so
// that keys are the same sums as from kv_b.
void exact_keys(Context& ctx, const Tensor& k_b, const Tensor& latents, const MlaConfig& c,
                const Tensor& out) {
  const int64_t size = c.kv_rank * c.nope_dim;
  float* weights = ctx.arena().allocate<float>(ctx.pool().size() * 2 * size);
  ctx.pool().parallel_for(c.heads, [&](int64_t h, int worker) {
    float* stored = weights + worker * 2 * size;
    float* turned = stored + size;
    decode_rows(ctx.kernels(), k_b, h * c.kv_rank, c.kv_rank, stored);
    for (int64_t d = 0; d < c.nope_dim; ++d) {
      for (int64_t r = 0; r < c.kv_rank; ++r)
        turned[d * c.kv_rank + r] = stored[r * c.nope_dim + d];
    }
    ctx.kernels().dot_f32(turned, c.kv_rank, c.nope_dim, latents.f32(), c.kv_rank, latents.rows(),
                          c.kv_rank, out.f32() + h * (c.nope_dim + c.value_dim), out.columns());
  });
}

// The same of weights and latents that are rounded to bfloat16.
void rounded_keys(Context& ctx, const Tensor& k_b, const Tensor& latents, const MlaConfig& c,
                  const Tensor& out) {
  const Kernels& k = ctx.kernels();
  const int64_t size = c.kv_rank * c.nope_dim;
  auto* weights = ctx.arena().allocate<uint16_t>(c.heads * size);
  auto* rounded = ctx.arena().allocate<uint16_t>(latents.shape.elements());
  float* floats = ctx.arena().allocate<float>(ctx.pool().size() * size);
  ctx.pool().parallel_for(c.heads, [&](int64_t h, int worker) {
    float* stored = floats + worker * size;
    decode_rows(k, k_b, h * c.kv_rank, c.kv_rank, stored);
    k.round_bf16(stored, size, weights + h * size);
  });
  ctx.pool().parallel_for(latents.rows(), [&](int64_t m, int) {
    k.round_bf16(latents.f32() + m * c.kv_rank, c.kv_rank, rounded + m * c.kv_rank);
  });
  std::vector<PanelProduct> products;
  for (int64_t h = 0; h < c.heads; ++h) {
    PanelProduct p;
    p.left = {rounded, c.kv_rank, false};
    p.rows = latents.rows();
    p.right = {weights + h * size, c.nope_dim, true};
    p.columns = c.nope_dim;
    p.inner = c.kv_rank;
    p.out = out.f32() + h * (c.nope_dim + c.value_dim);
    p.out_stride = out.columns();
    products.push_back(p);
  }
  multiply_panels(ctx, products);
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

Tensor AttentionMla::queries(Context& ctx, const Activations& x, const RopeAngles& angles,
                             const MlaConfig& c) const {
  const Tensor query =
      c.q_rank > 0 ? linear(ctx, rms_norm(ctx, linear(ctx, x, q_a), q_a_norm, c.norm_eps), q_b)
                   : linear(ctx, x, q);
  return rope(ctx, query, c.key_dim(), angles, RopeLayout::kInterleaved);
}

Tensor AttentionMla::forward(Context& ctx, const Tensor& x, const RopeAngles& angles,
                             const Batch& batch, int layer, const MlaConfig& c) const {
  const Activations in = prepare(ctx, x, {c.q_rank > 0 ? &q_a : &q, &kv_a});
  const Tensor query = queries(ctx, in, angles, c);
  const Tensor kv = linear(ctx, in, kv_a);
  const Tensor latent = rms_norm(ctx, select_columns(ctx, kv, 0, c.kv_rank), kv_a_norm, c.norm_eps);
  const Tensor k_pe = rope(ctx, select_columns(ctx, kv, c.kv_rank, c.rope_dim), c.rope_dim, angles,
                           RopeLayout::kInterleaved);
  for (const Segment& s : batch.segments) {
    const DType type = s.cache->layout().type;
    for (int64_t i = 0; i < s.rows; ++i) {
      uint8_t* row = s.cache->new_row(layer, s.cache->length() + i);
      store_with_one_scale(ctx, latent.f32() + (s.first_row + i) * c.kv_rank, c.kv_rank, type, row);
      store_with_one_scale(ctx, k_pe.f32() + (s.first_row + i) * c.rope_dim, c.rope_dim, type,
                           row + row_bytes(type, c.kv_rank));
    }
  }
  const Tensor out = ctx.phase() == Phase::kPrefill
                         ? expanded(ctx, query, latent, k_pe, batch, layer, c)
                         : absorbed(ctx, query, batch, layer, c);
  return linear(ctx, out, o);
}

// latents [n, kv_rank] -> [n, heads, nope_dim + value_dim]: the parts of keys and the values that
// they stand for.
Tensor AttentionMla::head_values(Context& ctx, const Tensor& latents, const MlaConfig& c) const {
  if (heads.kv_b) return linear(ctx, latents, heads.kv_b);
  const int64_t n = latents.rows(), width = c.nope_dim + c.value_dim, stride = c.heads * width;
  const Tensor out = ctx.activation({n, stride});
  if (is_quantized(heads.k_b.type) && ctx.kernels().multiply_bf16 != nullptr) {
    rounded_keys(ctx, heads.k_b, latents, c, out);
  } else {
    exact_keys(ctx, heads.k_b, latents, c, out);
  }
  std::vector<ProductGroup> groups;
  for (int64_t h = 0; h < c.heads; ++h) {
    ProductGroup g = value_rows(*this, c, h);
    g.rows = n;
    g.column = h * width + c.nope_dim;
    groups.push_back(g);
  }
  grouped_product(ctx, groups, prepare(ctx, latents, {&heads.v_b}), out.f32(), stride);
  return out;
}

// [M, heads * value_dim], with keys and values of all cached tokens expanded to full heads.
Tensor AttentionMla::expanded(Context& ctx, const Tensor& query, const Tensor& latent,
                              const Tensor& k_pe, const Batch& batch, int layer,
                              const MlaConfig& c) const {
  if (batch.segments[0].cache->layout().extra_bytes > 0) {
    return expanded_in_cache(ctx, query, batch, layer, c);
  }
  const Tensor out = ctx.activation({query.rows(), c.heads * c.value_dim});
  const ScratchScope scratch(ctx);
  for (size_t begin = 0, end; begin < batch.segments.size(); begin = end) {
    const ScratchScope some(ctx);
    end = begin + 1;
    int64_t rows = segment_end(batch.segments[begin]);
    while (end < batch.segments.size() &&
           rows + segment_end(batch.segments[end]) <= kExpandedTogether) {
      rows += segment_end(batch.segments[end++]);
    }
    const auto segments = batch.segments.subspan(begin, end - begin);
    ExpandedHeads expanded_heads(ctx, c, cached_rows(segments, layer));
    expanded_heads.fill(ctx, latent, k_pe,
                        [&](const Tensor& latents) { return head_values(ctx, latents, c); });
    std::vector<AttentionSequence> sequences;
    int64_t first = 0;
    for (const Segment& s : segments) {
      sequences.push_back(expanded_heads.sequence(first, segment_end(s)));
      set_rows(s, query, out, sequences.back());
      first += segment_end(s);
    }
    attention(ctx, expanded_heads.heads(), sequences);
  }
  return out;
}

// The same bits as expanded(), with each token's keys and values expanded once and kept in the
// cache: rows [latent, k_pe | keys [heads, key_dim], values [heads, value_dim]].
Tensor AttentionMla::expanded_in_cache(Context& ctx, const Tensor& query, const Batch& batch,
                                       int layer, const MlaConfig& c) const {
  CHECK(ctx.tape() == nullptr);
  const KvLayout& layout = batch.segments[0].cache->layout();
  const DType type = attention_type(ctx.kernels(), layout.type);
  CHECK(layout.extra_bytes >= row_bytes(type, c.full_head_values()));
  const int64_t keys_at = layout.extra_offset();
  const int64_t values_at = keys_at + row_bytes(type, c.heads * c.key_dim());
  const Tensor out = ctx.activation({query.rows(), c.heads * c.value_dim});
  const ScratchScope scratch(ctx);

  std::vector<uint8_t*> rows;
  for (const Segment& s : batch.segments) {
    for (int64_t i = 0; i < s.rows; ++i) {
      rows.push_back(s.cache->new_row(layer, s.cache->length() + i));
    }
  }
  const Tensor latents = ctx.activation({query.rows(), c.kv_rank});
  const Tensor k_pe = ctx.activation({query.rows(), c.rope_dim});
  for (size_t m = 0; m < rows.size(); ++m) {
    const auto row = static_cast<int64_t>(m);
    load_values(ctx, rows[m], c.kv_rank, layout.type, latents.f32() + row * c.kv_rank);
    load_values(ctx, rows[m] + row_bytes(layout.type, c.kv_rank), c.rope_dim, layout.type,
                k_pe.f32() + row * c.rope_dim);
  }
  const Tensor values = head_values(ctx, latents, c);
  ctx.pool().parallel_for(query.rows(), [&](int64_t m, int) {
    uint8_t* row = rows[static_cast<size_t>(m)];
    store_full_heads(ctx, c, type, values.f32() + m * values.columns(), k_pe.f32() + m * c.rope_dim,
                     row + keys_at, row + values_at);
  });

  const int64_t stride = layout.row_bytes() / row_bytes(type, 1);
  std::vector<AttentionSequence> sequences;
  for (const Segment& s : batch.segments) {
    sequences.push_back(cached_sequence(s, layer, keys_at, values_at, query, out));
  }
  attention(ctx, full_heads(c, type, stride, stride), sequences);
  return out;
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

// [M, heads * value_dim], computed on the latents as they lie in the cache.
Tensor AttentionMla::absorbed(Context& ctx, const Tensor& query, const Batch& batch, int layer,
                              const MlaConfig& c) const {
  const Tensor out = ctx.activation({query.rows(), c.heads * c.value_dim});
  for (size_t begin = 0, end; begin < batch.segments.size(); begin = end) {
    int64_t rows = batch.segments[begin].rows;
    for (end = begin + 1; end < batch.segments.size(); ++end) {
      if (rows + batch.segments[end].rows > kAbsorbedTogether) break;
      rows += batch.segments[end].rows;
    }
    absorbed_segments(ctx, query, batch.segments.subspan(begin, end - begin), rows, layer, c, out);
  }
  return out;
}

// The `rows` rows of some segments that follow one another: one key-value head of width kv_rank +
// rope_dim. What passes weights stands head by head, so that each head's are read once for all
// rows.
void AttentionMla::absorbed_segments(Context& ctx, const Tensor& query,
                                     std::span<const Segment> segments, int64_t rows, int layer,
                                     const MlaConfig& c, const Tensor& out) const {
  const ScratchScope scratch(ctx);
  const float* q_rows = query.f32() + segments[0].first_row * query.columns();
  float* out_rows = out.f32() + segments[0].first_row * out.columns();
  // Calls body(index of [row, head], index of [head, row]) for all of them.
  const auto for_heads = [&](const auto& body) {
    ctx.pool().parallel_for(rows, [&](int64_t m, int) {
      for (int64_t h = 0; h < c.heads; ++h) body(m * c.heads + h, h * rows + m);
    });
  };
  const Tensor nope = ctx.activation({c.heads * rows, c.nope_dim});
  for_heads([&](int64_t by_row, int64_t by_head) {
    copy_floats(q_rows + by_row * c.key_dim(), c.nope_dim, nope.f32() + by_head * c.nope_dim);
  });
  const Tensor absorbed_q = absorb_queries(ctx, nope, rows, c);
  const Tensor latent_q = ctx.activation({rows, c.heads * c.kv_width()});
  for_heads([&](int64_t by_row, int64_t by_head) {
    float* to = latent_q.f32() + by_row * c.kv_width();
    copy_floats(absorbed_q.f32() + by_head * c.kv_rank, c.kv_rank, to);
    copy_floats(q_rows + by_row * c.key_dim() + c.nope_dim, c.rope_dim, to + c.kv_rank);
  });
  const Tensor sums = ctx.activation({rows, c.heads * c.kv_rank});
  attend_to_latents(ctx, latent_q, segments, layer, c, sums);

  const Tensor head_sums = ctx.activation({c.heads * rows, c.kv_rank});
  for_heads([&](int64_t by_row, int64_t by_head) {
    copy_floats(sums.f32() + by_row * c.kv_rank, c.kv_rank, head_sums.f32() + by_head * c.kv_rank);
  });
  std::vector<ProductGroup> groups;
  for (int64_t h = 0; h < c.heads; ++h) {
    ProductGroup g = value_rows(*this, c, h);
    g.first = h * rows;
    g.rows = rows;
    groups.push_back(g);
  }
  const Tensor values = ctx.activation({c.heads * rows, c.value_dim});
  grouped_product(ctx, groups, prepare(ctx, head_sums, {groups[0].weight}), values.f32(),
                  c.value_dim);
  for_heads([&](int64_t by_row, int64_t by_head) {
    copy_floats(values.f32() + by_head * c.value_dim, c.value_dim, out_rows + by_row * c.value_dim);
  });
}

// out [rows, heads * kv_rank]: sums of the segments' cached latents, weighted by their products
// with queries [rows, heads * kv_width].
void AttentionMla::attend_to_latents(Context& ctx, const Tensor& query,
                                     std::span<const Segment> segments, int layer,
                                     const MlaConfig& c, const Tensor& out) const {
  const KvLayout& layout = segments[0].cache->layout();
  AttentionHeads latent_head;
  latent_head.heads = c.heads;
  latent_head.kv_heads = 1;
  latent_head.key_dim = c.kv_width();
  latent_head.value_dim = c.kv_rank;
  latent_head.type = layout.type;
  latent_head.key_stride = latent_head.value_stride = layout.row_stride();
  latent_head.latents = layout.type == DType::kQ8_0;
  latent_head.scale = c.scale;
  std::vector<AttentionSequence> sequences;
  for (const Segment& s : segments) {
    sequences.push_back(cached_sequence(s, layer, 0, 0, query, out, segments[0].first_row));
  }
  attention(ctx, latent_head, sequences);
}

}  // namespace minke
