#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "apps/measure/chains/chains.h"
#include "base/cpu/isa.h"

namespace minke {

// What this processor computes at most with an instruction. A multiply-accumulate is two
// operations.
struct Peak {
  std::string_view instruction;
  double operations_per_second = 0;
};

// Empty where the level has no instruction for such values.
struct Peaks {
  std::optional<Peak> int8;  // 8-bit values, sums of 32 bits
  std::optional<Peak> bf16;  // sums of 32 bits
  std::optional<Peak> f32;
};

// The chains that run here at `level`, one that the machine has. A limit is the machine's: products
// of bfloat16 and of tiles count at every level of AVX-512 of machines that have them.
struct ChainsOfLevel {
  std::vector<const Int8Chain*> int8;
  std::vector<const Bf16Chain*> bf16;
  std::vector<const F32Chain*> f32;
};
ChainsOfLevel chains_of(Isa level);

// The fastest chain of each kind, with `threads` threads: the best of several passes. Takes about a
// second; a stop signal throws Stopped.
Peaks measure_peaks(Isa level, int threads);

}  // namespace minke
