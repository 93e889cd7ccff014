#pragma once

#include "math/ops/matmul.h"
#include "model/kv/batch.h"
#include "model/layers/weights.h"

namespace minke {

// Multi-head latent attention (DeepSeek-V2 report, section 2.1 and appendix C). The cache holds,
// for a token and layer, the normalised latent c [kv_rank] and one rotated key k_pe [rope_dim] that
// all heads share.
struct MlaConfig {
  int64_t dim = 0;
  int64_t heads = 0;
  int64_t q_rank = 0;  // 0: queries are not compressed
  int64_t kv_rank = 0;
  int64_t nope_dim = 0, rope_dim = 0, value_dim = 0;  // of a head
  float norm_eps = 1e-6f;
  float scale = 1;  // of the scores

  int64_t key_dim() const { return nope_dim + rope_dim; }
  int64_t kv_width() const { return kv_rank + rope_dim; }
  // Values of a token's keys and values in full heads.
  int64_t full_head_values() const { return heads * (key_dim() + value_dim); }
};

struct AttentionMla {
  Tensor q;                   // [heads * key_dim, dim], if not compressed
  Tensor q_a, q_a_norm, q_b;  // [q_rank, dim], [q_rank], [heads * key_dim, q_rank], if compressed
  Tensor kv_a, kv_a_norm;     // [kv_width, dim], [kv_rank]
  LatentHeads heads;
  Tensor o;  // [dim, heads * value_dim]

  void visit(WeightVisitor& visitor, const MlaConfig& config);
  // x [M, dim] -> [M, dim]. Writes the tokens' latents into their caches' `layer`.
  Tensor forward(Context& ctx, const Tensor& x, const RopeAngles& angles, const Batch& batch,
                 int layer, const MlaConfig& config) const;

 private:
  Tensor queries(Context& ctx, const Activations& x, const RopeAngles& angles,
                 const MlaConfig& config) const;
  Tensor expanded(Context& ctx, const Tensor& query, const Tensor& latent, const Tensor& k_pe,
                  const Batch& batch, int layer, const MlaConfig& config) const;
  Tensor expanded_in_cache(Context& ctx, const Tensor& query, const Batch& batch, int layer,
                           const MlaConfig& config) const;
  Tensor head_values(Context& ctx, const Tensor& latents, const MlaConfig& config) const;
  Tensor absorbed(Context& ctx, const Tensor& query, const Batch& batch, int layer,
                  const MlaConfig& config) const;
  void absorbed_segments(Context& ctx, const Tensor& query, std::span<const Segment> segments,
                         int64_t rows, int layer, const MlaConfig& config, const Tensor& out) const;
  void attend_to_latents(Context& ctx, const Tensor& query, std::span<const Segment> segments,
                         int layer, const MlaConfig& config, const Tensor& out) const;
  Tensor absorb_queries(Context& ctx, const Tensor& nope, int64_t rows,
                        const MlaConfig& config) const;
};

}  // namespace minke
