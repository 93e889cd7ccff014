#pragma once

#include <set>
#include <string>

#include "model/formats/checkpoint.h"
#include "model/layers/weights.h"

namespace minke {

// Fills a model's weights from a checkpoint: views where it can, copies for what must be F32.
class WeightLoader : public WeightVisitor {
 public:
  explicit WeightLoader(const Checkpoint& checkpoint) : checkpoint_(checkpoint) {}

  void matrix(WeightName name, Tensor& t, const Shape& shape, Need need) override;
  void rotated(WeightName name, Tensor& t, const Shape& shape, int64_t heads) override;
  void router(WeightName name, Tensor& t, const Shape& shape) override;
  void vector(WeightName name, Tensor& t, int64_t n, Need need) override;
  void experts(Experts& experts, int64_t count, int64_t inner, int64_t dim) override;
  void latent_heads(LatentHeads& w, const LatentHeadsShape& shape) override;

  // Throws Error if a layer below `layers` or the model itself has a tensor that no visit asked
  // for: a bias, say, that would change the result; or if there are layers from `layers` on that
  // are not for multi-token prediction. Known companions that carry nothing of their own are passed
  // over.
  void require_all_used(int64_t layers) const;

 private:
  std::string full_name(WeightName name) const;
  // The tensor `name` with exactly this shape; empty if absent and optional.
  Tensor find(const std::string& name, const Shape& shape, Need need) const;
  void stacked_experts(Experts& experts, int64_t count, int64_t inner, int64_t dim,
                       const char* fused, const char* gate, const char* up, const char* down);

  const Checkpoint& checkpoint_;
  mutable std::set<std::string, std::less<>> asked_;
};

}  // namespace minke
