#include <algorithm>
#include <cmath>
#include <functional>

#include "base/core/check.h"
#include "learn/train/optimizer/adamw.h"
#include "learn/train/optimizer/orthogonalize.h"

namespace minke {
namespace {

// The root mean square of an orthogonal matrix's elements is 1 / sqrt(max(rows, columns)). This
// gives updates the size of AdamW's, so that both can share a learning rate (Moonlight: Muon is
// Scalable for LLM Training, arXiv 2502.16982).
constexpr double kUpdateRms = 0.2;

// Muon (Jordan, 2024) for hidden matrices, AdamW for everything else.
class Muon : public Optimizer {
 public:
  Muon(const OptimizerOptions& options, const Kernels& kernels,
       std::span<const Parameter> parameters)
      : options_(options), kernels_(kernels) {
    for (size_t p = 0; p < parameters.size(); ++p) add(p, parameters[p]);
    // Large ones first, so that no worker ends long after the others.
    std::ranges::stable_sort(matrices_, std::greater(), &Matrix::cost);
  }

  void step(ThreadPool& pool, std::span<Parameter> parameters, const StepOptions& step) override {
    CHECK(parameters.size() == states_.size());
    while (workers_.size() < static_cast<size_t>(pool.size())) workers_.emplace_back(kernels_);
    const size_t tasks = matrices_.size() + pieces_.size();
    pool.parallel_for(static_cast<int64_t>(tasks), [&](int64_t task, int worker) {
      const auto t = static_cast<size_t>(task);
      if (t < matrices_.size()) {
        const size_t p = matrices_[t].parameter;
        matrix_step(step, parameters[p], states_[p].momentum,
                    workers_[static_cast<size_t>(worker)]);
      } else {
        const Piece piece = pieces_[t - matrices_.size()];
        adamw_step(options_, step, piece, parameters[piece.parameter],
                   *states_[piece.parameter].adamw);
      }
    });
  }

  void visit_state(const StateVisitor& visit) override {
    for (State& state : states_) {
      if (state.adamw) {
        state.adamw->visit(state.name, visit);
      } else {
        visit(state.name + ".momentum", state.momentum);
      }
    }
  }

 private:
  struct State {
    std::string name;
    Tensor momentum;                    // of hidden matrices
    std::unique_ptr<AdamWState> adamw;  // of the others
  };
  struct Matrix {
    size_t parameter;
    double cost;
  };
  struct Worker {
    explicit Worker(const Kernels& kernels) : orthogonalizer(kernels) {}
    Orthogonalizer orthogonalizer;
    std::vector<float> update;
  };

  void add(size_t index, const Parameter& parameter) {
    State& state = states_.emplace_back();
    state.name = parameter.name;
    const Shape& shape = parameter.master.shape;
    if (parameter.role == ParameterRole::kMatrix) {
      CHECK(shape.rank() == 2);
      state.momentum = Tensor::zeros(DType::kF32, shape);
      const auto rows = static_cast<double>(shape[0]), columns = static_cast<double>(shape[1]);
      matrices_.push_back({index, rows * columns * std::min(rows, columns)});
    } else {
      state.adamw = std::make_unique<AdamWState>(parameter);
      add_pieces(index, shape.elements(), pieces_);
    }
  }

  void matrix_step(const StepOptions& step, Parameter& parameter, Tensor& momentum_tensor,
                   Worker& worker) const {
    const int64_t rows = parameter.master.rows(), columns = parameter.master.columns();
    const auto elements = static_cast<size_t>(rows * columns);
    float* const weights = parameter.master.f32();
    const float* const gradients = parameter.gradient.f32();
    float* const momentum = momentum_tensor.f32();
    const auto kept_momentum = static_cast<float>(options_.momentum);
    worker.update.resize(elements);
    float* const update = worker.update.data();
    for (size_t i = 0; i < elements; ++i) {
      momentum[i] = kept_momentum * momentum[i] + gradients[i];
      update[i] = gradients[i] + kept_momentum * momentum[i];  // Nesterov's look ahead
    }
    worker.orthogonalizer.run(update, rows, columns);
    const double scale = kUpdateRms * std::sqrt(static_cast<double>(std::max(rows, columns)));
    const auto rate = static_cast<float>(step.learning_rate * scale);
    const auto kept = static_cast<float>(1 - step.learning_rate * options_.weight_decay);
    for (size_t i = 0; i < elements; ++i) weights[i] = kept * weights[i] - rate * update[i];
  }

  OptimizerOptions options_;
  Kernels kernels_;
  std::vector<State> states_;
  std::vector<Matrix> matrices_;
  std::vector<Piece> pieces_;
  std::vector<Worker> workers_;
};

}  // namespace

std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& options, const Kernels& kernels,
                                          std::span<const Parameter> parameters) {
  if (options.kind == OptimizerKind::kAdamW) return make_adamw(options, parameters);
  return std::make_unique<Muon>(options, kernels, parameters);
}

}  // namespace minke
