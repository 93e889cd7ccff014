#pragma once

#include <string_view>

namespace minke {

// Instruction-set levels that kernels are written for, each including the ones before it. Levels
// are coarse: a machine is at a level only if it has the whole bundle.
enum class Isa {
  kScalar,
  kAvx2,        // AVX2, FMA, F16C
  kAvx512,      // AVX-512 F, BW, DQ, VL and VNNI
  kAvx512Bf16,  // AVX512_BF16
  kAmx,         // AMX-TILE, AMX-INT8, AMX-BF16
};
inline constexpr Isa kIsaLevels[] = {Isa::kScalar, Isa::kAvx2, Isa::kAvx512, Isa::kAvx512Bf16,
                                     Isa::kAmx};

std::string_view isa_name(Isa isa);

// The level named by `name` ("scalar", "avx2", "avx512", "avx512_bf16", "amx"). Throws Error for
// any other.
Isa parse_isa(std::string_view name);

// The highest level that this processor and its operating system offer. Asks the system to let this
// process use tiles where there are some.
Isa machine_isa();

// machine_isa(), capped by the environment variable MINKE_ISA if it is set. Throws Error if its
// value is unknown or asks for more than the machine has. The only environment variable that
// changes how Minke computes.
Isa chosen_isa();

}  // namespace minke
