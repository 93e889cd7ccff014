#pragma once

#include <functional>

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

  // Adds what a layer makes of x [M, dim] to it; `index` is its place in the caches.
  using LayerForward = std::function<void(Context& ctx, int64_t index, Tensor& x,
                                          const RopeAngles& angles, const Batch& batch)>;
  // Runs every layer; then the caches' advance and the norm.
  Tensor run(Context& ctx, const Batch& batch, const LayerForward& layer) const;
  // Runs one layer, whose scratch memory is released. A tape may run it again, at the lengths that
  // the caches have before the pass.
  void run_layer(Context& ctx, int64_t index, Tensor& x, const RopeAngles& angles,
                 const Batch& batch, const LayerForward& layer) const;

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
