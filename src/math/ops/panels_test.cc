#include "math/ops/panels.h"

#include <array>
#include <cmath>

#include <gtest/gtest.h>

#include "math/ops/packed_weights.h"
#include "math/ops/test_context.h"

namespace minke {
namespace {

std::vector<uint16_t> random_halves(int64_t count, uint64_t seed) {
  const Tensor t = random_tensor({count}, seed);
  std::vector<uint16_t> halves;
  for (const float f : values(t)) halves.push_back(f32_to_bf16(f));
  return halves;
}

// Rows [rows, inner] of values, and the memory in which an operand has them.
struct Operand {
  Operand(int64_t rows_, int64_t inner_, bool by_column, int64_t gap, uint64_t seed)
      : rows(rows_), inner(inner_), dense(random_halves(rows * inner, seed)) {
    const int64_t stride = (by_column ? rows : inner) + gap;
    const int64_t lines = by_column ? inner : rows;
    // What stands between rows is NaN.
    memory.assign(static_cast<size_t>(lines * stride - gap), uint16_t{0x7fff});
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t i = 0; i < inner; ++i) {
        memory[static_cast<size_t>(by_column ? i * stride + r : r * stride + i)] = bits(r, i);
      }
    }
    view = {memory.data(), stride, by_column};
  }
  uint16_t bits(int64_t r, int64_t i) const { return dense[static_cast<size_t>(r * inner + i)]; }
  // Rows from `first` on.
  HalfRows from(int64_t first) const {
    return {view.values + (view.by_column ? first : first * view.stride), view.stride,
            view.by_column};
  }

  int64_t rows, inner;
  std::vector<uint16_t> dense, memory;
  HalfRows view;
};

struct Sizes {
  int64_t rows, columns, inner;
};

// A product with its operands and the place of its result.
struct Problem {
  Problem(const Sizes& s, bool left_by_column, bool right_by_column, bool add, uint64_t seed)
      : left(s.rows, s.inner, left_by_column, 3, seed),
        right(s.columns, s.inner, right_by_column, 5, seed + 1),
        before(random_tensor({s.rows, s.columns + kGap}, seed + 2)),
        out(Tensor::zeros(DType::kF32, before.shape)) {
    product = {left.view, s.rows, right.view, s.columns, s.inner, out.f32(), out.columns(), add};
  }
  // `before` in the place of the result.
  const PanelProduct& start() const {
    std::memcpy(out.data, before.data, static_cast<size_t>(out.bytes()));
    return product;
  }

  static constexpr int64_t kGap = 2;
  Operand left, right;
  Tensor before, out;
  PanelProduct product;
};

void expect_product(const Problem& p) {
  const PanelProduct& s = p.product;
  for (int64_t m = 0; m < s.rows; ++m) {
    for (int64_t n = 0; n < s.out_stride; ++n) {
      const float found = p.out.f32()[m * s.out_stride + n];
      const float before = p.before.f32()[m * s.out_stride + n];
      if (n >= s.columns) {
        ASSERT_EQ(found, before) << "written between rows";
        continue;
      }
      double expected = s.add ? before : 0, magnitude = std::abs(expected);
      for (int64_t i = 0; i < s.inner; ++i) {
        const double term =
            static_cast<double>(bf16_to_f32(p.left.bits(m, i))) * bf16_to_f32(p.right.bits(n, i));
        expected += term;
        magnitude += std::abs(term);
      }
      // A pair of values takes two roundings at most, or cuts, of sums below `magnitude`.
      ASSERT_NEAR(found, expected, magnitude * static_cast<double>(s.inner + 2) * 0x1p-23)
          << m << " " << n;
    }
  }
}

// Leaves NaN in the memory that the next op takes as scratch.
void soil(Context& ctx) {
  constexpr int64_t kBytes = 2 << 20;  // more than any product here takes
  std::memset(ctx.arena().allocate<uint8_t>(kBytes), 0xff, kBytes);
  ctx.reset();
}

