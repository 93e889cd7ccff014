#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "math/ops/packed_weights.h"
#include "serve/engine/engine.h"
#include "serve/engine/prompt_cache.h"
#include "serve/engine/sequence.h"

namespace minke {

// What the engine does, without its thread: sequences, their places and pages, and one forward pass
// at a time. Passes of prompts and of generated tokens take turns. A sequence that finds no page
// takes those of prefixes that nobody uses, then those of the sequence that came last, which begins
// anew later: its prompt is computed as a prompt and what it has generated as generated tokens, so
// that it says the same. Not for use from several threads.
class Scheduler {
 public:
  // The model must outlive it. Throws Error for options that the model or the machine cannot have.
  Scheduler(const Model& model, const EngineOptions& options);
  ~Scheduler();

  // Throws Error for a request that cannot be; safe to call from any thread.
  void check(const EngineRequest& request) const;
  // Takes a request that was checked, with the number that cancel() knows it by. The listener hears
  // of it if that fails.
  void submit(int64_t number, EngineRequest request, std::shared_ptr<EngineListener> listener);
  void cancel(int64_t number);
  void cancel_all();
  // One forward pass, whose listeners are told; false if there is no sequence. Errors of a sequence
  // end it alone; those of a pass, such as memory that is not to be had, all that were in it.
  bool step();
  // Forgets what was computed with former weights.
  void weights_changed();

  int64_t running() const { return static_cast<int64_t>(running_.size()); }
  int64_t waiting() const { return static_cast<int64_t>(waiting_.size()); }
  int64_t context() const { return context_tokens_; }
  int threads() const { return pool_.size(); }
  EngineStats stats() const;

 private:
  using Sequences = std::vector<std::unique_ptr<Sequence>>;
  // The rows of one pass, in the terms of Batch.
  struct Rows {
    std::vector<int32_t> tokens, positions, logit_rows;
    std::vector<Segment> segments;
    std::vector<Sequence*> sequences;  // of each segment
    std::vector<Sequence*> readers;    // who wants each row of logits

    void add(Sequence& sequence, int64_t count, bool wanted);
    void want(Sequence& sequence, int64_t row);
  };

  int64_t pages_in_use() const;
  void admit();
  std::optional<size_t> next_to_admit() const;
  bool awaits_prefix(const Sequence& sequence) const;
  bool open(Sequence& sequence);
  void place(size_t index);
  void make_room(Sequence& sequence);
  void preempt(size_t index);
  Rows prompt_rows();
  Rows decode_rows();
  int64_t prompt_budget(bool others_decode) const;
  void pass(const Rows& rows, bool prompts);
  void compute(const Rows& rows, bool prompts);
  void read_logits(const Rows& rows, const Tensor& logits);
  void tell(Sequence& sequence, DrawnToken drawn);
  void account(const Rows& rows, double seconds);
  void end(Sequence& sequence);
  void remove_ended();

  const Model& model_;
  int64_t sequences_, context_tokens_, chunk_;
  bool interactive_;
  Phase generated_phase_;
  ThreadPool pool_;
  Kernels kernels_;
  Context context_;
  PackedWeights packed_weights_;
  PromptCache prompts_;
  std::deque<std::unique_ptr<Sequence>> waiting_;
  Sequences running_;  // in the order in which they got their place
  bool prompts_were_last_ = false;
  double prompt_rate_ = 0;  // tokens per second of passes of prompts, lately
  double decode_pass_ = 0;  // seconds of one of generated tokens, lately
  EngineStats totals_;
};

}  // namespace minke
