#include <algorithm>
#include <cstring>
#include <filesystem>

#include <gtest/gtest.h>

#include "base/core/rng.h"
#include "base/core/test_folder.h"
#include "base/cpu/isa.h"
#include "model/families/model.h"
#include "model/formats/open_checkpoint.h"
#include "model/kv/page_store.h"
#include "model/kv/prefix_index.h"

// A sequence that begins with pages of another, a copy of the beginning of one, or pages from disk
// has, bit for bit, the logits that it has when all of it is computed.

namespace minke {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kCapacity = 1000;
constexpr int64_t kCommon = 600;  // tokens that the sequences have in common

std::vector<fs::path> model_folders() {
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(fs::path(MINKE_GOLDEN_DIR) / "models")) {
    if (entry.path().filename().string().ends_with("-s0")) folders.push_back(entry.path());
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

class PrefixBits : public ::testing::TestWithParam<fs::path> {
 protected:
  PrefixBits() : checkpoint_(open_checkpoint(GetParam())), model_(load_model(checkpoint_)) {}

  // kCommon ids, the same for all seeds, and 41 others.
  std::vector<int32_t> prompt(uint64_t seed) const {
    std::vector<int32_t> tokens;
    const auto vocab = static_cast<uint64_t>(model_->facts().vocab);
    Rng common(1), own(seed);
    for (int64_t i = 0; i < kCommon + 41; ++i) {
      tokens.push_back(static_cast<int32_t>((i < kCommon ? common : own).below(vocab - 1)));
    }
    tokens[kCommon] = static_cast<int32_t>(seed);
    return tokens;
  }

  // Logits of the prompt's last token, what of it `cache` does not hold being computed, and of
  // three generated tokens.
  std::vector<float> logits(Isa isa, KvCache& cache, std::span<const int32_t> tokens) const {
    ThreadPool pool(2);
    const Kernels kernels = select_kernels(isa);
    Context ctx(pool, kernels);
    std::vector<float> all;
    const auto pass = [&](Phase phase, std::span<const int32_t> ids) {
      const int64_t first = cache.length();
      const auto count = static_cast<int64_t>(ids.size());
      ASSERT_TRUE(cache.reserve(first + count));
      std::vector<int32_t> positions;
      for (int64_t i = 0; i < count; ++i) positions.push_back(static_cast<int32_t>(first + i));
      const Segment segment{&cache, 0, count};
      const int32_t last = static_cast<int32_t>(count) - 1;
      ctx.reset();
      ctx.set_phase(phase);
      const Tensor row = model_->forward(ctx, {ids, positions, {&segment, 1}, {&last, 1}});
      all.insert(all.end(), row.f32(), row.f32() + row.columns());
    };
    pass(Phase::kPrefill, tokens.subspan(static_cast<size_t>(cache.length())));
    for (const int32_t token : {3, 4, 5}) pass(Phase::kDecode, {&token, 1});
    return all;
  }

  static bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
  }

  void expect_same(Isa isa, const KvLayout& layout) const {
    const auto first = prompt(11), second = prompt(12);
    KvCache alone(layout, kCapacity);
    const auto expected = logits(isa, alone, second);

    KvPagePool pool(layout, 16 * layout.page_bytes());
    PrefixIndex index(pool);
    KvCache one(pool, kCapacity);
    EXPECT_FALSE(same_bits(logits(isa, one, first), expected));
    index.insert("", first, one);
    PrefixMatch match = index.match("", second);
    ASSERT_EQ(match.tokens(), kCommon);
    KvCache two(pool, kCapacity);
    for (const auto& page : match.pages) two.append_shared(page);
    ASSERT_TRUE(two.reserve(kCommon));
    two.append_copy(*match.partial, match.partial_tokens);
    EXPECT_TRUE(same_bits(logits(isa, two, second), expected)) << isa_name(isa);

    const minke::testing::TempFolder folder;
    PageStore store(layout, {folder.path(), 1 << 30, "", 4, {}});
    KvCache three(layout, kCapacity);
    for (int64_t i = 0; i < 2; ++i) {
      const auto upto = std::span(second).first(static_cast<size_t>((i + 1) * kPageTokens));
      store.put("", upto, one.shared_page(i));
      store.flush();
      three.append_shared(store.get("", upto, pool));
    }
    EXPECT_TRUE(same_bits(logits(isa, three, second), expected)) << isa_name(isa);
  }

  Checkpoint checkpoint_;
  std::unique_ptr<Model> model_;
};

INSTANTIATE_TEST_SUITE_P(All, PrefixBits, ::testing::ValuesIn(model_folders()),
                         [](const auto& folder) {
                           std::string name = folder.param.filename().string();
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST_P(PrefixBits, AreThoseOfASequenceThatIsComputedWhole) {
  for (const Isa isa : kIsaLevels) {
    if (isa == Isa::kScalar || !machine_has(isa)) continue;
    for (const DType type : {DType::kF32, DType::kBF16}) {
      expect_same(isa, model_->facts().kv.stored_as(type));
    }
  }
}

}  // namespace
}  // namespace minke
