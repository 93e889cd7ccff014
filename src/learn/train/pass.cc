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

std::vector<int32_t> second_targets(const PassInput& input) {
  std::vector<int32_t> targets(input.targets.begin() + 1, input.targets.end());
  targets.push_back(-1);
  for (const int32_t start : input.starts.subspan(1)) targets[static_cast<size_t>(start) - 1] = -1;
  return targets;
}

std::vector<Segment> Pass::take_caches(const PassInput& input) {
  const auto rows = static_cast<int64_t>(input.tokens.size());
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
  return segments;
}

PassResult Pass::run(const PassInput& input, bool backward) {
  tape_.clear();
  const std::vector<Segment> segments = take_caches(input);
  std::vector<int32_t> all(input.tokens.size());
  std::iota(all.begin(), all.end(), 0);

  context_.reset();
  context_.set_phase(Phase::kPrefill);
  context_.set_tape(backward ? &tape_ : nullptr);
  const Tensor hidden = model_.hidden(context_, {input.tokens, input.positions, segments, all});
  PassResult result;
  result.log_probabilities.resize(all.size());
  result.loss = cross_entropy(context_, hidden, model_.head(), input.targets, input.weights,
                              result.log_probabilities);
  if (input.prediction > 0) result.prediction = predict(input, segments, hidden);
  context_.set_tape(nullptr);
  if (backward) tape_.backward(context_);
  result.balance = tape_.balance_loss;
  return result;
}

// The module sees every row: what the last row of a document is given for a next token does not
// count, and no other row looks at it.
double Pass::predict(const PassInput& input, std::span<const Segment> segments,
                     const Tensor& states) {
  for (const Segment& s : segments) s.cache->truncate(0);
  std::vector<int32_t> next(input.tokens.begin() + 1, input.tokens.end());
  next.push_back(input.tokens.back());
  const Tensor second = model_.predict(context_, {next, input.positions, segments, {}}, states);
  const std::vector<float> weights(next.size(), input.prediction);
  std::vector<float> log_probabilities(next.size());
  return cross_entropy(context_, second, model_.head(), second_targets(input), weights,
                       log_probabilities);
}

}  // namespace minke
