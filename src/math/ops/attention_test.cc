#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "math/ops/test_context.h"

namespace minke {
namespace {

struct Sizes {
  int64_t rows, first, heads, kv_heads, key_dim, value_dim;
};

struct Operands {
  Tensor q, k, v;
  AttentionHeads heads;
  AttentionSequence rows;

  // Lets `rows` look at keys from `k` on and values from `v` on, of these strides.
  void look_at(const uint8_t* k_first, int64_t key_stride, const uint8_t* v_first,
               int64_t value_stride) {
    const int64_t n = rows.first_position + rows.rows;
    rows.keys = attention_chunks(k_first, row_bytes(heads.type, key_stride), n);
    rows.values = attention_chunks(v_first, row_bytes(heads.type, value_stride), n);
    heads.key_stride = key_stride;
    heads.value_stride = value_stride;
  }
};

// `n`, or the next multiple of the type's block.
int64_t whole_blocks(int64_t n, DType type) {
  const int64_t block = dtype_info(type).block_elements;
  return (n + block - 1) / block * block;
}

Sizes whole_blocks(Sizes s, DType type) {
  s.key_dim = whole_blocks(s.key_dim, type);
  s.value_dim = whole_blocks(s.value_dim, type);
  return s;
}

// Of other values for each seed.
Operands operands(const Sizes& wanted, DType type, uint64_t seed = 1) {
  const Sizes s = whole_blocks(wanted, type);
  Operands o;
  const int64_t n = s.first + s.rows;
  o.q = random_tensor({s.rows, s.heads, s.key_dim}, 3 * seed);
  o.k = stored(random_tensor({n, s.kv_heads, s.key_dim}, 3 * seed + 1), type);
  o.v = stored(random_tensor({n, s.kv_heads, s.value_dim}, 3 * seed + 2), type);
  o.rows.queries = o.q.f32();
  o.rows.rows = s.rows;
  o.rows.first_position = s.first;
  AttentionHeads& a = o.heads;
  a.heads = s.heads;
  a.kv_heads = s.kv_heads;
  a.key_dim = a.key_head_stride = s.key_dim;
  a.value_dim = a.value_head_stride = s.value_dim;
  a.type = type;
  a.scale = 0.3f;
  o.look_at(o.k.data, s.kv_heads * s.key_dim, o.v.data, s.kv_heads * s.value_dim);
  return o;
}

// The results of all sequences, each [rows, heads, value_dim], whose heads are those of the first.
std::vector<Tensor> run_together(const std::vector<Operands>& all, int threads, Isa isa) {
  TestContext t(threads, isa);
  std::vector<AttentionSequence> sequences;
  std::vector<Tensor> outs;
  for (const Operands& o : all) {
    sequences.push_back(o.rows);
    outs.push_back(Tensor::zeros(DType::kF32, {o.rows.rows, o.heads.heads, o.heads.value_dim}));
    sequences.back().out = outs.back().f32();
  }
  attention(t.ctx, all[0].heads, sequences);
  return outs;
}

// What is cached, and who computes with it.
class AttentionTest : public testing::TestWithParam<std::tuple<DType, Isa>> {
 protected:
  void SetUp() override {
    if (!machine_has(isa())) GTEST_SKIP() << "not a level of this machine";
  }
  static DType type() { return std::get<0>(GetParam()); }
  static Isa isa() { return std::get<1>(GetParam()); }
  // Whether all that is multiplied is rounded to bfloat16.
  static bool halves() { return attention_type(select_kernels(isa()), type()) == DType::kBF16; }

