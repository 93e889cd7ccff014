#include "learn/data/permutation.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/core/check.h"
#include "base/core/rng.h"

namespace minke {
namespace {

constexpr uint64_t kRounds = 6;

}  // namespace

Permutation::Permutation(uint64_t size, uint64_t seed)
    : size_(size),
      seed_(Rng(seed).next()),
      half_bits_(std::max(1, static_cast<int>(std::bit_width(size - 1) + 1) / 2)) {
  CHECK(size > 0);
}

uint64_t Permutation::encipher(uint64_t value) const {
  const uint64_t mask = (uint64_t{1} << half_bits_) - 1;
  uint64_t left = value >> half_bits_, right = value & mask;
  for (uint64_t round = 0; round < kRounds; ++round) {
    const uint64_t mixed = Rng(seed_ + round, right).next();
    left = std::exchange(right, left ^ (mixed & mask));
  }
  return left << half_bits_ | right;
}

uint64_t Permutation::operator()(uint64_t i) const {
  CHECK(i < size_);
  do {
    i = encipher(i);
  } while (i >= size_);
  return i;
}

}  // namespace minke
