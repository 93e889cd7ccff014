#pragma once

#include "model/families/model.h"
#include "model/layers/rope_scaling.h"

namespace minke {

// What every decoder-only family has around its layers: embedding, final norm, head, rotary
// frequencies.
struct DecoderConfig {
  int64_t vocab = 0, dim = 0, layers = 0, context_length = 0;
  double norm_eps = 1e-6;
  double rope_theta = 10000;
  RopeScaling rope_scaling;
  bool tied_head = false;  // the head is the embedding matrix
};

class DecoderModel : public Model {
 public:
  const Tensor& head() const override { return head_ ? head_ : embed_; }

 protected:
  // The fields that all families share.
  void visit_shared_config(ConfigVisitor& v);
  // Sets up what follows from the configuration. `rope_dims`: rotated values of a head.
  void set_rope(int64_t rope_dims);

  void visit_embedding(WeightVisitor& v);
  void visit_head(WeightVisitor& v);

  // Runs `layer(index, x, angles)`, which adds to x [M, dim], for every layer; then the caches'
  // advance and the norm.
  template <typename Layer>
  Tensor run(Context& ctx, const Batch& batch, const Layer& layer) const {
    Tensor x = embedding(ctx, embed_, batch.tokens);
    const RopeAngles angles = angles_of(ctx, batch);
    for (int64_t i = 0; i < config_.layers; ++i) {
      const ScratchScope scratch(ctx);
      layer(static_cast<int>(i), x, angles);
    }
    for (const Segment& s : batch.segments) s.cache->advance(s.rows);
    const Tensor last = select_rows(ctx, x, batch.logit_rows);
    return rms_norm(ctx, last, norm_, eps());
  }

  RopeAngles angles_of(Context& ctx, const Batch& batch) const {
    return rope_angles(ctx, batch.positions, inv_freq_, rope_magnitude(config_.rope_scaling));
  }
  float eps() const { return static_cast<float>(config_.norm_eps); }

  DecoderConfig config_;
  Tensor embed_, norm_, head_;
  Tensor rope_divisors_;  // Llama 3 scaling as GGUF files store it: F32 [rope_dims / 2], or empty
  std::vector<double> inv_freq_;
};

}  // namespace minke