  static Tensor run(const Operands& o, int threads) { return run_together({o}, threads, isa())[0]; }
};

INSTANTIATE_TEST_SUITE_P(All, AttentionTest,
                         testing::Combine(testing::Values(DType::kF32, DType::kBF16, DType::kQ8_0),
                                          testing::ValuesIn(kIsaLevels)),
                         [](const auto& test) {
                           return std::string(dtype_name(std::get<0>(test.param))) + "_" +
                                  std::string(isa_name(std::get<1>(test.param)));
                         });

// Value `i` of keys or values.
double value_at(DType type, const uint8_t* data, int64_t i) {
  const auto at = static_cast<size_t>(i);
  if (type == DType::kF32) return reinterpret_cast<const float*>(data)[at];
  if (type == DType::kBF16) return bf16_to_f32(reinterpret_cast<const uint16_t*>(data)[at]);
  float block[32];
  decode_row(type, data + row_bytes(type, i / 32 * 32), 32, block);
  return block[i % 32];
}

// Softmax attention of one query head in double precision, and of the magnitudes of the values.
struct Reference {
  std::vector<double> out, magnitude;
};
Reference reference(const Operands& o, int64_t row, int64_t head, bool halves) {
  const AttentionHeads& a = o.heads;
  const auto multiplied = [&](const Tensor& t, int64_t i) {
    const double value = value_at(a.type, t.data, i);
    return halves ? bf16_to_f32(f32_to_bf16(static_cast<float>(value))) : value;
  };
  const int64_t j = head / (a.heads / a.kv_heads);
  std::vector<float> q(static_cast<size_t>(a.key_dim));
  for (size_t i = 0; i < q.size(); ++i) {
    q[i] = o.rows.queries[(row * a.heads + head) * a.key_dim + static_cast<int64_t>(i)] * a.scale;
    if (halves) q[i] = bf16_to_f32(f32_to_bf16(q[i]));
  }
  const std::vector<double> zeros(static_cast<size_t>(a.value_dim));
  Reference r{zeros, zeros};
  double total = 0;
  for (int64_t t = 0; t <= o.rows.first_position + row; ++t) {
    double score = 0;
    for (int64_t i = 0; i < a.key_dim; ++i) {
      score +=
          q[static_cast<size_t>(i)] * multiplied(o.k, t * a.key_stride + j * a.key_head_stride + i);
    }
    const double weight = std::exp(score);
    total += weight;
    for (int64_t i = 0; i < a.value_dim; ++i) {
      const double v = multiplied(o.v, t * a.value_stride + j * a.value_head_stride + i);
      r.out[static_cast<size_t>(i)] += weight * v;
      r.magnitude[static_cast<size_t>(i)] += weight * std::abs(v);
    }
  }
  for (double& x : r.out) x /= total;
  for (double& x : r.magnitude) x /= total;
  return r;
}

TEST_P(AttentionTest, MatchesADoubleReference) {
  // Rounding a weight to eight significant bits changes it by at most 2^-8 of itself.
  const double of_weights = halves() ? 0x1p-8 : 0;
  for (const Sizes& s :
       {Sizes{1, 0, 2, 1, 16, 16}, Sizes{7, 0, 4, 2, 24, 16}, Sizes{1, 700, 6, 2, 20, 12},
        Sizes{40, 500, 3, 3, 16, 8}, Sizes{1, 1100, 16, 1, 72, 64}, Sizes{3, 257, 2, 1, 17, 33}}) {
    const Operands o = operands(s, type());
    const int64_t value_dim = o.heads.value_dim;
    const Tensor out = run(o, 2);
    for (int64_t m = 0; m < s.rows; ++m) {
      for (int64_t h = 0; h < s.heads; ++h) {
        const Reference expected = reference(o, m, h, halves());
        for (int64_t i = 0; i < value_dim; ++i) {
          const auto at = static_cast<size_t>(i);
          ASSERT_NEAR(out.f32()[(m * s.heads + h) * value_dim + i], expected.out[at],
                      2e-5 + of_weights * expected.magnitude[at]);
        }
      }
    }
  }
}

TEST_P(AttentionTest, ValuesMayBePartOfTheKeys) {
  Operands o = operands({2, 600, 4, 1, 40, 24}, type());
  const int64_t keys = o.heads.key_dim, values = o.heads.value_dim;
  Operands apart = o;
  apart.v = Tensor::zeros(type(), {602, values});
  for (int64_t t = 0; t < 602; ++t) {
    std::memcpy(apart.v.data + row_bytes(type(), t * values),
                o.k.data + row_bytes(type(), t * keys),
                static_cast<size_t>(row_bytes(type(), values)));
  }
  apart.look_at(o.k.data, keys, apart.v.data, values);
  o.look_at(o.k.data, keys, o.k.data, keys);
  EXPECT_TRUE(same_bits(run(o, 2), run(apart, 2)));
}

TEST_P(AttentionTest, ThreadsAndSplittingDoNotChangeABit) {
  for (const Sizes& s : {Sizes{1, 1500, 16, 1, 72, 64}, Sizes{33, 600, 4, 2, 16, 16}}) {
    const Operands o = operands(s, type());
    // One thread walks the chunks of a tile, several compute them apart and join them.
    EXPECT_TRUE(same_bits(run(o, 1), run(o, 3)));
  }
}

TEST_P(AttentionTest, ChunksNeedNotLieBehindOneAnother) {
  for (const Sizes& s : {Sizes{1, 1500, 4, 2, 24, 16}, Sizes{40, 700, 4, 2, 16, 16}}) {
    const Operands o = operands(s, type());
    // Each chunk in memory of its own, which ends with the last key.
    Operands scattered = o;
    const int64_t n = s.first + s.rows;
    std::vector<std::vector<uint8_t>> memory;
    const auto scatter = [&](std::vector<const uint8_t*>& chunks, int64_t stride) {
      for (size_t i = chunks.size(); i-- > 0;) {
        const int64_t rows =
            std::min(kAttentionChunk, n - static_cast<int64_t>(i) * kAttentionChunk);
        memory.emplace_back(chunks[i], chunks[i] + row_bytes(type(), rows * stride));
        chunks[i] = memory.back().data();
      }
    };
    scatter(scattered.rows.keys, o.heads.key_stride);
    scatter(scattered.rows.values, o.heads.value_stride);
    EXPECT_TRUE(same_bits(run(o, 1), run(scattered, 1)));
    EXPECT_TRUE(same_bits(run(o, 1), run(scattered, 3)));
  }
}

TEST_P(AttentionTest, ARowDoesNotDependOnTheRowsComputedWithIt) {
  const Operands o = operands({50, 300, 4, 2, 16, 16}, type());
  const Tensor all = run(o, 2);
  for (int64_t m = 0; m < 50; ++m) {
    Operands one = o;
    one.rows.queries += m * 4 * o.heads.key_dim;
    one.rows.rows = 1;
    one.rows.first_position += m;
    ASSERT_TRUE(same_bits(run(one, 2).reshaped({4, o.heads.value_dim}), all[m]));
  }
}

TEST_P(AttentionTest, ASequenceDoesNotDependOnThoseComputedWithIt) {
  // One that alone would be split among threads, beside short ones, one of them without a row.
  std::vector<Operands> all;
  for (const Sizes& s : {Sizes{1, 40, 4, 2, 16, 16}, Sizes{1, 1700, 4, 2, 16, 16},
                         Sizes{0, 0, 4, 2, 16, 16}, Sizes{37, 300, 4, 2, 16, 16}}) {
    all.push_back(operands(s, type(), all.size()));
  }
  for (const int threads : {1, 3}) {
    const std::vector<Tensor> together = run_together(all, threads, isa());
    for (size_t i = 0; i < all.size(); ++i) {
      EXPECT_TRUE(same_bits(together[i], run(all[i], 2))) << i;
    }
  }
  // And enough of them that none is split.
  std::vector<Operands> many;
  for (uint64_t i = 0; i < 20; ++i) many.push_back(operands({1, 1500, 2, 1, 16, 16}, type(), i));
  const std::vector<Tensor> outs = run_together(many, 2, isa());
  for (size_t i = 0; i < many.size(); ++i) {
    ASSERT_TRUE(same_bits(outs[i], run(many[i], 3))) << i;
  }
}

// Latents in 8 bits: values are the beginnings of the keys, each part with one scale.
class LatentAttentionTest : public testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    if (!machine_has(GetParam())) GTEST_SKIP() << "not a level of this machine";
  }
  static Operands latents(const Sizes& s, uint64_t seed = 1) {
    Operands o = operands(s, DType::kQ8_0, seed);
    TestContext c(1);
    const int64_t n = s.first + s.rows;
    const Tensor x = random_tensor({n, s.key_dim}, 3 * seed + 1);
    for (int64_t t = 0; t < n; ++t) {
      uint8_t* row = o.k.data + row_bytes(DType::kQ8_0, t * s.key_dim);
      const float* from = x.f32() + t * s.key_dim;
      store_with_one_scale(c.ctx, from, s.value_dim, DType::kQ8_0, row);
      store_with_one_scale(c.ctx, from + s.value_dim, s.key_dim - s.value_dim, DType::kQ8_0,
                           row + row_bytes(DType::kQ8_0, s.value_dim));
    }
    o.v = o.k;
    o.heads.latents = true;
    o.heads.scale = 1 / std::sqrt(static_cast<float>(s.key_dim));
    o.heads.value_head_stride = o.heads.key_head_stride;
    o.look_at(o.k.data, s.key_dim, o.k.data, s.key_dim);
    return o;
  }
  static Tensor run(const Operands& o, int threads) {
    return run_together({o}, threads, GetParam())[0];
  }
};

