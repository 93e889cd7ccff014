#pragma once

#include <string_view>

namespace minke {

// Instruction-set levels that kernels are written for. Levels are coarse: a machine has a level
// only if it has the whole bundle and the levels before it. But kAvxVnni is beside those of
// AVX-512: they do not contain it, and many processors that have them lack it.
enum class Isa {
  kScalar,
  kAvx2,        // AVX2, FMA, F16C
  kAvxVnni,     // AVX-VNNI: the products of VNNI on vectors of 256 bits
  kAvx512,      // AVX-512 F, BW, DQ, VL and VNNI
  kAvx512Bf16,  // AVX512_BF16
  kAmx,         // AMX-TILE, AMX-INT8, AMX-BF16
};
inline constexpr Isa kIsaLevels[] = {Isa::kScalar, Isa::kAvx2,       Isa::kAvxVnni,
                                     Isa::kAvx512, Isa::kAvx512Bf16, Isa::kAmx};

std::string_view isa_name(Isa isa);

// The level named by `name` ("scalar", "avx2", "avx_vnni", "avx512", "avx512_bf16", "amx"). Throws
// Error for any other.
Isa parse_isa(std::string_view name);

// Whether this processor and its operating system offer the level. For kAmx asks the system to let
// this process use tiles.
bool machine_has(Isa isa);

// The highest level that the machine has.
Isa machine_isa();

// machine_isa(), or the level that the environment variable MINKE_ISA names if it is set. Throws
// Error if its value is unknown or a level that the machine lacks. The only environment variable
// that changes how Minke computes.
Isa chosen_isa();

}  // namespace minke
