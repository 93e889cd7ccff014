#include "base/cpu/isa.h"

#include <algorithm>
#include <fstream>
#include <initializer_list>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/core/error.h"

namespace minke {
namespace {

TEST(Isa, ParsesEveryLevelAndRefusesOthers) {
  for (const Isa isa : kIsaLevels) {
    EXPECT_EQ(parse_isa(isa_name(isa)), isa);
  }
  EXPECT_THROW(parse_isa("sse"), Error);
}

// What Linux says of the processor.
TEST(Isa, TheMachineHasTheLevelsWhoseFlagsItHas) {
  std::ifstream cpuinfo("/proc/cpuinfo");
  std::string line;
  while (std::getline(cpuinfo, line) && !line.starts_with("flags")) continue;
  line += ' ';
  const auto has = [&](std::initializer_list<std::string_view> flags) {
    return std::ranges::all_of(
        flags, [&](auto flag) { return line.find(fmt::format(" {} ", flag)) != line.npos; });
  };
  const bool avx2 = has({"avx2", "fma", "f16c"});
  const bool avx512 = avx2 && has({"avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_vnni"});
  EXPECT_TRUE(machine_has(Isa::kScalar));
  EXPECT_EQ(machine_has(Isa::kAvx2), avx2);
  EXPECT_EQ(machine_has(Isa::kAvxVnni), avx2 && has({"avx_vnni"}));
  EXPECT_EQ(machine_has(Isa::kAvx512), avx512);
  EXPECT_EQ(machine_has(Isa::kAvx512Bf16), avx512 && has({"avx512_bf16"}));
  EXPECT_TRUE(machine_has(machine_isa()));
  for (const Isa isa : kIsaLevels) {
    if (isa > machine_isa()) {
      EXPECT_FALSE(machine_has(isa)) << isa_name(isa);
    }
  }
}

}  // namespace
}  // namespace minke
