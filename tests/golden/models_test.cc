#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/core/error.h"
#include "base/cpu/isa.h"
#include "math/quant/quant.h"
#include "model/families/gguf_config.h"
#include "model/families/gguf_tensors.h"
#include "model/families/model.h"
#include "model/formats/open_checkpoint.h"
#include "serve/engine/session.h"

namespace minke {
namespace {

namespace fs = std::filesystem;

// Largest difference to the reference implementation's float32 logits. Both sum in float32, in
// different orders.
constexpr float kTolerance = 2e-4f;

std::vector<fs::path> model_folders() {
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(fs::path(MINKE_GOLDEN_DIR) / "models")) {
    if (entry.is_directory()) folders.push_back(entry.path());
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

struct Expected {
  explicit Expected(const fs::path& folder)
      : checkpoint(Naming::kHuggingFace, Metadata(folder.string())) {
    read_safetensors(folder / "expected.safetensors", checkpoint);
  }
  Tensor tensor(const char* name) const { return checkpoint.find(name).value(); }
  // Token ids are stored as floats.
  std::vector<int32_t> tokens(const char* name) const {
    const Tensor t = tensor(name);
    return {t.f32(), t.f32() + t.shape.elements()};
  }

  Checkpoint checkpoint;
};

struct Pass {
  Phase phase = Phase::kPrefill;
  int threads = 2;
  int64_t chunk = 512;
  Isa isa = machine_isa();
  DType kv_type = DType::kF32;  // as the reference computes
};

// Logits [tokens, vocab] of all tokens.
Tensor logits_of(const Model& model, std::span<const int32_t> tokens, const Pass& pass) {
  SessionOptions options;
  options.threads = pass.threads;
  options.isa = pass.isa;
  options.prefill_chunk = pass.chunk;
  options.kv_type = pass.kv_type;
  Session session(model, options);
  const int64_t vocab = model.facts().vocab;
  Tensor all = Tensor::zeros(DType::kF32, {static_cast<int64_t>(tokens.size()), vocab});
  session.score(tokens, pass.phase, [&](int64_t i, std::span<const float> row) {
    std::memcpy(all.f32() + i * vocab, row.data(), row.size_bytes());
  });
  return all;
}

int64_t argmax(const float* row, int64_t n) {
  return std::max_element(row, row + n) - row;
}

// Compares the last rows of `found` with `expected`: largest difference, and the same most likely
// token everywhere.
void expect_close(const Tensor& found, const Tensor& expected, float tolerance,
                  const std::string& what) {
  const int64_t vocab = expected.columns(), skip = found.rows() - expected.rows();
  float worst = 0;
  for (int64_t m = 0; m < expected.rows(); ++m) {
    const float* a = found.f32() + (skip + m) * vocab;
    const float* b = expected.f32() + m * vocab;
    for (int64_t i = 0; i < vocab; ++i) {
      ASSERT_TRUE(std::isfinite(a[i])) << what;
      worst = std::max(worst, std::abs(a[i] - b[i]));
    }
    EXPECT_EQ(argmax(a, vocab), argmax(b, vocab)) << what << ", row " << m;
  }
  // The largest of all comparisons of a test is told: --gtest_output=json:FILE.
  static float largest = 0;
  static const testing::TestInfo* current = nullptr;
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  largest = test == current ? std::max(largest, worst) : worst;
  current = test;
  testing::Test::RecordProperty("largest_difference", fmt::format("{:.3g}", largest));
  EXPECT_LT(worst, tolerance) << what;
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return std::memcmp(a.data, b.data, static_cast<size_t>(a.bytes())) == 0;
}

// Whether products at `isa` round activations to bfloat16, as the reference does not.
bool rounds_activations(const Checkpoint& checkpoint, Isa isa) {
  return isa >= Isa::kAvx512Bf16 &&
         std::any_of(checkpoint.tensors().begin(), checkpoint.tensors().end(),
                     [](const auto& t) { return t.second.type == DType::kBF16; });
}

class GoldenModel : public testing::TestWithParam<fs::path> {
 protected:
  GoldenModel()
      : checkpoint_(open_checkpoint(GetParam())),
        model_(load_model(checkpoint_)),
        expected_(GetParam()) {}

  Checkpoint checkpoint_;
  std::unique_ptr<Model> model_;
  Expected expected_;
};

TEST_P(GoldenModel, LogitsMatchTheReferenceInBothPhasesAtEveryLevel) {
  for (const Isa isa : kIsaLevels) {
    if (!machine_has(isa) || rounds_activations(checkpoint_, isa)) continue;
    for (const Phase phase : {Phase::kPrefill, Phase::kDecode}) {
      const std::string what =
          std::string(isa_name(isa)) + (phase == Phase::kPrefill ? " prefill" : " decode");
      Pass pass;
      pass.phase = phase;
      pass.isa = isa;
      expect_close(logits_of(*model_, expected_.tokens("tokens_a"), pass),
                   expected_.tensor("logits_a"), kTolerance, what);
      // Past the length that YaRN starts from.
      expect_close(logits_of(*model_, expected_.tokens("tokens_b"), pass),
                   expected_.tensor("logits_b_last"), kTolerance, what);
    }
  }
}

TEST_P(GoldenModel, ThreadsAndChunksDoNotChangeABit) {
  const auto tokens = expected_.tokens("tokens_a");
  for (const DType kv_type : {DType::kF32, DType::kBF16}) {
    for (const Phase phase : {Phase::kPrefill, Phase::kDecode}) {
      Pass pass;
      pass.phase = phase;
      pass.kv_type = kv_type;
      const Tensor whole = logits_of(*model_, tokens, pass);
      for (const int64_t chunk : {1, 7, 64}) {
        pass.chunk = chunk;
        EXPECT_TRUE(same_bits(whole, logits_of(*model_, tokens, pass))) << "chunks of " << chunk;
      }
      pass.threads = 1;
      EXPECT_TRUE(same_bits(whole, logits_of(*model_, tokens, pass))) << "one thread";
    }
  }
}

// Eight significant bits in the cache move logits by a small part of their spread, at levels that
// compute with such values and at those that do not. Tokens whose experts are so close that they go
// to another one move more; they are few.
TEST_P(GoldenModel, ARoundedCacheChangesLogitsLittle) {
  const auto tokens = expected_.tokens("tokens_a");
  for (const Isa isa : {machine_isa(), std::min(machine_isa(), Isa::kAvx512)}) {
    for (const Phase phase : {Phase::kPrefill, Phase::kDecode}) {
      Pass pass;
      pass.isa = isa;
      pass.phase = phase;
      const Tensor exact = logits_of(*model_, tokens, pass);
      pass.kv_type = DType::kBF16;
      const Tensor rounded = logits_of(*model_, tokens, pass);
      std::vector<double> parts;
      for (int64_t m = 0; m < exact.rows(); ++m) {
        double difference = 0, square = 0;
        for (int64_t i = 0; i < exact.columns(); ++i) {
          const double a = exact[m].f32()[i], b = rounded[m].f32()[i];
          difference += (a - b) * (a - b);
          square += a * a;
        }
        parts.push_back(std::sqrt(difference / square));
      }
      std::sort(parts.begin(), parts.end());
      EXPECT_GT(parts.back(), 0) << isa_name(isa);
      EXPECT_LT(parts[parts.size() / 2], 0.01) << isa_name(isa);
    }
  }
}

TEST_P(GoldenModel, GgufCopyGivesTheSameLogits) {
  const fs::path file = fs::temp_directory_path() / fmt::format("minke-golden-{}.gguf", getpid());
  const auto tokens = expected_.tokens("tokens_b");
  write_gguf(file, gguf_metadata(*model_, "golden"), gguf_tensors(*model_, DType::kF32));
  const Checkpoint copy = open_checkpoint(file);
  fs::remove(file);
  const auto loaded = load_model(copy);
  for (const Phase phase : {Phase::kPrefill, Phase::kDecode}) {
    Pass pass;
    pass.phase = phase;
    // The copy has F32 weights only.
    if (rounds_activations(checkpoint_, pass.isa)) pass.isa = Isa::kAvx512;
    expect_close(logits_of(*loaded, tokens, pass), logits_of(*model_, tokens, pass), 1e-5f, "copy");
  }
}

// The metadata and tensors of a GGUF file as converters wrote them before 2025: kv_b whole, lengths
// of whole heads.
Metadata legacy_metadata(const Metadata& from) {
  const std::string attention = "deepseek2.attention.";
  Metadata to(from.source());
  for (const auto& [key, value] : from.values()) {
    const bool split = key == attention + "key_length" || key == attention + "value_length" ||
                       key == attention + "key_length_mla" || key == attention + "value_length_mla";
    if (!split) to.set(key, value);
  }
  to.set(attention + "key_length", *from.integer(attention + "key_length_mla"));
  to.set(attention + "value_length", *from.integer(attention + "value_length_mla"));
  return to;
}

TEST_P(GoldenModel, GgufCopyWithWholeKvBGivesTheSameLogits) {
  if (model_->facts().family != "deepseek") GTEST_SKIP() << "no latent attention";
  const Metadata metadata = legacy_metadata(gguf_metadata(*model_, "golden"));
  std::vector<TensorToWrite> tensors = gguf_tensors(*model_, DType::kF32);
  std::erase_if(tensors, [](const TensorToWrite& t) { return t.name.ends_with("_v_b.weight"); });
  for (auto& t : tensors) {
    if (!t.name.ends_with("attn_k_b.weight")) continue;
    const std::string layer = t.name.substr(4, t.name.find('.', 4) - 4);
    const Tensor kv_b = decode_tensor(
        checkpoint_.find("model.layers." + layer + ".self_attn.kv_b_proj.weight").value());
    t.name = "blk." + layer + ".attn_kv_b.weight";
    t.shape = kv_b.shape;
    t.bytes = [kv_b] { return std::span(kv_b.data, static_cast<size_t>(kv_b.bytes())); };
  }
  const fs::path file = fs::temp_directory_path() / fmt::format("minke-legacy-{}.gguf", getpid());
  write_gguf(file, metadata, tensors);
  const Checkpoint copy = open_checkpoint(file);
  fs::remove(file);
  const auto loaded = load_model(copy);
  const auto tokens = expected_.tokens("tokens_b");
  for (const Phase phase : {Phase::kPrefill, Phase::kDecode}) {
    Pass pass;
    pass.phase = phase;
    // The copy has F32 weights only.
    if (rounds_activations(checkpoint_, pass.isa)) pass.isa = Isa::kAvx512;
    expect_close(logits_of(*loaded, tokens, pass), logits_of(*model_, tokens, pass), 1e-5f, "copy");
  }
}

std::string test_name(const testing::TestParamInfo<fs::path>& info) {
  std::string name = info.param.filename().string();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(All, GoldenModel, testing::ValuesIn(model_folders()), test_name);

}  // namespace
}  // namespace minke
