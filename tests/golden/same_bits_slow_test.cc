#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <numeric>

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/core/rng.h"
#include "base/cpu/isa.h"
#include "model/families/gguf_tensors.h"
#include "model/families/shapes.h"
#include "model/formats/open_checkpoint.h"
#include "serve/engine/session.h"

// A token's logits are the same bits whatever the number of threads, however a prompt was cut, and
// whatever else is computed in the same pass; for every storage type that GGUF has, at every level
// but scalar, which is tried with one type: with all it would take minutes.

namespace minke {
namespace {

namespace fs = std::filesystem;

using Row = std::vector<float>;

bool same_bits(const Row& a, const Row& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

Row copy(std::span<const float> row) {
  return {row.begin(), row.end()};
}

double relative_difference(const Row& found, const Row& expected) {
  double difference = 0, size = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    difference += std::pow(double{found[i]} - expected[i], 2);
    size += std::pow(double{expected[i]}, 2);
  }
  return std::sqrt(difference / size);
}

std::vector<int32_t> prompt(int64_t length, uint64_t seed) {
  Rng rng(seed);
  std::vector<int32_t> tokens(static_cast<size_t>(length));
  for (auto& t : tokens) t = static_cast<int32_t>(rng.below(4096));
  return tokens;
}

// A dense layer, and unless `layers` is 1 one with experts, of everything that DeepSeek-V3 has, or
// another shape's layers, with random weights.
struct RandomModel {
  explicit RandomModel(DType type, int64_t layers = 2, std::string_view name = "deepseek-v3-mini")
      : checkpoint(write(type, layers, name)), model(load_model(checkpoint)) {}

  static Checkpoint write(DType type, int64_t layers, std::string_view name) {
    const fs::path file = fs::temp_directory_path() / fmt::format("minke-bits-{}.gguf", getpid());
    const Checkpoint shape = named_shape(name, layers);
    write_random_gguf(*make_model(shape), "bits", type, 1, file, [](int64_t, int64_t) {});
    Checkpoint written = open_checkpoint(file);
    fs::remove(file);
    return written;
  }

  Checkpoint checkpoint;
  std::unique_ptr<Model> model;
};

// A pass over several sequences at once, each with a cache of its own.
class Pass {
 public:
  Pass(const Model& model, Isa isa, int threads)
      : model_(model), pool_(threads), kernels_(select_kernels(isa)), ctx_(pool_, kernels_) {}

  // Appends tokens[i] to caches[i]. The logits after the last token of each.
  std::vector<Row> run(Phase phase, std::span<KvCache> caches,
                       std::span<const std::vector<int32_t>> tokens) {
    std::vector<int32_t> all, positions, last;
    std::vector<Segment> segments;
    for (size_t i = 0; i < caches.size(); ++i) {
      segments.push_back(
          {&caches[i], static_cast<int64_t>(all.size()), static_cast<int64_t>(tokens[i].size())});
      for (size_t j = 0; j < tokens[i].size(); ++j) {
        all.push_back(tokens[i][j]);
        positions.push_back(static_cast<int32_t>(caches[i].length() + static_cast<int64_t>(j)));
      }
      last.push_back(static_cast<int32_t>(all.size()) - 1);
    }
    ctx_.reset();
    ctx_.set_phase(phase);
    const Tensor logits = model_.forward(ctx_, {all, positions, segments, last});
    std::vector<Row> rows;
    for (int64_t m = 0; m < logits.rows(); ++m) {
      const float* row = logits.f32() + m * logits.columns();
      rows.emplace_back(row, row + logits.columns());
    }
    return rows;
  }

 private:
  const Model& model_;
  ThreadPool pool_;
  Kernels kernels_;
  Context ctx_;
};

class SameBits : public testing::TestWithParam<DType> {
 protected:
  SameBits() : random_(GetParam()) {}

  const Model& model() const { return *random_.model; }
  std::vector<KvCache> caches(size_t count) const {
    std::vector<KvCache> made;
    for (size_t i = 0; i < count; ++i) made.emplace_back(model().facts().kv, 128);
    return made;
  }
  // Levels of this machine that the type is tried at.
  static std::vector<Isa> levels() {
    std::vector<Isa> found;
    for (const Isa isa : kIsaLevels) {
      const bool slow = isa == Isa::kScalar && GetParam() != DType::kQ4_K;
      if (machine_has(isa) && !slow) found.push_back(isa);
    }
    return found;
  }

