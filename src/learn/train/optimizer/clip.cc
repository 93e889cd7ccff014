#include <cmath>

#include "learn/train/optimizer/adamw.h"

namespace minke {
namespace {

std::vector<Piece> all_pieces(std::span<const Parameter> parameters) {
  std::vector<Piece> pieces;
  for (size_t p = 0; p < parameters.size(); ++p) {
    add_pieces(p, parameters[p].gradient.shape.elements(), pieces);
  }
  return pieces;
}

double norm_of(ThreadPool& pool, std::span<const Parameter> parameters,
               const std::vector<Piece>& pieces) {
  std::vector<double> sums(pieces.size());
  pool.parallel_for(static_cast<int64_t>(pieces.size()), [&](int64_t task, int) {
    const Piece piece = pieces[static_cast<size_t>(task)];
    sums[static_cast<size_t>(task)] = sum_of_squares(
        parameters[piece.parameter].gradient.f32() + piece.begin, piece.end - piece.begin);
  });
  double sum = 0;
  for (const double part : sums) sum += part;
  return std::sqrt(sum);
}

}  // namespace

double gradient_norm(ThreadPool& pool, std::span<const Parameter> parameters) {
  return norm_of(pool, parameters, all_pieces(parameters));
}

double clip_gradients(ThreadPool& pool, std::span<Parameter> parameters, double max_norm) {
  const std::vector<Piece> pieces = all_pieces(parameters);
  const double norm = norm_of(pool, parameters, pieces);
  if (!std::isfinite(norm) || norm <= max_norm) return norm;
  const auto factor = static_cast<float>(max_norm / norm);
  pool.parallel_for(static_cast<int64_t>(pieces.size()), [&](int64_t task, int) {
    const Piece piece = pieces[static_cast<size_t>(task)];
    float* const gradients = parameters[piece.parameter].gradient.f32();
    for (int64_t i = piece.begin; i < piece.end; ++i) gradients[i] *= factor;
  });
  return norm;
}

}  // namespace minke
