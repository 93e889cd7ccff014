#pragma once

#include "base/cpu/memory.h"
#include "base/cpu/thread_pool.h"
#include "math/kernels/kernels.h"
#include "math/tensor/tensor.h"

namespace minke {

// The two ways in which a forward pass computes. They agree up to rounding: sums are formed in
// another order, and latent attention takes another form. The phase of a token belongs to its role,
// never to how many tokens a pass happens to hold: then results do not depend on batches and
// chunks.
enum class Phase {
  kPrefill,  // prompts: many tokens share the work on each weight
  kDecode,   // generated tokens: each weight is read for few of them
};

class PackedWeights;
class Tape;

// What every op needs besides its operands: workers, the kernel table, and scratch memory. One
// Context serves one forward pass at a time; results of ops live in its arena until reset().
class Context {
 public:
  Context(ThreadPool& pool, const Kernels& kernels) : pool_(&pool), kernels_(&kernels) {}

  Phase phase() const { return phase_; }
  void set_phase(Phase phase) { phase_ = phase; }
  ThreadPool& pool() const { return *pool_; }
  const Kernels& kernels() const { return *kernels_; }
  Arena& arena() { return arena_; }
  // Null: nothing is recorded.
  Tape* tape() const { return tape_; }
  void set_tape(Tape* tape) { tape_ = tape; }
  // Null: products of panels pack the weights in every pass. Who sets it clears it when weights
  // change.
  PackedWeights* packed_weights() const { return packed_weights_; }
  void set_packed_weights(PackedWeights* weights) { packed_weights_ = weights; }
  // An F32 tensor in the arena, not initialised.
  Tensor activation(const Shape& shape);
  // Releases every activation.
  void reset() { arena_.reset(); }

 private:
  ThreadPool* pool_;
  const Kernels* kernels_;
  Arena arena_;
  Tape* tape_ = nullptr;
  PackedWeights* packed_weights_ = nullptr;
  Phase phase_ = Phase::kPrefill;
};

// Releases what a part of a forward pass allocated when it goes out of scope, unless a tape keeps
// it.
class ScratchScope {
 public:
  explicit ScratchScope(Context& ctx) : ctx_(ctx), mark_(ctx.arena().mark()) {}
  ~ScratchScope() {
    if (ctx_.tape() == nullptr) ctx_.arena().release(mark_);
  }
  ScratchScope(const ScratchScope&) = delete;
  ScratchScope& operator=(const ScratchScope&) = delete;

 private:
  Context& ctx_;
  Arena::Mark mark_;
};

// Calls body(first, count) for consecutive blocks of `rows` rows, in parallel.
template <typename Body>
void for_row_blocks(Context& ctx, int64_t rows, const Body& body) {
  constexpr int64_t kRows = 64;
  ctx.pool().parallel_for((rows + kRows - 1) / kRows, [&](int64_t block, int) {
    const int64_t first = block * kRows;
    body(first, rows - first < kRows ? rows - first : kRows);
  });
}

}  // namespace minke
