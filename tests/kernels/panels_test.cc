#include <gtest/gtest.h>

#include "guarded.h"
#include "levels_under_test.h"
#include "math/quant/quant.h"

// Panels of bfloat16 rows, at levels that have them.

namespace minke {
namespace {

class PanelTest : public KernelsTest {
 protected:
  void SetUp() override {
    KernelsTest::SetUp();
    if (IsSkipped()) return;
    const bool wanted = GetParam() >= Isa::kAvx512Bf16;
    ASSERT_EQ(kernels.pack_rows_bf16 != nullptr, wanted);
    ASSERT_EQ(kernels.pack_columns_bf16 != nullptr, wanted);
    ASSERT_EQ(kernels.multiply_bf16 != nullptr, wanted);
    ASSERT_EQ(kernels.left_rows > 0, wanted);
    ASSERT_EQ(kernels.step_pairs > 0, wanted);
    if (!wanted) GTEST_SKIP() << "the level has no products of bfloat16";
  }
};
INSTANTIATE_TEST_SUITE_P(Levels, PanelTest, kEveryLevel, level_name);

std::vector<uint16_t> random_halves(int64_t count, uint32_t seed) {
  std::vector<uint16_t> halves;
  for (const float f : random_floats(count, seed)) halves.push_back(f32_to_bf16(f));
  return halves;
}

// Words of every value, NaN and subnormal ones too: packing moves them.
std::vector<uint16_t> random_words(int64_t count, uint32_t seed) {
  std::mt19937 rng(seed);
  std::vector<uint16_t> words(static_cast<size_t>(count));
  for (auto& w : words) w = static_cast<uint16_t>(rng());
  return words;
}

// What kernels.h says of a panel, for rows [rows, n].
template <typename At>
std::vector<uint16_t> panel_of(int width, int rows, int64_t n, const At& at) {
  std::vector<uint16_t> panel(static_cast<size_t>(panel_values(width, n)));
  for (int r = 0; r < rows; ++r) {
    for (int64_t i = 0; i < n; ++i) {
      panel[static_cast<size_t>(2 * (i / 2 * width + r) + i % 2)] = at(r, i);
    }
  }
  return panel;
}

std::vector<int64_t> lengths() {
  std::vector<int64_t> result;
  for (int64_t n = 0; n <= 70; ++n) result.push_back(n);
  for (const int64_t n : {127, 128, 129, 511, 512, 577}) result.push_back(n);
  return result;
}

TEST_P(PanelTest, RowsArePacked) {
  for (const int64_t n : lengths()) {
    for (int rows = 0; rows <= kPanelWidth; ++rows) {
      for (const int64_t stride : {n, n + 5}) {
        Guarded<uint16_t> x(random_words(rows == 0 ? 0 : (rows - 1) * stride + n, 1));
        Guarded<uint16_t> panel(panel_values(kPanelWidth, n));
        kernels.pack_rows_bf16(x.data(), stride, rows, n, panel.data());
        Guarded<uint16_t> expected(
            panel_of(kPanelWidth, rows, n, [&](int r, int64_t i) { return x[r * stride + i]; }));
        SCOPED_TRACE(testing::Message() << rows << " rows of " << n);
        ASSERT_NO_FATAL_FAILURE(expect_same(panel, expected, "panel"));
      }
    }
  }
}

TEST_P(PanelTest, ColumnsArePacked) {
  for (const int64_t n : lengths()) {
    for (const int width : {kPanelWidth, 2 * kPanelWidth, 3 * kPanelWidth}) {
      for (int rows = 0; rows <= width; rows += n <= 70 ? 1 : 13) {
        const int64_t stride = rows + n % 3;
        Guarded<uint16_t> x(random_words(n == 0 ? 0 : (n - 1) * stride + rows, 2));
        Guarded<uint16_t> panel(panel_values(width, n));
        kernels.pack_columns_bf16(x.data(), stride, rows, n, width, panel.data());
        Guarded<uint16_t> expected(
            panel_of(width, rows, n, [&](int r, int64_t i) { return x[i * stride + r]; }));
        SCOPED_TRACE(testing::Message() << rows << " of " << width << " rows of " << n);
        ASSERT_NO_FATAL_FAILURE(expect_same(panel, expected, "panel"));
      }
    }
  }
}

TEST_P(PanelTest, RowsAreTransposed) {
  if (kernels.transpose_bf16 == nullptr) GTEST_SKIP() << "the level takes columns as they are";
  for (const int64_t n : lengths()) {
    for (const int rows : {0, 1, 15, 16, 17, 32, 96}) {
      const int64_t stride = rows + n % 3, out_stride = n + n % 2;
      Guarded<uint16_t> x(random_words(n == 0 ? 0 : (n - 1) * stride + rows, 6));
      const auto before = random_words(rows == 0 ? 0 : (rows - 1) * out_stride + n, 7);
      Guarded<uint16_t> out(before);
      kernels.transpose_bf16(x.data(), stride, rows, n, out.data(), out_stride);
      Guarded<uint16_t> expected(before);
      for (int r = 0; r < rows; ++r) {
        for (int64_t i = 0; i < n; ++i) expected[r * out_stride + i] = x[i * stride + r];
      }
      SCOPED_TRACE(testing::Message() << rows << " rows of " << n);
      ASSERT_NO_FATAL_FAILURE(expect_same(out, expected, "rows"));
    }
  }
}

// A product of `rows` rows of 2 * pairs values with `columns` rows.
struct Factors {
  Factors(int rows_, int columns_, int64_t pairs_)
      : rows(rows_),
        columns(columns_),
        pairs(pairs_),
        left(random_halves(rows * 2 * pairs, 3)),
        right(random_halves(columns * 2 * pairs, 4)) {}
  uint16_t left_at(int64_t m, int64_t i) const {
    return left[static_cast<size_t>(m * 2 * pairs + i)];
  }
  uint16_t right_at(int64_t r, int64_t i) const {
    return right[static_cast<size_t>(r * 2 * pairs + i)];
  }
  // Rows [first, first + count) of the right one as a panel.
  std::vector<uint16_t> panel(int first, int count) const {
    return panel_of(kPanelWidth, count, 2 * pairs,
                    [&](int r, int64_t i) { return right_at(first + r, i); });
  }
  int rows, columns;
  int64_t pairs;
  std::vector<uint16_t> left, right;
};

// Two ways in which the left operand may stand: row by row, and, at levels that take it so, pair by
// pair as packed columns.
struct LeftLayout {
  int64_t row_stride, pair_stride;
};
std::vector<LeftLayout> layouts(const Kernels& kernels, int64_t pairs) {
  if (kernels.transpose_bf16 != nullptr) return {{2 * pairs, 2}, {2 * pairs + 6, 2}};
  return {{2 * pairs, 2}, {2 * pairs + 6, 2}, {2, 2 * kPanelWidth}, {2, 6 * kPanelWidth}};
}
LeftLayout some_layout(const Kernels& kernels, int64_t pairs, int which) {
  const auto every = layouts(kernels, pairs);
  return every[static_cast<size_t>(which) % every.size()];
}

// Rows [first, first + count) of the left operand in a layout; other words are NaN.
std::vector<uint16_t> laid_out(const Factors& f, int first, int count, const LeftLayout& layout) {
  if (f.pairs == 0) return {};
  std::vector<uint16_t> to(
      static_cast<size_t>((count - 1) * layout.row_stride + (f.pairs - 1) * layout.pair_stride + 2),
      uint16_t{0x7fff});
  for (int m = 0; m < count; ++m) {
    for (int64_t i = 0; i < 2 * f.pairs; ++i) {
      to[static_cast<size_t>(m * layout.row_stride + i / 2 * layout.pair_stride + i % 2)] =
          f.left_at(first + m, i);
    }
  }
  return to;
}

// The product of f with everything guarded against doubles.
void expect_product(const Kernels& kernels, const Factors& f, const LeftLayout& layout, bool add) {
  const int64_t out_stride = f.columns + 3;
  Guarded<uint16_t> left(laid_out(f, 0, f.rows, layout)), right(f.panel(0, f.columns));
  const auto before = random_floats((f.rows - 1) * out_stride + f.columns, 5);
  Guarded<float> out(before);
  kernels.multiply_bf16(left.data(), layout.row_stride, layout.pair_stride, right.data(), f.pairs,
                        f.rows, f.columns, add, out.data(), out_stride);
  for (int64_t at = 0; at < out.size(); ++at) {
    const int64_t m = at / out_stride, r = at % out_stride;
    const float old = before[static_cast<size_t>(at)];
    if (r >= f.columns) {
      ASSERT_TRUE(same_float(out[at], old)) << "written between rows";
      continue;
    }
    double expected = add ? old : 0, magnitude = std::abs(expected);
    for (int64_t i = 0; i < 2 * f.pairs; ++i) {
      const double product = double{bf16_to_f32(f.left_at(m, i))} * bf16_to_f32(f.right_at(r, i));
      expected += product;
      magnitude += std::abs(product);
    }
    // Each pair takes two roundings at most, of sums that stay below `magnitude`; an instruction
    // that cuts instead of rounding errs by twice as much.
    const double bound = magnitude * static_cast<double>(2 * f.pairs + 1) * 0x1p-23;
    ASSERT_NEAR(out[at], expected, bound) << m << " " << r;
  }
}

TEST_P(PanelTest, TilesOfEveryShapeAreTheProduct) {
  for (int rows = 1; rows <= kernels.left_rows; ++rows) {
    for (int columns = 1; columns <= kPanelWidth; ++columns) {
      for (const int64_t pairs : {1, 2, 7, 33}) {
        const Factors f(rows, columns, pairs);
        for (const bool add : {false, true}) {
          const auto layout = some_layout(kernels, pairs, rows + columns);
          SCOPED_TRACE(testing::Message() << rows << "x" << columns << "x" << 2 * pairs << add);
          ASSERT_NO_FATAL_FAILURE(expect_product(kernels, f, layout, add));
        }
      }
    }
  }
}

TEST_P(PanelTest, ProductsOfEveryLength) {
  auto every = lengths();
  for (const int64_t pairs : every) {
    for (const auto& [rows, columns] : {std::pair{kernels.left_rows, 32}, {5, 17}, {1, 1}}) {
      const Factors f(rows, columns, pairs);
      for (const LeftLayout& layout : layouts(kernels, pairs)) {
        for (const bool add : {false, true}) {
          SCOPED_TRACE(testing::Message() << rows << "x" << columns << "x" << 2 * pairs << add);
          ASSERT_NO_FATAL_FAILURE(expect_product(kernels, f, layout, add));
        }
      }
    }
  }
}

// A result depends on its two rows and their number of pairs alone: not on how many rows and
// columns there are, where in the tile its own stand, or how anything is laid out.
TEST_P(PanelTest, BitsDoNotDependOnShapesAndStrides) {
  for (const int64_t pairs : {1, 3, 16, 100, 256}) {
    const Factors f(kernels.left_rows, kPanelWidth, pairs);
    std::vector<float> whole(static_cast<size_t>(kernels.left_rows * kPanelWidth));
    const auto all = f.panel(0, kPanelWidth);
    kernels.multiply_bf16(f.left.data(), 2 * pairs, 2, all.data(), pairs, kernels.left_rows,
                          kPanelWidth, false, whole.data(), kPanelWidth);
    for (int rows = 1; rows <= kernels.left_rows; ++rows) {
      for (int columns = 1; columns <= kPanelWidth; ++columns) {
        const int m0 = kernels.left_rows - rows, c0 = kPanelWidth - columns;
        const auto layout = some_layout(kernels, pairs, rows + columns);
        const auto left = laid_out(f, m0, rows, layout);
        const auto right = f.panel(c0, columns);
        const int64_t out_stride = columns + rows % 3;
        std::vector<float> part(static_cast<size_t>(rows * out_stride));
        kernels.multiply_bf16(left.data(), layout.row_stride, layout.pair_stride, right.data(),
                              pairs, rows, columns, rows % 2 == 0, part.data(), out_stride);
        for (int m = 0; m < rows; ++m) {
          for (int r = 0; r < columns; ++r) {
            ASSERT_TRUE(same_float(part[static_cast<size_t>(m * out_stride + r)],
                                   whole[static_cast<size_t>((m0 + m) * kPanelWidth + c0 + r)]))
                << pairs << " pairs, " << rows << "x" << columns << " at " << m << " " << r;
          }
        }
      }
    }
  }
}

// One step after the other: a product in two parts is the product in one.
TEST_P(PanelTest, PairsAreAddedInTheirOrder) {
  constexpr int64_t kPairs = 37;
  const Factors f(7, 29, kPairs);
  const auto right = f.panel(0, 29);
  std::vector<float> whole(7 * 29);
  kernels.multiply_bf16(f.left.data(), 2 * kPairs, 2, right.data(), kPairs, 7, 29, false,
                        whole.data(), 29);
  for (int64_t cut = 0; cut <= kPairs; cut += kernels.step_pairs) {
    std::vector<float> parts(7 * 29, -1.0f);
    kernels.multiply_bf16(f.left.data(), 2 * kPairs, 2, right.data(), cut, 7, 29, false,
                          parts.data(), 29);
    kernels.multiply_bf16(f.left.data() + 2 * cut, 2 * kPairs, 2,
                          right.data() + panel_values(kPanelWidth, 2 * cut), kPairs - cut, 7, 29,
                          true, parts.data(), 29);
    for (size_t i = 0; i < whole.size(); ++i) {
      ASSERT_TRUE(same_float(parts[i], whole[i])) << cut << " at " << i;
    }
  }
}

TEST_P(PanelTest, SmallWholeNumbersAreExact) {
  constexpr int64_t kPairs = 100;
  Factors f(kernels.left_rows, kPanelWidth, kPairs);
  const auto whole = [](size_t i, size_t step) {
    return static_cast<int64_t>(i * step % 255) - 127;
  };
  for (size_t i = 0; i < f.left.size(); ++i) {
    f.left[i] = f32_to_bf16(static_cast<float>(whole(i, 37)));
  }
  for (size_t i = 0; i < f.right.size(); ++i) {
    f.right[i] = f32_to_bf16(static_cast<float>(whole(i, 91)));
  }
  const auto rows = static_cast<size_t>(kernels.left_rows);
  std::vector<float> out(rows * kPanelWidth);
  kernels.multiply_bf16(f.left.data(), 2 * kPairs, 2, f.panel(0, kPanelWidth).data(), kPairs,
                        kernels.left_rows, kPanelWidth, false, out.data(), kPanelWidth);
  for (size_t m = 0; m < rows; ++m) {
    for (size_t r = 0; r < kPanelWidth; ++r) {
      int64_t expected = 0;
      for (size_t i = 0; i < 2 * kPairs; ++i) {
        expected += whole(m * 2 * kPairs + i, 37) * whole(r * 2 * kPairs + i, 91);
      }
      EXPECT_EQ(out[m * kPanelWidth + r], static_cast<float>(expected)) << m << " " << r;
    }
  }
}

}  // namespace
}  // namespace minke
