#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/cpu/isa.h"
#include "math/ops/tape.h"
#include "model/families/model.h"
#include "model/kv/kv_cache.h"

namespace minke {

// Documents that are computed together, one behind the other.
struct PassInput {
  std::span<const int32_t> tokens;     // [M]
  std::span<const int32_t> positions;  // [M], from 0 in each document
  std::span<const int32_t> targets;    // [M] the token after each, -1 where it does not count
  std::span<const int32_t> starts;     // first row of each document
  std::span<const float> weights;      // [M] of the targets' losses
  double balance = 0;  // weight of a token in the experts' sequence-wise balance loss; 0: none
  float prediction =
      0;  // weight of each token after the next, where the model has a module; 0: none
};

struct PassResult {
  double loss = 0;                       // sum of weights * -log p(target)
  double prediction = 0;                 // sum of prediction * -log p(token after the next)
  double balance = 0;                    // the balance loss
  std::vector<float> log_probabilities;  // [M] of the targets, 0 where there is none
};

// The targets of `targets` for the token after the next: the next row's, -1 for the last row of a
// document.
std::vector<int32_t> second_targets(const PassInput& input);

// Computes documents with the forward pass that serves, and the gradients of their loss. The
// documents' keys and values go through a cache as they do in serving, so that both see the same
// rounding.
class Pass {
 public:
  // `kv_type`: F32 or BF16. A document has at most `context` tokens.
  Pass(const Model& model, ThreadPool& pool, Isa isa, DType kv_type, int64_t context);

  Tape& tape() { return tape_; }
  const Kernels& kernels() const { return kernels_; }
  // Adds the gradients to what the tape tracks.
  PassResult train(const PassInput& input) { return run(input, true); }
  PassResult evaluate(const PassInput& input) { return run(input, false); }

 private:
  PassResult run(const PassInput& input, bool backward);
  std::vector<Segment> take_caches(const PassInput& input);
  double predict(const PassInput& input, std::span<const Segment> segments, const Tensor& states);

  const Model& model_;
  Kernels kernels_;
  Context context_;
  Tape tape_;
  DType kv_type_;
  int64_t capacity_;
  std::vector<std::unique_ptr<KvCache>> caches_;  // reused for documents
};

}  // namespace minke