INSTANTIATE_TEST_SUITE_P(All, LatentAttentionTest, testing::ValuesIn(kIsaLevels),
                         [](const auto& test) { return std::string(isa_name(test.param)); });

TEST_P(LatentAttentionTest, MatchesADoubleReference) {
  // Queries and weights are rounded to 8 bits where there are products of bytes.
  const double rounding = select_kernels(GetParam()).dot_latents != nullptr ? 0.02 : 0.004;
  for (const Sizes& s : {Sizes{1, 0, 2, 1, 96, 64}, Sizes{1, 1100, 16, 1, 576, 512},
                         Sizes{9, 500, 3, 1, 160, 96}, Sizes{2, 300, 20, 1, 96, 32}}) {
    const Operands o = latents(s);
    const Tensor out = run(o, 2);
    for (int64_t m = 0; m < s.rows; ++m) {
      for (int64_t h = 0; h < s.heads; ++h) {
        const Reference expected = reference(o, m, h, false);
        for (int64_t i = 0; i < s.value_dim; ++i) {
          const auto at = static_cast<size_t>(i);
          ASSERT_NEAR(out.f32()[(m * s.heads + h) * s.value_dim + i], expected.out[at],
                      rounding * expected.magnitude[at]);
        }
      }
    }
  }
}

