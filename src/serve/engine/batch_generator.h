#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "serve/engine/scheduler.h"

namespace minke {

struct BatchOptions {
  SessionOptions session;                  // `context`: most tokens of each sequence
  int64_t slots = 16;                      // sequences that share a forward pass
  Phase generated_phase = Phase::kDecode;  // see EngineOptions
};

// A sequence that has ended.
struct GeneratedSequence {
  int64_t ticket = 0;           // what submit() gave
  std::vector<int32_t> tokens;  // as they were drawn, with the stop token if one ended the sequence
  // Of each token: ln of its probability as the model gives it, whatever the sampling options are.
  std::vector<float> log_probabilities;
  FinishReason reason = FinishReason::kStop;

  // The tokens without a stop token.
  std::span<const int32_t> reply() const {
    return std::span(tokens).first(tokens.size() - (reason == FinishReason::kStop ? 1 : 0));
  }
};

// Continues many prompts at once: their tokens share forward passes, which read each weight once
// for all of them. A sequence that ends leaves its slot to the next prompt. What a sequence says
// depends on its prompt and options alone, never on its companions: it is what a Generator with an
// empty session says. Not for use from several threads.
class BatchGenerator {
 public:
  // The model must outlive it. Throws Error if the context asked for is longer than the model's.
  BatchGenerator(const Model& model, const BatchOptions& options);
  ~BatchGenerator();

  // Queues a prompt; prompts start in this order. Returns its ticket: 0, 1, ... Throws Error for an
  // empty prompt, one that does not fit into the context, a token that is not in the vocabulary,
  // and sampling options out of their range.
  int64_t submit(std::vector<int32_t> prompt, const GenerationOptions& options);

  // One forward pass: of prompts, as long as there are some and slots for them, else of a token of
  // every sequence. Returns the sequences that ended with it; nothing happens without sequences.
  // Throws Error if the model gives no usable logits; then it cannot go on.
  std::vector<GeneratedSequence> step();

  // The model's weights have changed: what was computed with others is forgotten. No sequence may
  // be unfinished.
  void weights_changed();

  // Prompts without a slot.
  int64_t waiting() const { return scheduler_.waiting(); }
  // Sequences that have not ended, waiting ones included.
  int64_t unfinished() const { return waiting() + scheduler_.running(); }
  int64_t slots() const { return slots_; }
  int64_t capacity() const { return scheduler_.context(); }
  int threads() const { return scheduler_.threads(); }
  EngineStats stats() const { return scheduler_.stats(); }

 private:
  class Listener;

  int64_t slots_;
  Scheduler scheduler_;
  int64_t next_ticket_ = 0;
  std::vector<GeneratedSequence> finished_;
  std::string failure_;
};

}  // namespace minke
