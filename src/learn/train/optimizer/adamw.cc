#include "learn/train/optimizer/adamw.h"

#include <algorithm>
#include <cmath>

#include "base/core/check.h"

namespace minke {

void add_pieces(size_t parameter, int64_t elements, std::vector<Piece>& pieces) {
  for (int64_t begin = 0; begin < elements; begin += kPieceElements) {
    pieces.push_back({parameter, begin, std::min(begin + kPieceElements, elements)});
  }
}

double sum_of_squares(const float* values, int64_t count) {
  // Sums that do not wait for each other.
  constexpr int64_t kLanes = 16;
  double sums[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      const double value = values[i + lane];
      sums[lane] += value * value;
    }
  }
  for (; i < count; ++i) sums[0] += double{values[i]} * values[i];
  double sum = 0;
  for (const double lane : sums) sum += lane;
  return sum;
}

AdamWState::AdamWState(const Parameter& parameter)
    : first(Tensor::zeros(DType::kF32, parameter.master.shape)),
      second(Tensor::zeros(DType::kF32, parameter.master.shape)) {}

void AdamWState::visit(const std::string& name, const Optimizer::StateVisitor& visit) {
  visit(name + ".first_moment", first);
  visit(name + ".second_moment", second);
}

void adamw_step(const OptimizerOptions& options, const StepOptions& step, Piece piece,
                Parameter& parameter, AdamWState& state) {
  const double decay = parameter.role == ParameterRole::kVector ? 0 : options.weight_decay;
  const auto steps = static_cast<double>(step.step);
  // The averages begin at zero; these undo what that takes away from them.
  const double correction1 = 1 - std::pow(options.beta1, steps);
  const double correction2 = 1 - std::pow(options.beta2, steps);
  const auto kept = static_cast<float>(1 - step.learning_rate * decay);
  const auto rate = static_cast<float>(step.learning_rate / correction1);
  const auto root = static_cast<float>(1 / std::sqrt(correction2));
  const auto epsilon = static_cast<float>(options.epsilon);
  const auto beta1 = static_cast<float>(options.beta1);
  const auto beta2 = static_cast<float>(options.beta2);
  const auto new1 = static_cast<float>(1 - options.beta1);
  const auto new2 = static_cast<float>(1 - options.beta2);
  float* const weights = parameter.master.f32();
  const float* const gradients = parameter.gradient.f32();
  float* const firsts = state.first.f32();
  float* const seconds = state.second.f32();
  for (int64_t i = piece.begin; i < piece.end; ++i) {
    const float gradient = gradients[i];
    const float first = firsts[i] = beta1 * firsts[i] + new1 * gradient;
    const float second = seconds[i] = beta2 * seconds[i] + new2 * gradient * gradient;
    weights[i] = kept * weights[i] - rate * first / (std::sqrt(second) * root + epsilon);
  }
}

namespace {

class AdamW : public Optimizer {
 public:
  AdamW(const OptimizerOptions& options, std::span<const Parameter> parameters)
      : options_(options) {
    for (size_t p = 0; p < parameters.size(); ++p) {
      names_.push_back(parameters[p].name);
      states_.emplace_back(parameters[p]);
      add_pieces(p, parameters[p].master.shape.elements(), pieces_);
    }
  }

  void step(ThreadPool& pool, std::span<Parameter> parameters, const StepOptions& step) override {
    CHECK(parameters.size() == states_.size());
    pool.parallel_for(static_cast<int64_t>(pieces_.size()), [&](int64_t task, int) {
      const Piece piece = pieces_[static_cast<size_t>(task)];
      adamw_step(options_, step, piece, parameters[piece.parameter], states_[piece.parameter]);
    });
  }

  void visit_state(const StateVisitor& visit) override {
    for (size_t p = 0; p < states_.size(); ++p) states_[p].visit(names_[p], visit);
  }

 private:
  OptimizerOptions options_;
  std::vector<std::string> names_;
  std::vector<AdamWState> states_;
  std::vector<Piece> pieces_;
};

}  // namespace

std::unique_ptr<Optimizer> make_adamw(const OptimizerOptions& options,
                                      std::span<const Parameter> parameters) {
  return std::make_unique<AdamW>(options, parameters);
}

}  // namespace minke