TEST_P(LatentAttentionTest, MultipliesBytesWhereThereAreKernelsForIt) {
  const Operands o = latents({1, 300, 4, 1, 96, 64});
  Operands floats = o;
  floats.heads.latents = false;
  const bool bytes = select_kernels(GetParam()).dot_latents != nullptr;
  EXPECT_EQ(same_bits(run(o, 1), run(floats, 1)), !bytes);
}

TEST_P(LatentAttentionTest, NeitherThreadsNorOtherRowsChangeABit) {
  // Across the ends of chunks and spans; and more heads than a task has rows.
  for (const Sizes& s : {Sizes{35, 745, 5, 1, 96, 64}, Sizes{2, 511, 128, 1, 96, 64}}) {
    const Operands o = latents(s);
    const Tensor all = run(o, 1);
    EXPECT_TRUE(same_bits(all, run(o, 3)));
    for (int64_t m = 0; m < s.rows; ++m) {
      Operands one = o;
      one.rows.queries += m * s.heads * s.key_dim;
      one.rows.rows = 1;
      one.rows.first_position += m;
      ASSERT_TRUE(same_bits(run(one, 2).reshaped({s.heads, s.value_dim}), all[m])) << m;
    }
  }
}

TEST_P(LatentAttentionTest, ASequenceDoesNotDependOnThoseComputedWithIt) {
  const std::vector<Operands> all = {latents({1, 30, 5, 1, 96, 64}, 1),
                                     latents({9, 800, 5, 1, 96, 64}, 2),
                                     latents({1, 1300, 5, 1, 96, 64}, 3)};
  for (const int threads : {1, 3}) {
    const std::vector<Tensor> together = run_together(all, threads, GetParam());
    for (size_t i = 0; i < all.size(); ++i) {
      EXPECT_TRUE(same_bits(together[i], run(all[i], 1))) << i;
    }
  }
}

TEST_P(LatentAttentionTest, AKeyThatIsNotSeenChangesNothing) {
  if (select_kernels(GetParam()).dot_latents == nullptr) GTEST_SKIP() << "0 times NaN is NaN";
  const Operands o = latents({20, 290, 4, 1, 96, 64});
  const Tensor before = run(o, 1);
  TestContext c(1);
  const std::vector<float> bad(64, NAN);
  store_with_one_scale(c.ctx, bad.data(), 64, DType::kQ8_0,
                       o.k.data + row_bytes(DType::kQ8_0, 300 * o.heads.key_dim));
  const Tensor after = run(o, 1);
  for (int64_t m = 0; m < 20; ++m) {
    if (m < 10) {
      EXPECT_TRUE(same_bits(after[m], before[m])) << m;
    } else {
      EXPECT_TRUE(std::isnan(after[m].f32()[0])) << m;
    }
  }
}

TEST_P(LatentAttentionTest, AValueThatIsNotFiniteShows) {
  const Operands o = latents({1, 400, 4, 1, 96, 64});
  TestContext c(1);
  const std::vector<float> bad(64, NAN);
  store_with_one_scale(c.ctx, bad.data(), 64, DType::kQ8_0,
                       o.k.data + row_bytes(DType::kQ8_0, 100 * o.heads.key_dim));
  const Tensor out = run(o, 1);
  for (int64_t i = 0; i < out.shape.elements(); ++i) ASSERT_TRUE(std::isnan(out.f32()[i])) << i;
}

}  // namespace
}  // namespace minke
