#pragma once

#include <stdint.h>

// Chains of multiply-accumulates that touch registers only: what a processor can compute at most.
// One file for each instruction set, compiled with its flags; these files include this header and
// intrinsics only, as those of math/kernels do.

namespace minke {

// `run` makes `steps` steps. In one step each of `chains` accumulators, which do not depend on each
// other and hold `lanes` sums, adds up `depth` products for every sum. The operands are the same in
// each step. In the end sums[l] is the total over the accumulators, of which number c began with c.
// Integers wrap around.
//
// Operands: lane l multiplies a[l * depth + i] by b[l * depth + i], i < depth. Tiles (lanes = 256)
// are C[m][n] += A[m][k] * B[k][n], m, n < 16, k < depth, where b holds B[k][n] at
// (k / p * 16 + n) * p + k % p, p operands being as wide as one sum. Both arrays hold
// kChainOperandBytes.
template <typename A, typename B, typename Sum>
struct Chain {
  const char* instruction;
  int lanes, depth, chains;
  void (*run)(const A* a, const B* b, int64_t steps, Sum* sums);
};
using Int8Chain = Chain<uint8_t, int8_t, int32_t>;
using Bf16Chain = Chain<uint16_t, uint16_t, float>;
using F32Chain = Chain<float, float, float>;

// Numbers of accumulators. Files repeat what they do by expanding them, so that accumulators are
// registers at any level of optimization.
template <int... C>
struct Numbers {};
using Numbers8 = Numbers<0, 1, 2, 3, 4, 5, 6, 7>;
using Numbers12 = Numbers<0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11>;
using Numbers16 = Numbers<0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15>;

inline constexpr int kChainOperandBytes = 1024;
inline constexpr int kMostChainLanes = 256;

// Every x86-64: products of 8-bit values that stand in 16 bits, sums of 32 bits.
extern const Int8Chain kPmaddwd;
extern const F32Chain kMulps;
// AVX2 and FMA. Pairs of products must fit 16 bits (a <= 128), beyond that they saturate.
extern const Int8Chain kVpmaddubsw;
extern const F32Chain kVfmaddAvx2;
// AVX-VNNI.
extern const Int8Chain kVpdpbusdAvx;
// AVX-512 with VNNI.
extern const Int8Chain kVpdpbusd;
extern const F32Chain kVfmaddAvx512;
// AVX512-BF16.
extern const Bf16Chain kVdpbf16ps;
// AMX. The process must have the system's permission to use tiles.
extern const Int8Chain kTdpbusd;
extern const Bf16Chain kTdpbf16ps;

}  // namespace minke
