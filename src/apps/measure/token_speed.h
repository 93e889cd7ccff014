#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/terminal/console.h"
#include "apps/terminal/progress.h"
#include "serve/engine/session.h"

namespace minke {

// Where the speed of a model is measured.
struct SpeedPoints {
  std::vector<int64_t> prefill;  // tokens of a prompt
  std::vector<int64_t> depths;   // tokens in the context when decoding begins
  int64_t decode_tokens = 0;     // tokens decoded at each depth
  int64_t repeat = 0;            // measurements of a point, of which the median counts

  // Most tokens that are in the context at a time.
  int64_t context() const;
};

// The points in ascending order, each once, that fit into a context of `most` tokens, and those
// that do not.
struct FittingPoints {
  SpeedPoints fitting, left_out;
};
FittingPoints points_within(const SpeedPoints& wanted, int64_t most);

// Measures prompts and decoding on random tokens, with progress on a terminal. Every call ends with
// Stopped at a stop signal.
class TokenSpeed {
 public:
  // All must outlive it. The context of `options` becomes that of the points.
  TokenSpeed(const Model& model, const SpeedPoints& points, SessionOptions options,
             Console& console);

  // Reads the weights for the first time, which may mean from disk.
  void warm_up();
  // Median tokens of a second. Points are those that the constructor was given; the context of a
  // depth is kept for the next one, so that ascending depths cost no more than the deepest.
  double prefill(int64_t count);
  double decode(int64_t depth);

 private:
  // Prefills up to `length` tokens.
  void fill(int64_t length);
  template <typename Run>
  double repeated(const std::string& what, const Run& run);

  const Model& model_;
  const SpeedPoints& points_;
  Session session_;
  Progress progress_;
  std::string what_ = "warming up";
  std::vector<int32_t> tokens_;
};

// Of at least one value.
double median(std::vector<double> values);

}  // namespace minke
