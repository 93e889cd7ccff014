#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/core/check.h"
#include "math/ops/ops.h"
#include "math/ops/tape.h"

namespace minke {
namespace {

constexpr float kExcluded = -std::numeric_limits<float>::infinity();

void score_row(const float* logits, RouterScore kind, std::vector<float>& scores) {
  if (kind == RouterScore::kSigmoid) {
    for (size_t e = 0; e < scores.size(); ++e) scores[e] = 1.0f / (1.0f + std::exp(-logits[e]));
    return;
  }
  const float largest = *std::max_element(logits, logits + scores.size());
  float sum = 0;
  for (size_t e = 0; e < scores.size(); ++e) sum += scores[e] = std::exp(logits[e] - largest);
  for (float& s : scores) s /= sum;
}

// Indices of the `count` largest of `values`, largest first, ties to the lower index. NaN counts as
// smallest.
void top_indices(const std::vector<float>& values, size_t count, std::vector<int32_t>& order) {
  order.resize(values.size());
  std::iota(order.begin(), order.end(), 0);
  const auto key = [&](int32_t i) {
    const float v = values[static_cast<size_t>(i)];
    return std::isnan(v) ? kExcluded : v;
  };
  std::partial_sort(
      order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
      [&](int32_t a, int32_t b) { return key(a) != key(b) ? key(a) > key(b) : a < b; });
  order.resize(count);
}

float group_score(const float* values, int64_t size, GroupScore kind) {
  float first = kExcluded, second = kExcluded;
  for (int64_t i = 0; i < size; ++i) {
    if (values[i] > first) {
      second = first;
      first = values[i];
    } else if (values[i] > second) {
      second = values[i];
    }
  }
  return kind == GroupScore::kMax || size < 2 ? first : first + second;
}

// Sets the values of all groups but the best ones to minus infinity. (Zero would let experts of
// excluded groups win over chosen ones whose biased score is negative.)
void keep_best_groups(std::vector<float>& values, const RouterOptions& options) {
  const auto groups = static_cast<size_t>(options.groups);
  const size_t size = values.size() / groups;
  std::vector<float> scores(groups);
  for (size_t g = 0; g < groups; ++g) {
    scores[g] = group_score(&values[g * size], static_cast<int64_t>(size), options.group_score);
  }
  std::vector<int32_t> best;
  top_indices(scores, static_cast<size_t>(options.top_groups), best);
  std::vector<bool> keep(groups, false);
  for (const int32_t g : best) keep[static_cast<size_t>(g)] = true;
  for (size_t e = 0; e < values.size(); ++e) {
    if (!keep[e / size]) values[e] = kExcluded;
  }
}

void add_biased(const Tensor& bias, std::vector<float>& scores) {
  if (!bias) return;
  for (size_t e = 0; e < scores.size(); ++e) scores[e] += bias.f32()[e];
}

// The factor of the chosen experts' scores, whose sum is `sum`. 1e-20 keeps a row of underflowed
// sigmoids finite.
float weight_factor(const RouterOptions& options, float sum) {
  return options.normalize ? options.scale / (sum + 1e-20f) : options.scale;
}

// From the gradients of scores to those of logits, added to logits_grad.
void score_backward(RouterScore kind, const std::vector<float>& scores,
                    const std::vector<float>& grad, float* logits_grad) {
  if (kind == RouterScore::kSigmoid) {
    for (size_t e = 0; e < scores.size(); ++e) {
      logits_grad[e] += grad[e] * scores[e] * (1 - scores[e]);
    }
    return;
  }
  float mean = 0;
  for (size_t e = 0; e < scores.size(); ++e) mean += grad[e] * scores[e];
  for (size_t e = 0; e < scores.size(); ++e) logits_grad[e] += scores[e] * (grad[e] - mean);
}

// From the gradients of a token's weights to those of its scores.
void weights_backward(const RouterOptions& options, const int32_t* experts, const float* grad,
                      const std::vector<float>& scores, std::vector<float>& scores_grad) {
  float sum = 0, product = 0;
  for (int j = 0; j < options.top_k; ++j) {
    sum += scores[static_cast<size_t>(experts[j])];
    product += scores[static_cast<size_t>(experts[j])] * grad[j];
  }
  const float factor = weight_factor(options, sum);
  for (int j = 0; j < options.top_k; ++j) {
    const float shared = options.normalize ? product / (sum + 1e-20f) : 0;
    scores_grad[static_cast<size_t>(experts[j])] += factor * (grad[j] - shared);
  }
}

// f of a balance term: the share of choices that each expert got, times the number of experts.
std::vector<float> shares(const BalanceTerm& term, const Routing& routing, int64_t experts) {
  std::vector<float> f(static_cast<size_t>(experts), 0.0f);
  const float one = static_cast<float>(experts) / static_cast<float>(routing.top_k * term.rows);
  const auto first = routing.experts.begin() + term.first_row * routing.top_k;
  std::for_each(first, first + term.rows * routing.top_k,
                [&](int32_t e) { f[static_cast<size_t>(e)] += one; });
  return f;
}

// Adds the gradients of a token's balance term to those of its scores: P is the mean over the
// sequence of scores that sum to 1 for each token. Returns the token's part of the term.
double balance_backward(const BalanceTerm& term, const std::vector<float>& f,
                        const std::vector<float>& scores, std::vector<float>& scores_grad) {
  float sum = 1e-20f, mean = 0;
  for (const float s : scores) sum += s;
  for (size_t e = 0; e < scores.size(); ++e) mean += f[e] * scores[e] / sum;
  const double factor = term.weight / static_cast<double>(term.rows);
  for (size_t e = 0; e < scores.size(); ++e) {
    scores_grad[e] += static_cast<float>(factor) * (f[e] - mean) / sum;
  }
  return factor * static_cast<double>(mean);
}

// The backward pass of route(). With balance terms, their sum is noted.
void route_backward(Context& ctx, Tape& tape, const Tensor& logits, const RouterOptions& options,
                    const Routing& routing, const std::vector<BalanceTerm>& balance) {
  const int64_t experts = logits.columns(), k = routing.top_k;
  float* logits_grad = tape.gradient(logits.f32());
  const float* weights_grad = tape.gradient(routing.weights.f32());
  const auto rows_backward = [&](int64_t first, int64_t count, const BalanceTerm* term,
                                 const std::vector<float>& f) {
    std::vector<float> scores(static_cast<size_t>(experts)), grad;
    double loss = 0;
    for (int64_t m = first; m < first + count; ++m) {
      score_row(logits.f32() + m * experts, options.score, scores);
      grad.assign(scores.size(), 0.0f);
      weights_backward(options, &routing.experts[static_cast<size_t>(m * k)], weights_grad + m * k,
                       scores, grad);
      if (term != nullptr) loss += balance_backward(*term, f, scores, grad);
      score_backward(options.score, scores, grad, logits_grad + m * experts);
    }
    return loss;
  };
  if (balance.empty()) {
    for_row_blocks(ctx, logits.rows(),
                   [&](int64_t first, int64_t count) { rows_backward(first, count, nullptr, {}); });
    return;
  }
  std::vector<double> losses(balance.size());
  ctx.pool().parallel_for(static_cast<int64_t>(balance.size()), [&](int64_t i, int) {
    const BalanceTerm& term = balance[static_cast<size_t>(i)];
    losses[static_cast<size_t>(i)] =
        rows_backward(term.first_row, term.rows, &term, shares(term, routing, experts));
  });
  for (const double loss : losses) tape.balance_loss += loss;
}

void record_route(Context& ctx, const Tensor& logits, const Tensor& bias,
                  const RouterOptions& options, const Routing& routing) {
  Tape& tape = *ctx.tape();
  ExpertLoad load{bias ? bias.f32() : nullptr,
                  std::vector<int64_t>(static_cast<size_t>(logits.columns()))};
  for (const int32_t e : routing.experts) ++load.tokens[static_cast<size_t>(e)];
  tape.loads.push_back(std::move(load));
  tape.record([&tape, logits, options, routing, balance = tape.balance](Context& c) {
    route_backward(c, tape, logits, options, routing, balance);
  });
}

}  // namespace

Routing route(Context& ctx, const Tensor& logits, const Tensor& bias,
              const RouterOptions& options) {
  const int64_t rows = logits.rows(), experts = logits.columns(), k = options.top_k;
  CHECK(k >= 1 && k <= experts);
  CHECK(options.groups >= 1 && experts % options.groups == 0);
  CHECK(options.top_groups >= 1 && options.top_groups <= options.groups);
  CHECK(experts / options.groups * options.top_groups >= k);
  CHECK(!bias || bias.shape.elements() == experts);

  Routing routing;
  routing.top_k = options.top_k;
  routing.experts.resize(static_cast<size_t>(rows * k));
  routing.weights = ctx.activation({rows, k});
  for_row_blocks(ctx, rows, [&](int64_t first, int64_t count) {
    std::vector<float> scores(static_cast<size_t>(experts)), choice;
    std::vector<int32_t> chosen;
    for (int64_t m = first; m < first + count; ++m) {
      score_row(logits.f32() + m * experts, options.score, scores);
      choice = scores;
      add_biased(bias, choice);
      if (options.top_groups < options.groups) keep_best_groups(choice, options);
      top_indices(choice, static_cast<size_t>(k), chosen);
      float sum = 0;
      for (const int32_t e : chosen) sum += scores[static_cast<size_t>(e)];
      const float factor = weight_factor(options, sum);
      for (int64_t j = 0; j < k; ++j) {
        const int32_t e = chosen[static_cast<size_t>(j)];
        routing.experts[static_cast<size_t>(m * k + j)] = e;
        routing.weights.f32()[m * k + j] = scores[static_cast<size_t>(e)] * factor;
      }
    }
  });
  if (ctx.tape() != nullptr) record_route(ctx, logits, bias, options, routing);
  return routing;
}

}  // namespace minke
