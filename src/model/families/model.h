#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "math/ops/ops.h"
#include "model/families/config_visitor.h"
#include "model/formats/checkpoint.h"
#include "model/kv/batch.h"
#include "model/layers/weights.h"

namespace minke {

// What everyone needs to know of a loaded model.
struct ModelFacts {
  std::string family;             // "deepseek", "qwen2", ...
  std::string gguf_architecture;  // "deepseek2", ...
  bool permuted_in_gguf =
      false;  // GGUF files hold the query and key rows of a head in interleaved order
  int64_t vocab = 0;
  int64_t dim = 0;
  int64_t layers = 0;
  int64_t context_length = 0;  // positions that the model was made for
  bool gguf_source = false;    // configured from GGUF metadata
  KvLayout kv;
  // Where the cache holds latents: keys and values of full heads, of a token in a layer.
  int64_t full_head_values = 0;
};

// The cache's layout with room for what prompts compute of each token besides: with it, generated
// tokens can be computed in the phase of prompts at little cost in time.
KvLayout full_heads_layout(const ModelFacts& facts, DType type, const Kernels& kernels);

// A model family's network: its configuration, its weights, and its forward pass, each listed once.
class Model {
 public:
  virtual ~Model() = default;

  const ModelFacts& facts() const { return facts_; }
  virtual void visit_config(ConfigVisitor& v) = 0;
  virtual void visit(WeightVisitor& v) = 0;
  // The states [batch.logit_rows, dim] from which head() makes logits. Appends the tokens to their
  // caches. Tokens must be below the vocabulary's size and every cache must have room. A tape that
  // recomputes runs layers again: the segments and their caches must live until its backward pass.
  virtual Tensor hidden(Context& ctx, const Batch& batch) const = 0;
  // [vocab, dim].
  virtual const Tensor& head() const = 0;
  // Multi-token prediction (DeepSeek-V3 report, section 2.2), which only training uses.
  // add_prediction() gives a model its module, before weights are visited; false if the
  // configuration has none.
  virtual bool add_prediction() { return false; }
  virtual bool predicts() const { return false; }
  // States [M, dim] from which head() makes logits of the token after the next, from `states`
  // [M, dim] that hidden() gave for M tokens, and a batch of their next tokens, whose caches were
  // truncated to their length before hidden().
  virtual Tensor predict(Context& ctx, const Batch& batch, const Tensor& states) const;
  // Logits [batch.logit_rows, vocab].
  Tensor forward(Context& ctx, const Batch& batch) const {
    return linear(ctx, hidden(ctx, batch), head());
  }

 protected:
  ModelFacts facts_;
};

// The model that the checkpoint's configuration describes, without weights. Throws Error for an
// architecture that is not supported; the message names it and lists those that are.
std::unique_ptr<Model> make_model(const Checkpoint& checkpoint);

// make_model(), and its weights as views into the checkpoint's files; `prediction`: with its module
// of multi-token prediction, if it has one. Throws Error that names a tensor that is missing or has
// another shape than the configuration says.
std::unique_ptr<Model> load_model(const Checkpoint& checkpoint, bool prediction = false);

// The families' constructors; each throws Error if the configuration is not one that it computes.
std::unique_ptr<Model> make_deepseek(const Checkpoint& checkpoint);
std::unique_ptr<Model> make_llama(const Checkpoint& checkpoint);
std::unique_ptr<Model> make_qwen2(const Checkpoint& checkpoint);
std::unique_ptr<Model> make_qwen3(const Checkpoint& checkpoint);

// Parameters of a model, by visiting its weights.
int64_t count_parameters(Model& model);

}  // namespace minke
