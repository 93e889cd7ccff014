#include "apps/measure/peaks.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include <gtest/gtest.h>

#include "base/core/rng.h"

namespace minke {
namespace {

// Small whole numbers, so that every sum is exact in any order, in bfloat16 and 16 bits too.
template <typename T>
std::vector<int> small_numbers(uint64_t seed) {
  Rng rng(seed);
  std::vector<int> values(kChainOperandBytes / sizeof(T));
  for (int& value : values)
    value = static_cast<int>(rng.below(13)) - (std::is_same_v<T, uint8_t> ? 0 : 6);
  return values;
}

template <typename T>
T operand(int value) {
  if constexpr (std::is_same_v<T, uint16_t>) {
    const auto wide = static_cast<float>(value);
    uint32_t bits = 0;
    std::memcpy(&bits, &wide, sizeof(bits));
    return static_cast<uint16_t>(bits >> 16);
  } else {
    return static_cast<T>(value);
  }
}

template <typename T>
std::vector<T> operands(const std::vector<int>& values) {
  std::vector<T> result;
  for (const int value : values) result.push_back(operand<T>(value));
  return result;
}

// What one step adds to sum l, as chains.h says.
template <typename A, typename B, typename Sum>
int added(const Chain<A, B, Sum>& chain, const std::vector<int>& a, const std::vector<int>& b,
          int l) {
  int total = 0;
  for (int i = 0; i < chain.depth; ++i) {
    int ia = l * chain.depth + i, ib = ia;
    if (chain.lanes == 256) {
      const int pack = static_cast<int>(sizeof(Sum) / sizeof(B));
      ia = l / 16 * chain.depth + i;
      ib = (i / pack * 16 + l % 16) * pack + i % pack;
    }
    total += a[static_cast<size_t>(ia)] * b[static_cast<size_t>(ib)];
  }
  return total;
}

template <typename A, typename B, typename Sum>
void expect_multiply_accumulates(const Chain<A, B, Sum>& chain) {
  const auto a = small_numbers<A>(1), b = small_numbers<B>(2);
  const auto a_operands = operands<A>(a);
  const auto b_operands = operands<B>(b);
  const int begin = chain.chains * (chain.chains - 1) / 2;
  for (const int steps : {0, 1, 7}) {
    std::vector<Sum> sums(kMostChainLanes, Sum{-1});
    chain.run(a_operands.data(), b_operands.data(), steps, sums.data());
    for (int l = 0; l < chain.lanes; ++l) {
      const int expected = begin + steps * chain.chains * added(chain, a, b, l);
      ASSERT_EQ(sums[static_cast<size_t>(l)], static_cast<Sum>(expected))
          << chain.instruction << ", " << steps << " steps, sum " << l;
    }
    // Nothing is written beyond the sums.
    for (size_t l = static_cast<size_t>(chain.lanes); l < sums.size(); ++l) {
      ASSERT_EQ(sums[l], Sum{-1}) << chain.instruction << ", sum " << l;
    }
  }
}

class Levels : public testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    if (!machine_has(GetParam()) || GetParam() > chosen_isa()) {
      GTEST_SKIP() << "not a level of this machine";
    }
  }
};

TEST_P(Levels, ChainsMultiplyAndAccumulate) {
  const ChainsOfLevel chains = chains_of(GetParam());
  ASSERT_FALSE(chains.int8.empty());
  ASSERT_FALSE(chains.f32.empty());
  for (const auto* chain : chains.int8) expect_multiply_accumulates(*chain);
  for (const auto* chain : chains.bf16) expect_multiply_accumulates(*chain);
  for (const auto* chain : chains.f32) expect_multiply_accumulates(*chain);
}

// Wider values of a sum than any 16-bit step could hold, with both signs.
TEST_P(Levels, Int8ChainsSumInto32Bits) {
  for (const auto* chain : chains_of(GetParam()).int8) {
    std::vector<uint8_t> a(kChainOperandBytes, 127);
    std::vector<int8_t> b(kChainOperandBytes, -127);
    std::vector<int32_t> sums(kMostChainLanes);
    chain->run(a.data(), b.data(), 100, sums.data());
    const int begin = chain->chains * (chain->chains - 1) / 2;
    EXPECT_EQ(sums[0], begin - 100 * chain->chains * chain->depth * 127 * 127)
        << chain->instruction;
  }
}

TEST_P(Levels, PeaksAreMeasuredWhereThereAreChains) {
  const ChainsOfLevel chains = chains_of(GetParam());
  const Peaks peaks = measure_peaks(GetParam(), 1);
  ASSERT_TRUE(peaks.int8 && peaks.f32);
  EXPECT_EQ(peaks.bf16.has_value(), !chains.bf16.empty());
  for (const auto& peak : {peaks.int8, peaks.bf16, peaks.f32}) {
    if (!peak) continue;
    EXPECT_FALSE(peak->instruction.empty());
    EXPECT_GT(peak->operations_per_second, 0);
    EXPECT_TRUE(std::isfinite(peak->operations_per_second));
  }
}

INSTANTIATE_TEST_SUITE_P(All, Levels, testing::ValuesIn(kIsaLevels),
                         [](const auto& level) { return std::string(isa_name(level.param)); });

}  // namespace
}  // namespace minke
