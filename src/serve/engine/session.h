#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/cpu/isa.h"
#include "base/cpu/thread_pool.h"
#include "model/families/model.h"
#include "model/kv/kv_cache.h"

namespace minke {

struct SessionOptions {
  int threads = 0;                 // 0: usable_cores()
  Isa isa = Isa::kScalar;          // kernels to use; callers pass chosen_isa()
  int64_t context = 0;             // most tokens of the sequence; 0: min(the model's own, 4096)
  int64_t prefill_chunk = 1024;    // prompt tokens of one forward pass; results do not depend on it
  DType kv_type = kDefaultKvType;  // of the cache: F32, BF16 or Q8_0
};

// One sequence on one model: feeds tokens, gives logits. Not for use from several threads.
class Session {
 public:
  // The model must outlive the session. Throws Error if the context asked for is longer than the
  // model's.
  Session(const Model& model, const SessionOptions& options);

  int64_t length() const { return cache_.length(); }
  int64_t capacity() const { return cache_.capacity(); }
  int threads() const { return pool_.size(); }
  const Kernels& kernels() const { return kernels_; }

  // Appends `tokens` as part of a prompt. Returns the logits [vocab] after the last one, valid
  // until the next call. Before each chunk `go_on` is asked; when it says no, the result is empty.
  // Throws Error if a token is not in the vocabulary or the context is full.
  std::span<const float> prefill(std::span<const int32_t> tokens,
                                 const std::function<bool()>& go_on = {});
  // Appends one token that was generated.
  std::span<const float> decode(int32_t token);
  // Appends `tokens` and calls visit(index, logits) for each of them in order. `phase` as in
  // Context.
  void score(std::span<const int32_t> tokens, Phase phase,
             const std::function<void(int64_t, std::span<const float>)>& visit);
  // Forgets the tokens from `length` on.
  void truncate(int64_t length) { cache_.truncate(length); }

 private:
  // Logits of the chosen rows of one pass, in the context's arena.
  Tensor forward(std::span<const int32_t> tokens, Phase phase, std::span<const int32_t> logit_rows);
  void check_tokens(std::span<const int32_t> tokens) const;

  const Model& model_;
  int64_t prefill_chunk_;
  ThreadPool pool_;
  Kernels kernels_;
  Context context_;
  KvCache cache_;
};

}  // namespace minke
