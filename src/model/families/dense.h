#pragma once

#include "model/families/decoder.h"
#include "model/layers/attention_gqa.h"
#include "model/layers/mlp.h"

namespace minke {

// The dense decoder that Llama, Qwen2 and Qwen3 share: x += attention(norm x); x += mlp(norm x).
// The families differ in a few facts, which they set before the configuration is read.
struct DenseFacts {
  std::string family;  // also the GGUF architecture
  bool qkv_bias = false;
  bool qk_norm = false;
  bool permuted_in_gguf = false;  // see ModelFacts
};

class DenseModel : public DecoderModel {
 public:
  DenseModel(const DenseFacts& facts, const Checkpoint& checkpoint);

  void visit_config(ConfigVisitor& v) override;
  void visit(WeightVisitor& v) override;
  Tensor hidden(Context& ctx, const Batch& batch) const override;

 private:
  struct Layer {
    Tensor attention_norm;
    AttentionGqa attention;
    Tensor mlp_norm;
    Mlp mlp;
  };

  void add_layer(Context& ctx, int64_t index, Tensor& x, const RopeAngles& angles,
                 const Batch& batch) const;
  // Applies the divisors that a GGUF file stores for Llama 3 scaling.
  void divide_frequencies();

  GqaConfig attention_;
  int64_t inner_ = 0;  // of the MLP
  std::vector<Layer> layers_;
};

}  // namespace minke