class Panels : public testing::Test {
 protected:
  void SetUp() override {
    if (select_kernels(machine_isa()).multiply_bf16 == nullptr) {
      GTEST_SKIP() << "the machine has no products of bfloat16";
    }
  }
};

const Sizes kSizes[] = {{1, 1, 1},      {1, 33, 512},   {13, 31, 513}, {12, 32, 64},  {97, 70, 77},
                        {200, 5, 1025}, {96, 96, 1024}, {25, 65, 511}, {7, 129, 1537}};

TEST_F(Panels, EveryLayoutIsTheProduct) {
  TestContext t(2);
  for (const Sizes& s : kSizes) {
    for (const bool left : {false, true}) {
      for (const bool right : {false, true}) {
        for (const bool add : {false, true}) {
          const Problem p(s, left, right, add, 1);
          soil(t.ctx);
          multiply_panels(t.ctx, {&p.start(), 1});
          SCOPED_TRACE(testing::Message() << s.rows << "x" << s.columns << "x" << s.inner << " "
                                          << left << right << add);
          ASSERT_NO_FATAL_FAILURE(expect_product(p));
        }
      }
    }
  }
}

// A level whose left operands stand row by row, more of them in a product: as tiles want them, in
// plain loops.
void transpose_plainly(const uint16_t* x, int64_t stride, int rows, int64_t n, uint16_t* out,
                       int64_t out_stride) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t i = 0; i < n; ++i) out[r * out_stride + i] = x[i * stride + r];
  }
}
void multiply_plainly(const uint16_t* left, int64_t row_stride, int64_t pair_stride,
                      const uint16_t* right, int64_t pairs, int rows, int columns, bool add,
                      float* out, int64_t out_stride) {
  ASSERT_EQ(pair_stride, 2);
  ASSERT_LE(rows, 32);
  for (int64_t m = 0; m < rows; ++m) {
    for (int64_t r = 0; r < columns; ++r) {
      float sum = add ? out[m * out_stride + r] : 0;
      for (int64_t i = 0; i < 2 * pairs; ++i) {
        sum += bf16_to_f32(left[m * row_stride + i]) *
               bf16_to_f32(right[2 * (i / 2 * kPanelWidth + r) + i % 2]);
      }
      out[m * out_stride + r] = sum;
    }
  }
}

TEST_F(Panels, EveryLayoutIsTheProductWhereRowsAreWanted) {
  TestContext t(2);
  t.kernels.left_rows = 32;
  t.kernels.transpose_bf16 = transpose_plainly;
  t.kernels.multiply_bf16 = multiply_plainly;
  for (const Sizes& s : kSizes) {
    for (const bool by_column : {false, true}) {
      const Problem p(s, by_column, false, by_column, 1);
      soil(t.ctx);
      multiply_panels(t.ctx, {&p.start(), 1});
      SCOPED_TRACE(testing::Message() << s.rows << "x" << s.columns << "x" << s.inner);
      ASSERT_NO_FATAL_FAILURE(expect_product(p));
    }
  }
}

std::vector<Problem> several() {
  std::vector<Problem> problems;
  problems.reserve(std::size(kSizes));
  uint64_t seed = 10;
  for (const Sizes& s : kSizes) {
    problems.emplace_back(s, seed % 2 == 0, seed % 3 == 0, seed % 5 < 2, seed);
    ++seed;
  }
  return problems;
}

std::vector<PanelProduct> started(const std::vector<Problem>& problems) {
  std::vector<PanelProduct> products;
  for (const Problem& p : problems) products.push_back(p.start());
  return products;
}

TEST_F(Panels, SeveralProductsAreComputedAtOnce) {
  TestContext t(2);
  const std::vector<Problem> problems = several();
  multiply_panels(t.ctx, started(problems));
  for (const Problem& p : problems) {
    ASSERT_NO_FATAL_FAILURE(expect_product(p));
    // Alone it has the same bits.
    const std::vector<float> together = values(p.out);
    multiply_panels(t.ctx, {&p.start(), 1});
    EXPECT_EQ(values(p.out), together);
  }
  multiply_panels(t.ctx, {});
}

