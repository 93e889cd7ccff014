#pragma once

#include <cstdint>

namespace minke {

// A pseudo-random order of the numbers below `size`, place by place and without memory: a balanced
// Feistel network on the next even number of bits, walked until it is below `size` again (Black,
// Rogaway: Ciphers with Arbitrary Finite Domains, 2002).
class Permutation {
 public:
  // `size` > 0. The same seed gives the same order on every machine.
  Permutation(uint64_t size, uint64_t seed);

  // i < size.
  uint64_t operator()(uint64_t i) const;

 private:
  uint64_t encipher(uint64_t value) const;

  uint64_t size_, seed_;
  int half_bits_;
};

}  // namespace minke
