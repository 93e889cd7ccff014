#include <algorithm>
#include <cmath>
#include <vector>

#include "base/core/check.h"
#include "math/ops/matmul.h"
#include "math/ops/ops.h"
#include "math/ops/tape.h"

namespace minke {
namespace {

// Rows whose logits are held at a time. Part of the order in which the head's gradient is summed.
constexpr int64_t kRows = 512;

// Turns a row of logits into weight * (softmax - one_hot(target)), the gradient of the row's loss.
// Returns log softmax[target].
double loss_row(const Kernels& k, float* logits, int64_t vocab, int32_t target, float weight) {
  const float max = k.max(logits, vocab);
  const float shifted = logits[target] - max;
  const float total = k.exp_sum(logits, vocab, max);
  k.scale(logits, vocab, weight / total);
  logits[target] -= weight;
  return static_cast<double>(shifted) - std::log(static_cast<double>(total));
}

}  // namespace

double cross_entropy(Context& ctx, const Tensor& hidden, const Tensor& head,
                     std::span<const int32_t> targets, std::span<const float> weights,
                     std::span<float> log_probabilities) {
  const int64_t rows = hidden.rows(), vocab = head.rows();
  CHECK(static_cast<int64_t>(targets.size()) == rows && weights.size() == targets.size());
  CHECK(log_probabilities.size() == targets.size());
  Tape* tape = ctx.tape();
  // What is recorded here is recorded as one step, which is done at once.
  ctx.set_tape(nullptr);
  for (int64_t first = 0; first < rows; first += kRows) {
    const ScratchScope scratch(ctx);
    const int64_t count = std::min(kRows, rows - first);
    const Activations x = prepare(ctx, hidden.slice_rows(first, count), {&head});
    Tensor logits = ctx.activation({count, vocab});
    const ProductGroup group{&head, 0, vocab, 0, count};
    grouped_product(ctx, {&group, 1}, x, logits.f32(), vocab);
    ctx.pool().parallel_for(count, [&](int64_t m, int) {
      const auto row = static_cast<size_t>(first + m);
      float* l = logits.f32() + m * vocab;
      log_probabilities[row] = 0;
      if (targets[row] < 0) {
        std::fill_n(l, vocab, 0.0f);
        return;
      }
      CHECK(targets[row] < vocab);
      log_probabilities[row] =
          static_cast<float>(loss_row(ctx.kernels(), l, vocab, targets[row], weights[row]));
    });
    if (tape != nullptr) {
      grouped_product_backward(ctx, *tape, {&group, 1}, x, logits.f32(), vocab,
                               tape->gradient(hidden.f32() + first * hidden.columns()), false);
    }
  }
  ctx.set_tape(tape);
  double loss = 0;
  for (size_t m = 0; m < targets.size(); ++m) {
    if (targets[m] >= 0) loss -= static_cast<double>(weights[m]) * log_probabilities[m];
  }
  return loss;
}

}  // namespace minke
