#include "model/families/active_bytes.h"

#include <algorithm>

#include "model/families/gguf_config.h"

namespace minke {
namespace {

class ActiveWeights : public WeightVisitor {
 public:
  explicit ActiveWeights(int64_t top_k) : top_k_(top_k) {}

  void matrix(WeightName name, Tensor& t, const Shape&, Need) override {
    if (name.gguf == "token_embd.weight") {
      embedding_ = t;
    } else if (name.gguf == "output.weight") {
      head_ = t;
    } else {
      add_matrix(t);
    }
  }
  void rotated(WeightName, Tensor& t, const Shape&, int64_t) override { add_matrix(t); }
  void router(WeightName, Tensor& t, const Shape&) override { add_matrix(t); }
  void vector(WeightName, Tensor& t, int64_t, Need) override { add(t); }
  void experts(Experts& experts, int64_t count, int64_t, int64_t) override {
    // Experts of a layer are alike in size.
    const int64_t chosen = std::min(top_k_, count);
    for (const auto* parts : {&experts.gate, &experts.up, &experts.down}) {
      if (parts->empty()) continue;
      bytes_ += chosen * parts->front().bytes();
      multiplied_ += chosen * parts->front().shape.elements();
      idle_ += (count - chosen) * parts->front().shape.elements();
    }
  }
  void latent_heads(LatentHeads& w, const LatentHeadsShape&) override {
    for (const Tensor* t : {&w.kv_b, &w.k_b, &w.v_b}) add_matrix(*t);
  }

  int64_t bytes() const {
    if (head_) {
      return bytes_ + head_.bytes() +
             (embedding_ ? row_bytes(embedding_.type, embedding_.columns()) : 0);
    }
    return bytes_ + (embedding_ ? embedding_.bytes() : 0);
  }
  int64_t idle() const { return idle_; }
  ActiveWeightCount count() const {
    const Tensor& head = head_ ? head_ : embedding_;
    return {multiplied_, head ? head.shape.elements() : 0};
  }

 private:
  void add(const Tensor& t) { bytes_ += t ? t.bytes() : 0; }
  void add_matrix(const Tensor& t) {
    add(t);
    multiplied_ += t ? t.shape.elements() : 0;
  }

  int64_t top_k_;
  int64_t bytes_ = 0;       // without embedding and head
  int64_t idle_ = 0;        // values of experts that are not chosen
  int64_t multiplied_ = 0;  // values of matrices, likewise
  Tensor embedding_, head_;
};

ActiveWeights visited(Model& model) {
  const std::string key = model.facts().gguf_architecture + ".expert_used_count";
  ActiveWeights visitor(config_fields(model, "").integer(key).value_or(0));
  model.visit(visitor);
  return visitor;
}

}  // namespace

int64_t active_weight_bytes(Model& model) {
  return visited(model).bytes();
}

int64_t active_parameters(Model& model) {
  return count_parameters(model) - visited(model).idle();
}

ActiveWeightCount active_weight_count(Model& model) {
  return visited(model).count();
}

}  // namespace minke
