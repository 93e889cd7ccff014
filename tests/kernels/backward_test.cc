#include <gtest/gtest.h>

#include "guarded.h"
#include "levels_under_test.h"

// The entries that backward passes are made of, against doubles.

namespace minke {
namespace {

using BackwardTest = KernelsTest;
INSTANTIATE_TEST_SUITE_P(Levels, BackwardTest, kEveryLevel, level_name);

std::vector<int64_t> lengths() {
  std::vector<int64_t> result;
  for (int64_t n = 1; n <= 70; ++n) result.push_back(n);
  for (const int64_t n : {127, 128, 129, 576, 1000, 2048, 7168}) result.push_back(n);
  return result;
}

struct NormOperands {
  explicit NormOperands(int64_t n)
      : x(random_floats(n, static_cast<uint32_t>(n), 0.3f)),
        w(random_floats(n, static_cast<uint32_t>(n) + 1000)),
        g(random_floats(n, static_cast<uint32_t>(n) + 2000)),
        x_before(random_floats(n, static_cast<uint32_t>(n) + 3000)),
        w_before(random_floats(n, static_cast<uint32_t>(n) + 4000)) {}
  std::vector<float> x, w, g, x_before, w_before;
};

// Two sums of n products go into at least eight running sums at every level, so that each takes
// part in n / 8 + 16 roundings; 16 more are those of the rest.
double norm_bound(int64_t n) {
  return static_cast<double>(n / 8 + 32) * 0x1p-24;
}

void expect_norm_gradients(const NormOperands& o, float eps, Guarded<float>& x_grad,
                           Guarded<float>& w_grad) {
  const int64_t n = x_grad.size();
  double squares = 0, products = 0, magnitudes = 0;
  for (size_t i = 0; i < o.x.size(); ++i) {
    const double product = double{o.g[i]} * o.w[i] * o.x[i];
    squares += double{o.x[i]} * o.x[i];
    products += product;
    magnitudes += std::abs(product);
  }
  const double mean = squares / static_cast<double>(n) + double{eps};
  const double rms = std::sqrt(mean), count = static_cast<double>(n);
  for (int64_t at = 0; at < n; ++at) {
    const auto i = static_cast<size_t>(at);
    const double xh = o.x[i] / rms, gw = double{o.g[i]} * o.w[i];
    const double of_x = (gw - xh * (products / rms / count)) / rms;
    const double x_size =
        std::abs(o.x_before[i]) + (std::abs(gw) + std::abs(xh) * magnitudes / rms / count) / rms;
    ASSERT_NEAR(x_grad[at], o.x_before[i] + of_x, x_size * norm_bound(n)) << n << "[" << i << "]";
    const double of_w = o.g[i] * xh, w_size = std::abs(o.w_before[i]) + std::abs(of_w);
    ASSERT_NEAR(w_grad[at], o.w_before[i] + of_w, w_size * norm_bound(n)) << n << "[" << i << "]";
  }
}

TEST_P(BackwardTest, RmsNormOfEveryLength) {
  for (const int64_t n : lengths()) {
    for (const float eps : {0.0f, 1e-5f, 0.5f}) {
      const NormOperands o(n);
      Guarded<float> x(o.x), w(o.w), g(o.g), x_grad(o.x_before), w_grad(o.w_before);
      kernels.rms_norm_backward(x.data(), w.data(), g.data(), n, eps, x_grad.data(), w_grad.data());
      expect_norm_gradients(o, eps, x_grad, w_grad);
    }
  }
}

// The scalar entry sums in doubles, so that all of the difference is the level's.
TEST_P(BackwardTest, RmsNormIsCloseToTheScalarEntry) {
  for (const int64_t n : lengths()) {
    const NormOperands o(n);
    Guarded<float> x_grad(n), w_grad(n), x_expected(n), w_expected(n);
    for (auto* grad : {&x_grad, &w_grad, &x_expected, &w_expected}) {
      std::fill_n(grad->data(), n, 0.0f);
    }
    kernels.rms_norm_backward(o.x.data(), o.w.data(), o.g.data(), n, 1e-6f, x_grad.data(),
                              w_grad.data());
    scalar.rms_norm_backward(o.x.data(), o.w.data(), o.g.data(), n, 1e-6f, x_expected.data(),
                             w_expected.data());
    double difference = 0, norm = 0;
    for (int64_t i = 0; i < n; ++i) {
      const double d = double{x_grad[i]} - x_expected[i];
      difference += d * d;
      norm += double{x_expected[i]} * x_expected[i];
      EXPECT_NEAR(w_grad[i], w_expected[i], 1e-6 * std::abs(w_expected[i])) << n << "[" << i << "]";
    }
    // A row of one value has no gradient but rounding: it only scales the whole row.
    if (n > 1) {
      EXPECT_LT(std::sqrt(difference / norm), 2e-6) << n;
    }
  }
}

TEST_P(BackwardTest, RmsNormOfZerosIsFinite) {
  constexpr int64_t kCount = 37;
  Guarded<float> x(std::vector<float>(kCount, 0.0f)), g(random_floats(kCount, 1));
  Guarded<float> w(std::vector<float>(kCount, 1.0f));
  Guarded<float> x_grad(std::vector<float>(kCount, 0.0f)), w_grad(std::vector<float>(kCount, 2.0f));
  kernels.rms_norm_backward(x.data(), w.data(), g.data(), kCount, 1e-6f, x_grad.data(),
                            w_grad.data());
  for (int64_t i = 0; i < kCount; ++i) {
    EXPECT_NEAR(x_grad[i], g[i] * 1e3, std::abs(g[i]) * 1e-3);  // 1 / sqrt(eps)
    EXPECT_EQ(w_grad[i], 2.0f);
  }
}

// Bounds of the gradients of silu(z) u for the gradient g of the result. The sigmoid s is within a
// millionth of itself as silu is; 1 - s may be off by a rounding of 1, which silu multiplies.
void expect_silu_gradients(double z, double u, double g, float gate_grad, float up_grad) {
  const double s = 1 / (1 + std::exp(-z)), rest = 1 / (1 + std::exp(z));
  const double slope = s + z * s * rest, size = s + std::abs(z) * s * rest;
  const double bound = 1e-6 * size + std::abs(z) * s * (1e-6 * s + 0x1p-24);
  ASSERT_NEAR(gate_grad, g * u * slope, std::abs(g * u) * bound + 1e-37) << z;
  ASSERT_NEAR(up_grad, g * z * s, 1e-6 * std::abs(g * z * s) + 1e-37) << z;
}

TEST_P(BackwardTest, SiluOfEveryLength) {
  for (const int64_t n : lengths()) {
    const auto seed = static_cast<uint32_t>(n);
    Guarded<float> gate(random_floats(n, seed, 3.0f)), up(random_floats(n, seed + 1000));
    Guarded<float> g(random_floats(n, seed + 2000)), gate_grad(n), up_grad(n);
    kernels.silu_mul_backward(gate.data(), up.data(), g.data(), n, gate_grad.data(),
                              up_grad.data());
    for (int64_t i = 0; i < n; ++i) {
      expect_silu_gradients(gate[i], up[i], g[i], gate_grad[i], up_grad[i]);
    }
    // In the place of the result's gradient.
    Guarded<float> again(n);
    kernels.silu_mul_backward(gate.data(), up.data(), g.data(), n, g.data(), again.data());
    expect_same(g, gate_grad, "gate gradient in place");
    expect_same(again, up_grad, "up gradient");
  }
}

TEST_P(BackwardTest, SiluOfAllSizes) {
  constexpr int64_t kCount = 100'001;
  std::vector<float> gate(kCount), up(kCount, 0.5f), g(kCount, -2.0f), gate_grad(kCount),
      up_grad(kCount);
  for (size_t i = 0; i < gate.size(); ++i) {
    gate[i] = static_cast<float>(-86.0 + 172.0 * static_cast<double>(i) / (kCount - 1));
  }
  kernels.silu_mul_backward(gate.data(), up.data(), g.data(), kCount, gate_grad.data(),
                            up_grad.data());
  for (size_t i = 0; i < gate.size(); ++i) {
    expect_silu_gradients(gate[i], up[i], g[i], gate_grad[i], up_grad[i]);
  }
}

TEST_P(BackwardTest, SiluAtTheEdges) {
  Guarded<float> gate(std::vector<float>{0.0f, 1e4f, -1e4f, 3e38f, -3e38f, -88.5f, NAN});
  const int64_t n = gate.size();
  Guarded<float> ones(std::vector<float>(static_cast<size_t>(n), 1.0f));
  Guarded<float> gate_grad(n), up_grad(n);
  kernels.silu_mul_backward(gate.data(), ones.data(), ones.data(), n, gate_grad.data(),
                            up_grad.data());
  const float slopes[] = {0.5f, 1.0f, 0.0f, 1.0f, 0.0f}, values[] = {0.0f, 1e4f, 0.0f, 3e38f, 0.0f};
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(gate_grad[i], slopes[i]) << gate[i];
    EXPECT_EQ(up_grad[i], values[i]) << gate[i];
  }
  EXPECT_NEAR(gate_grad[5], 0.0f, 1e-36f);
  EXPECT_NEAR(up_grad[5], 0.0f, 1e-36f);
  EXPECT_TRUE(std::isnan(gate_grad[6]));
  EXPECT_TRUE(std::isnan(up_grad[6]));
}

TEST_P(BackwardTest, AddScaledIsOneMultiplyAdd) {
  auto every = lengths();
  every.push_back(0);
  for (const int64_t n : every) {
    for (const float factor : {0.7f, -1.0f, 1.0f, 3e-5f}) {
      const auto before = random_floats(n, static_cast<uint32_t>(n) + 7);
      Guarded<float> x(random_floats(n, static_cast<uint32_t>(n))), to(before);
      kernels.add_scaled(x.data(), n, factor, to.data());
      for (int64_t i = 0; i < n; ++i) {
        const float b = before[static_cast<size_t>(i)];
        const float expected =
            GetParam() == Isa::kScalar ? b + factor * x[i] : std::fma(factor, x[i], b);
        ASSERT_TRUE(same_float(to[i], expected)) << n << "[" << i << "]";
      }
    }
  }
}

}  // namespace
}  // namespace minke
