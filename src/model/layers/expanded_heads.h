#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "model/layers/attention_mla.h"

namespace minke {

// Keys [heads, key_dim] and values [heads, value_dim] of one token, from its head_values [heads,
// nope_dim + value_dim] and its rotated key [rope_dim].
void store_full_heads(Context& ctx, const MlaConfig& config, DType type, const float* head_values,
                      const float* k_pe, uint8_t* keys, uint8_t* values);

// Heads of which each has keys and values of its own, with `key_stride` and `value_stride` values
// of `type` from one token to the next.
AttentionHeads full_heads(const MlaConfig& config, DType type, int64_t key_stride,
                          int64_t value_stride);

// A token's latent and rotated key as they lie in a cache.
struct CachedRow {
  const uint8_t* data = nullptr;  // kv_width() values
  int64_t source = -1;  // the row of the batch that it was computed from; -1: not of this pass
  DType type = DType::kF32;
};

// Keys and values of full heads, made from latents: what latent attention computes prompts with.
// They live in the context's arena.
class ExpandedHeads {
 public:
  // `rows` are the tokens of some sequences, one sequence after the other.
  ExpandedHeads(Context& ctx, const MlaConfig& config, std::vector<CachedRow> rows);

  // `head_values` makes [n, heads, nope_dim + value_dim] of latents [n, kv_rank]. A tape brings the
  // gradients to `latent` and `k_pe`, the pass's own rows before they were stored (the rounding of
  // the cache counts as no operation).
  void fill(Context& ctx, const Tensor& latent, const Tensor& k_pe,
            const std::function<Tensor(const Tensor&)>& head_values);

  // How attention finds them.
  AttentionHeads heads() const;
  // Of the sequence of `rows` tokens that begins at row `first`: its keys and values, and what has
  // their gradients. The rest is the caller's.
  AttentionSequence sequence(int64_t first, int64_t rows) const;

 private:
  void fill_block(Context& ctx, int64_t first, const Tensor& latents, const Tensor& values);
  void record_latents(Context& ctx, int64_t first, const Tensor& latents, const Tensor& latent);
  void record_block(Context& ctx, int64_t first, const Tensor& values, const Tensor& k_pe);

  MlaConfig config_;
  std::vector<CachedRow> rows_;
  DType type_;
  uint8_t* keys_ = nullptr;           // [rows, heads, key_dim]
  uint8_t* values_ = nullptr;         // [rows, heads, value_dim]
  Tensor key_source_, value_source_;  // with a tape: what has their gradients
};

}  // namespace minke
