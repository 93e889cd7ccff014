#pragma once

#include <cstdint>
#include <span>

namespace minke {

// What may be drawn next, token by token. One object belongs to one sequence.
class TokenConstraint {
 public:
  virtual ~TokenConstraint() = default;
  // Sets the bit of each id that may come next: id i is bit i % 64 of word i / 64. `bits` is all
  // zero and holds the whole vocabulary. A stop token is set where the text may end. At least one
  // bit is set.
  virtual void allowed(std::span<uint64_t> bits) = 0;
  // Tells the token that was drawn, one of those that were allowed.
  virtual void accept(int32_t id) = 0;
};

}  // namespace minke