TEST_F(Panels, ThreadsDoNotChangeABit) {
  const std::vector<Problem> problems = several();
  std::vector<std::vector<float>> expected;
  for (const int threads : {1, 2, 3}) {
    TestContext t(threads);
    multiply_panels(t.ctx, started(problems));
    for (size_t i = 0; i < problems.size(); ++i) {
      if (threads == 1) {
        expected.push_back(values(problems[i].out));
      } else {
        EXPECT_EQ(values(problems[i].out), expected[i]) << threads << " threads, product " << i;
      }
    }
  }
}

TEST_F(Panels, KeptWeightsGiveTheSameBitsUntilTheyAreCleared) {
  const std::vector<Problem> problems = several();
  TestContext plain(2), keeping(2);
  PackedWeights kept;
  keeping.ctx.set_packed_weights(&kept);
  const auto expect_equal = [&] {
    multiply_panels(plain.ctx, started(problems));
    std::vector<std::vector<float>> expected;
    for (const Problem& p : problems) expected.push_back(values(p.out));
    for (int pass = 0; pass < 2; ++pass) {
      soil(keeping.ctx);
      multiply_panels(keeping.ctx, started(problems));
      for (size_t i = 0; i < problems.size(); ++i) {
        EXPECT_EQ(values(problems[i].out), expected[i]) << "pass " << pass << ", product " << i;
      }
    }
  };
  expect_equal();
  // Other weights in the same place are only seen when the kept ones are cleared.
  const Problem& p = problems[3];
  ASSERT_FALSE(p.right.view.by_column);
  const std::vector<float> before = values(p.out);
  *const_cast<uint16_t*>(p.right.view.values) ^= 0x8000;
  multiply_panels(keeping.ctx, started(problems));
  EXPECT_EQ(values(p.out), before);
  kept.clear();
  expect_equal();
  EXPECT_NE(values(p.out), before);
}

TEST_F(Panels, ARowDoesNotDependOnItsCompanions) {
  constexpr Sizes kWhole = {110, 70, 1027};
  TestContext t(2);
  for (const bool by_column : {false, true}) {
    const Problem whole(kWhole, by_column, by_column, false, 30);
    multiply_panels(t.ctx, {&whole.start(), 1});
    for (const auto& [row, rows, column, columns] : {std::array<int64_t, 4>{0, 1, 0, 70},
                                                     {109, 1, 69, 1},
                                                     {5, 104, 33, 20},
                                                     {50, 13, 1, 64}}) {
      const Tensor out = Tensor::zeros(DType::kF32, {rows, columns});
      const PanelProduct part = {whole.left.from(row),
                                 rows,
                                 whole.right.from(column),
                                 columns,
                                 kWhole.inner,
                                 out.f32(),
                                 columns,
                                 false};
      multiply_panels(t.ctx, {&part, 1});
      for (int64_t m = 0; m < rows; ++m) {
        for (int64_t n = 0; n < columns; ++n) {
          ASSERT_EQ(out.f32()[m * columns + n],
                    whole.out.f32()[(row + m) * whole.out.columns() + column + n])
              << row << "+" << m << " " << column << "+" << n;
        }
      }
    }
  }
}

// The same values in another layout give the same bits.
TEST_F(Panels, LayoutsDoNotChangeABit) {
  TestContext t(2);
  for (const Sizes& s : kSizes) {
    std::vector<float> expected;
    for (const bool left : {false, true}) {
      for (const bool right : {false, true}) {
        const Problem p(s, left, right, true, 40);
        multiply_panels(t.ctx, {&p.start(), 1});
        if (expected.empty()) expected = values(p.out);
        EXPECT_EQ(values(p.out), expected) << s.rows << "x" << s.columns << "x" << s.inner;
      }
    }
  }
}

}  // namespace
}  // namespace minke
