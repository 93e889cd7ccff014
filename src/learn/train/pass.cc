#include "learn/train/pass.h"

#include <numeric>

#include "base/core/check.h"

namespace minke {

Pass::Pass(const Model& model, ThreadPool& pool, Isa isa, DType kv_type, int64_t context)
    : model_(model),
      kernels_(select_kernels(isa)),
      context_(pool, kernels_),
      tape_(pool),
      kv_type_(kv_type),
      capacity_(context) {}

PassResult Pass::run(const PassInput& input, bool backward) {
  const auto rows = static_cast<int64_t>(input.tokens.size());
  tape_.clear();
  while (caches_.size() < input.starts.size()) {
    caches_.push_back(std::make_unique<KvCache>(model_.facts().kv.stored_as(kv_type_), capacity_));
  }
  std::vector<Segment> segments;
  for (size_t i = 0; i < input.starts.size(); ++i) {
    const int64_t first = input.starts[i];
    const int64_t end = i + 1 < input.starts.size() ? input.starts[i + 1] : rows;
    CHECK(end - first <= capacity_);
    caches_[i]->truncate(0);
    segments.push_back({caches_[i].get(), first, end - first});
    if (input.balance > 0) {
      tape_.balance.push_back(
          {first, end - first, input.balance * static_cast<double>(end - first)});
    }
  }
  std::vector<int32_t> all(static_cast<size_t>(rows));
  std::iota(all.begin(), all.end(), 0);

  context_.reset();
  context_.set_phase(Phase::kPrefill);
  context_.set_tape(backward ? &tape_ : nullptr);
  const Tensor hidden = model_.hidden(context_, {input.tokens, input.positions, segments, all});
  PassResult result;
  result.log_probabilities.resize(static_cast<size_t>(rows));
  result.loss = cross_entropy(context_, hidden, model_.head(), input.targets, input.weights,
                              result.log_probabilities);
  context_.set_tape(nullptr);
  if (backward) tape_.backward(context_);
  result.balance = tape_.balance_loss;
  return result;
}

}  // namespace minke