 private:
  RandomModel random_;
};

// Prompts at all levels of AVX-512 differ by the rounding of single operations: over a float32
// cache by that of keys from a quantized k_b alone.
TEST_P(SameBits, LevelsOfAvx512AreClose) {
  if (!is_quantized(GetParam())) GTEST_SKIP() << "other products differ as well";
  if (machine_isa() < Isa::kAvx512Bf16) GTEST_SKIP() << "the machine has one level of AVX-512";
  const auto tokens = prompt(70, 2);
  const auto logits = [&](Isa isa) {
    Session session(model(), {.threads = 2, .isa = isa, .kv_type = DType::kF32});
    return copy(session.prefill(tokens));
  };
  const double difference = relative_difference(logits(machine_isa()), logits(Isa::kAvx512));
  EXPECT_GT(difference, 0) << "nothing was rounded";
  EXPECT_LT(difference, 0.1);
}

TEST_P(SameBits, WhateverTheThreadsAndTheChunks) {
  const auto tokens = prompt(70, 1);
  for (const Isa isa : levels()) {
    const auto logits = [&](int threads, int64_t chunk) {
      Session session(model(), {.threads = threads, .isa = isa, .prefill_chunk = chunk});
      std::vector<Row> rows = {copy(session.prefill(tokens))};
      for (const int32_t token : {5, 6, 7}) rows.push_back(copy(session.decode(token)));
      return rows;
    };
    const auto whole = logits(2, 1024);
    for (const auto& [threads, chunk] :
         {std::pair{1, 1024}, {2, 64}, {2, 7}, {1, 7}, {3, 64}, {2, 1}}) {
      const auto found = logits(threads, chunk);
      for (size_t i = 0; i < whole.size(); ++i) {
        EXPECT_TRUE(same_bits(found[i], whole[i]))
            << isa_name(isa) << ", " << threads << " threads, chunks of " << chunk << ", row " << i;
      }
    }
  }
}

TEST_P(SameBits, WhateverElseIsInTheBatch) {
  constexpr size_t kMost = 9;
  std::vector<std::vector<int32_t>> prompts, next;
  for (size_t i = 0; i < kMost; ++i) {
    prompts.push_back(prompt(3 + 4 * static_cast<int64_t>(i), i));
    next.push_back({static_cast<int32_t>(100 + i)});
  }
  for (const Isa isa : levels()) {
    Pass pass(model(), isa, 2);
    std::vector<Row> alone_prompt, alone_next;
    for (size_t i = 0; i < kMost; ++i) {
      auto cache = caches(1);
      alone_prompt.push_back(pass.run(Phase::kPrefill, cache, std::span(prompts).subspan(i, 1))[0]);
      alone_next.push_back(pass.run(Phase::kDecode, cache, std::span(next).subspan(i, 1))[0]);
    }
    for (size_t count = 2; count <= kMost; ++count) {
      auto together = caches(count);
      const auto rows = pass.run(Phase::kPrefill, together, prompts);
      const auto next_rows = pass.run(Phase::kDecode, together, next);
      for (size_t i = 0; i < count; ++i) {
        EXPECT_TRUE(same_bits(rows[i], alone_prompt[i]))
            << isa_name(isa) << ", prompt " << i << " of " << count;
        EXPECT_TRUE(same_bits(next_rows[i], alone_next[i]))
            << isa_name(isa) << ", token " << i << " of " << count;
      }
    }
  }
}

// Generated tokens over latents in 8 bits, which some levels multiply as they are. Without experts:
// rounding changes the choice of one now and then, and with it all logits.
TEST(SameBitsOverLatents, InEightBits) {
  const RandomModel random(DType::kQ4_K, 1);
  const auto tokens = prompt(300, 3);
  for (const Isa isa : kIsaLevels) {
    if (!machine_has(isa)) continue;
    const auto logits = [&](DType kv_type, int threads, int64_t chunk) {
      Session session(*random.model,
                      {.threads = threads, .isa = isa, .prefill_chunk = chunk, .kv_type = kv_type});
      session.prefill(tokens);
      std::vector<Row> rows;
      for (int32_t token = 5; token < 14; ++token) rows.push_back(copy(session.decode(token)));
      return rows;
    };
    const auto whole = logits(DType::kQ8_0, 2, 1024);
    const auto exact = logits(DType::kF32, 2, 1024);
    for (size_t i = 0; i < whole.size(); ++i) {
      const double difference = relative_difference(whole[i], exact[i]);
      EXPECT_GT(difference, 0) << isa_name(isa);
      EXPECT_LT(difference, 0.1) << isa_name(isa);
    }
    for (const auto& [threads, chunk] : {std::pair{1, 1024}, {3, 64}, {2, 7}}) {
      const auto found = logits(DType::kQ8_0, threads, chunk);
      for (size_t i = 0; i < whole.size(); ++i) {
        EXPECT_TRUE(same_bits(found[i], whole[i]))
            << isa_name(isa) << ", " << threads << " threads, chunks of " << chunk << ", row " << i;
      }
    }
    // The same sequence beside a shorter one.
    Pass pass(*random.model, isa, 2);
    std::vector<KvCache> caches;
    for (int i = 0; i < 2; ++i) {
      caches.emplace_back(random.model->facts().kv.stored_as(DType::kQ8_0), 512);
    }
    const std::vector<std::vector<int32_t>> prompts = {prompt(9, 4), tokens};
    pass.run(Phase::kPrefill, caches, prompts);
    for (size_t i = 0; i < whole.size(); ++i) {
      const std::vector<std::vector<int32_t>> next = {{9}, {static_cast<int32_t>(5 + i)}};
      EXPECT_TRUE(same_bits(pass.run(Phase::kDecode, caches, next)[1], whole[i])) << isa_name(isa);
    }
  }
}

// A token of each of many sequences, some of which have several spans of keys and would be split
// among threads if they were alone.
void expect_company_changes_nothing(const Model& model, DType kv_type, Isa isa) {
  std::vector<std::vector<int32_t>> prompts, next;
  for (int i = 0; i < 72; ++i) {
    const bool is_long = i % 30 == 10;
    prompts.push_back(prompt(is_long ? 500 + 20 * i : 1 + i % 7, static_cast<uint64_t>(i)));
    next.push_back({1000 + i});
  }
  const auto new_cache = [&] { return KvCache(model.facts().kv.stored_as(kv_type), 2048); };
  std::vector<Row> alone;
  std::vector<KvCache> together;
  Pass one(model, isa, 2);
  for (size_t i = 0; i < prompts.size(); ++i) {
    together.push_back(new_cache());
    std::vector<KvCache> cache;
    cache.push_back(new_cache());
    one.run(Phase::kPrefill, std::span(together).subspan(i, 1), std::span(prompts).subspan(i, 1));
    one.run(Phase::kPrefill, cache, std::span(prompts).subspan(i, 1));
    alone.push_back(one.run(Phase::kDecode, cache, std::span(next).subspan(i, 1))[0]);
  }
  for (const int threads : {1, 3}) {
    Pass pass(model, isa, threads);
    const auto rows = pass.run(Phase::kDecode, together, next);
    for (size_t i = 0; i < alone.size(); ++i) {
      EXPECT_TRUE(same_bits(rows[i], alone[i]))
          << isa_name(isa) << ", " << dtype_name(kv_type) << ", " << threads << " threads, " << i;
      together[i].truncate(static_cast<int64_t>(prompts[i].size()));
    }
  }
}

TEST(SameBitsOfManySequences, ShortAndLong) {
  const RandomModel latents(DType::kQ4_K, 1), heads(DType::kQ8_0, 1, "smollm2-135m");
  for (const Isa isa : {Isa::kAvx2, Isa::kAvx512, machine_isa()}) {
    if (!machine_has(isa)) continue;
    for (const DType kv_type : {DType::kBF16, DType::kQ8_0}) {
      expect_company_changes_nothing(*latents.model, kv_type, isa);
    }
    expect_company_changes_nothing(*heads.model, DType::kBF16, isa);
  }
}

std::vector<DType> all_types() {
  std::vector<DType> types;
  for (int t = 0; t < kDTypeCount; ++t) {
    // GGUF has no such type.
    if (static_cast<DType>(t) != DType::kF8E4M3) types.push_back(static_cast<DType>(t));
  }
  return types;
}

std::string type_name(const testing::TestParamInfo<DType>& type) {
  return std::string(dtype_name(type.param));
}

INSTANTIATE_TEST_SUITE_P(Types, SameBits, testing::ValuesIn(all_types()), type_name);

}  // namespace
}  // namespace minke
