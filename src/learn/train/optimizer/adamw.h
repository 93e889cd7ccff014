#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "learn/train/optimizer/optimizer.h"

namespace minke {

// Parts of the optimizers.

// A parameter's elements are worked on in pieces of this many; what is summed over a parameter is
// summed in pieces, whatever the number of threads.
inline constexpr int64_t kPieceElements = int64_t{1} << 15;

// Elements [begin, end) of parameter number `parameter` of a list.
struct Piece {
  size_t parameter;
  int64_t begin, end;
};
void add_pieces(size_t parameter, int64_t elements, std::vector<Piece>& pieces);

// The sum of squares of `count` values in float64, in an order that depends on `count` alone.
double sum_of_squares(const float* values, int64_t count);

// What AdamW (Loshchilov, Hutter: Decoupled Weight Decay Regularization, 2019) remembers of one
// parameter.
struct AdamWState {
  explicit AdamWState(const Parameter& parameter);
  void visit(const std::string& name, const Optimizer::StateVisitor& visit);

  Tensor first;   // average of gradients
  Tensor second;  // average of their squares
};

// One step of the elements of a piece.
void adamw_step(const OptimizerOptions& options, const StepOptions& step, Piece piece,
                Parameter& parameter, AdamWState& state);

std::unique_ptr<Optimizer> make_adamw(const OptimizerOptions& options,
                                      std::span<const Parameter> parameters);

}  // namespace minke
