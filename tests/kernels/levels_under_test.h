#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/cpu/isa.h"
#include "emulated_amx.h"
#include "evex_avx_vnni.h"
#include "math/kernels/kernels.h"

// Every test runs once for each instruction-set level; those that this machine lacks are skipped
// and said to be, so that a green run never hides that a level was not tried.

namespace minke {

class KernelsTest : public testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    scalar = select_kernels(Isa::kScalar);
    if (GetParam() == Isa::kAmx && machine_isa() == Isa::kAvx512Bf16) {
      std::printf("NOT TESTED: instructions of AMX, which are emulated\n");
      kernels = select_kernels(machine_isa());
      emulate_amx();
      return;
    }
    if (GetParam() == Isa::kAvxVnni && !machine_has(GetParam()) && machine_has(Isa::kAvx512)) {
      std::printf("NOT TESTED: AVX-VNNI's own encoding, in place of it AVX-512's\n");
      kernels = select_kernels(Isa::kAvx2);
      avx_vnni::set_products(kernels, kEvexProducts);
      return;
    }
    if (!machine_has(GetParam())) {
      std::printf("NOT TESTED: this machine has no %s\n",
                  std::string(isa_name(GetParam())).c_str());
      GTEST_SKIP();
    }
    kernels = select_kernels(GetParam());
  }

  void TearDown() override { EXPECT_TRUE(emulated_tiles_are_released()); }

  Kernels kernels{};  // of the level under test; their `isa` may be lower where some are emulated
  Kernels scalar{};   // the specification

 private:
  void emulate_amx() {
    amx::set_products(kernels, kEmulatedProducts);
    kernels.left_rows = amx::kMostRows;
    kernels.step_pairs = amx::kStepPairs;
    kernels.transpose_bf16 = amx::transpose_bf16;
    kernels.multiply_bf16 = multiply_bf16_emulated;
  }
};

inline std::string level_name(const testing::TestParamInfo<Isa>& info) {
  return std::string(isa_name(info.param));
}

inline const auto kEveryLevel = testing::ValuesIn(kIsaLevels);

}  // namespace minke
