#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>

#include <gtest/gtest.h>

#include "base/cpu/isa.h"
#include "learn/train/model_parameters.h"
#include "learn/train/pass.h"
#include "model/formats/open_checkpoint.h"
#include "serve/engine/batch_generator.h"
#include "serve/engine/session.h"

// A training pass computes what serving computes: the log-probabilities of documents that are
// packed together are, bit for bit, those of the logits that a session gives for each document
// alone. And the gradients do not depend on the number of threads.

namespace minke {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kContext = 256;

std::vector<fs::path> model_folders() {
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(fs::path(MINKE_GOLDEN_DIR) / "models")) {
    if (entry.path().filename().string().ends_with("-s0")) folders.push_back(entry.path());
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

// Documents one behind the other.
struct Documents {
  void add(std::span<const int32_t> document) {
    starts.push_back(static_cast<int32_t>(tokens.size()));
    for (size_t i = 0; i < document.size(); ++i) {
      tokens.push_back(document[i]);
      positions.push_back(static_cast<int32_t>(i));
      targets.push_back(i + 1 < document.size() ? document[i + 1] : -1);
      weights.push_back(0.01f * static_cast<float>(1 + i % 3));
    }
  }
  PassInput input() const { return {tokens, positions, targets, starts, weights, 0.001}; }
  std::span<const int32_t> document(size_t i) const {
    const auto first = static_cast<size_t>(starts[i]);
    const size_t end = i + 1 < starts.size() ? static_cast<size_t>(starts[i + 1]) : tokens.size();
    return std::span(tokens).subspan(first, end - first);
  }

  std::vector<int32_t> tokens, positions, targets, starts;
  std::vector<float> weights;
};

// Documents of many lengths, one of a single token.
Documents golden_documents(const fs::path& folder) {
  Checkpoint expected(Naming::kHuggingFace, Metadata(folder.string()));
  read_safetensors(folder / "expected.safetensors", expected);
  const auto tokens = [&](const char* name) {
    const Tensor t = expected.find(name).value();
    return std::vector<int32_t>(t.f32(), t.f32() + t.shape.elements());
  };
  const auto a = tokens("tokens_a"), b = tokens("tokens_b");
  Documents documents;
  documents.add(a);
  documents.add(std::span(b).first(1));
  documents.add(std::span(b).first(std::min<size_t>(b.size(), kContext)));
  documents.add(std::span(a).subspan(3, 13));
  documents.add(std::span(b).subspan(1, 34));
  return documents;
}

// Serves each document alone; log softmax as a pass forms it.
std::vector<float> served(const Model& model, const Documents& documents, Isa isa, DType kv_type) {
  const Kernels kernels = select_kernels(isa);
  std::vector<float> all;
  for (size_t d = 0; d < documents.starts.size(); ++d) {
    SessionOptions options;
    options.threads = 2;
    options.isa = isa;
    options.kv_type = kv_type;
    Session session(model, options);
    const auto document = documents.document(d);
    session.score(document, Phase::kPrefill, [&](int64_t i, std::span<const float> logits) {
      const auto next = static_cast<size_t>(i) + 1;
      if (next == document.size()) {
        all.push_back(0);
        return;
      }
      std::vector<float> row(logits.begin(), logits.end());
      const auto vocab = static_cast<int64_t>(row.size());
      const float max = kernels.max(row.data(), vocab);
      const float shifted = row[static_cast<size_t>(document[next])] - max;
      const float total = kernels.exp_sum(row.data(), vocab, max);
      all.push_back(
          static_cast<float>(static_cast<double>(shifted) - std::log(static_cast<double>(total))));
    });
  }
  return all;
}

void expect_same_bits(const std::vector<float>& found, const std::vector<float>& expected,
                      const char* what) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    ASSERT_EQ(std::memcmp(&found[i], &expected[i], sizeof(float)), 0)
        << what << " of row " << i << ": expected " << expected[i] << ", found " << found[i];
  }
}

class TrainingBits : public testing::TestWithParam<std::tuple<fs::path, Isa>> {
 protected:
  TrainingBits() : folder_(std::get<0>(GetParam())), isa_(std::get<1>(GetParam())) {}
  void SetUp() override {
    if (!machine_has(isa_)) GTEST_SKIP() << "the machine has not this level";
  }

  fs::path folder_;
  Isa isa_;
};

TEST_P(TrainingBits, TheForwardPassIsThatOfServing) {
  const Checkpoint checkpoint = open_checkpoint(folder_);
  const Documents documents = golden_documents(folder_);
  for (const DType type : {DType::kF32, DType::kBF16}) {
    const auto model = load_model(checkpoint);
    ModelParameters parameters(*model, type);
    ThreadPool publisher(1);
    parameters.publish(publisher, select_kernels(isa_));
    const std::vector<float> expected = served(*model, documents, isa_, type);
    EXPECT_LT(*std::min_element(expected.begin(), expected.end()), -1);
    for (const int threads : {1, 2}) {
      SCOPED_TRACE(testing::Message() << dtype_name(type) << ", " << threads << " threads");
      ThreadPool pool(threads);
      Pass pass(*model, pool, isa_, type, kContext);
      parameters.track(pass.tape());
      const PassResult evaluated = pass.evaluate(documents.input());
      ASSERT_NO_FATAL_FAILURE(
          expect_same_bits(evaluated.log_probabilities, expected, "evaluation"));
      const PassResult trained = pass.train(documents.input());
      ASSERT_NO_FATAL_FAILURE(expect_same_bits(trained.log_probabilities, expected, "training"));
      EXPECT_EQ(trained.loss, evaluated.loss);
    }
  }
}

// What sampled tokens were drawn from is what a training pass gives them, whatever shares a pass,
// whatever prefix they share: long enough for more than one page of the cache.
TEST_P(TrainingBits, SampledTokensHaveTheProbabilitiesOfTraining) {
  const Checkpoint checkpoint = open_checkpoint(folder_);
  for (const DType type : {DType::kF32, DType::kBF16}) {
    SCOPED_TRACE(dtype_name(type));
    const auto model = load_model(checkpoint);
    ModelParameters parameters(*model, type);
    ThreadPool pool(2);
    parameters.publish(pool, select_kernels(isa_));
    BatchOptions options;
    options.session = {.threads = 2, .isa = isa_, .context = kContext + 64, .kv_type = type};
    options.slots = 3;
    options.generated_phase = Phase::kPrefill;
    BatchGenerator generator(*model, options);
    const Documents golden = golden_documents(folder_);
    const std::vector<std::span<const int32_t>> prompts = {golden.document(0), golden.document(0),
                                                           golden.document(3), golden.document(4),
                                                           golden.document(2)};
    for (size_t i = 0; i < prompts.size(); ++i) {
      GenerationOptions generation;
      generation.sampling = {.temperature = 1, .seed = i};
      generation.max_tokens = 9 + static_cast<int64_t>(i);
      generator.submit({prompts[i].begin(), prompts[i].end()}, generation);
    }
    Documents sampled;
    std::vector<float> expected;
    while (generator.unfinished() > 0) {
      for (const GeneratedSequence& s : generator.step()) {
        const auto prompt = prompts[static_cast<size_t>(s.ticket)];
        std::vector<int32_t> document(prompt.begin(), prompt.end());
        document.insert(document.end(), s.tokens.begin(), s.tokens.end());
        sampled.add(document);
        expected.insert(expected.end(), prompt.size() - 1, 0.0f);
        expected.insert(expected.end(), s.log_probabilities.begin(), s.log_probabilities.end());
        expected.push_back(0);
      }
    }
    for (size_t i = 0; i < expected.size(); ++i) {
      if (expected[i] == 0) sampled.targets[i] = -1;
    }
    Pass pass(*model, pool, isa_, type, kContext + 64);
    parameters.track(pass.tape());
    EXPECT_LT(*std::min_element(expected.begin(), expected.end()), -1);
    const PassResult trained = pass.train(sampled.input());
    ASSERT_NO_FATAL_FAILURE(expect_same_bits(trained.log_probabilities, expected, "training"));
  }
}

TEST_P(TrainingBits, ThreadsDoNotChangeABitOfTheGradients) {
  const Checkpoint checkpoint = open_checkpoint(folder_);
  const Documents documents = golden_documents(folder_);
  for (const DType type : {DType::kF32, DType::kBF16}) {
    const auto model = load_model(checkpoint);
    ModelParameters parameters(*model, type);
    std::vector<std::vector<float>> expected;
    size_t non_zero = 0;
    for (const int threads : {1, 2, 3}) {
      ThreadPool pool(threads);
      parameters.publish(pool, select_kernels(isa_));
      parameters.clear_gradients(pool);
      Pass pass(*model, pool, isa_, type, kContext);
      parameters.track(pass.tape());
      pass.train(documents.input());
      for (size_t i = 0; i < parameters.parameters().size(); ++i) {
        const Parameter& p = parameters.parameters()[i];
        const std::vector<float> g(p.gradient.f32(),
                                   p.gradient.f32() + p.gradient.shape.elements());
        if (threads == 1) {
          non_zero += std::any_of(g.begin(), g.end(), [](float x) { return x != 0; });
          expected.push_back(g);
          continue;
        }
        EXPECT_EQ(std::memcmp(g.data(), expected[i].data(), g.size() * sizeof(float)), 0)
            << p.name << ", " << dtype_name(type) << ", " << threads << " threads";
      }
    }
    // Experts that no token was sent to have none.
    EXPECT_GT(non_zero, expected.size() / 2);
  }
}

// What a pass gives: its result, the loads of the routers, and the gradients.
struct Trained {
  PassResult result;
  std::vector<std::vector<int64_t>> loads;
  std::vector<std::vector<float>> gradients;
};

Trained trained(Pass& pass, ModelParameters& parameters, const PassInput& input, ThreadPool& pool) {
  parameters.clear_gradients(pool);
  Trained t{pass.train(input), {}, {}};
  for (const ExpertLoad& load : pass.tape().loads) t.loads.push_back(load.tokens);
  for (const Parameter& p : parameters.parameters()) {
    const float* g = p.gradient.f32();
    t.gradients.emplace_back(g, g + p.gradient.shape.elements());
  }
  return t;
}

TEST_P(TrainingBits, LayersThatAreRecomputedDoNotChangeABit) {
  const Checkpoint checkpoint = open_checkpoint(folder_);
  const Documents documents = golden_documents(folder_);
  for (const DType type : {DType::kF32, DType::kBF16}) {
    SCOPED_TRACE(dtype_name(type));
    const auto model = load_model(checkpoint, /*prediction=*/true);
    ModelParameters parameters(*model, type);
    ThreadPool pool(2);
    parameters.publish(pool, select_kernels(isa_));
    Pass pass(*model, pool, isa_, type, kContext);
    parameters.track(pass.tape());
    PassInput input = documents.input();
    if (model->predicts()) input.prediction = 0.003f;
    const Trained kept = trained(pass, parameters, input, pool);
    pass.tape().recompute = true;
    for (int round = 0; round < 2; ++round) {
      const Trained found = trained(pass, parameters, input, pool);
      EXPECT_EQ(found.result.loss, kept.result.loss);
      EXPECT_EQ(found.result.prediction, kept.result.prediction);
      EXPECT_EQ(found.result.balance, kept.result.balance);
      EXPECT_EQ(found.loads, kept.loads);
      ASSERT_NO_FATAL_FAILURE(expect_same_bits(found.result.log_probabilities,
                                               kept.result.log_probabilities, "training"));
      for (size_t i = 0; i < kept.gradients.size(); ++i) {
        ASSERT_NO_FATAL_FAILURE(expect_same_bits(found.gradients[i], kept.gradients[i],
                                                 parameters.parameters()[i].name.c_str()));
      }
    }
    EXPECT_EQ(kept.result.prediction != 0, model->predicts());
  }
}

INSTANTIATE_TEST_SUITE_P(All, TrainingBits,
                         testing::Combine(testing::ValuesIn(model_folders()),
                                          testing::ValuesIn(kIsaLevels)),
                         [](const auto& tested) {
                           std::string name = std::get<0>(tested.param).filename().string();
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name + "_" + std::string(isa_name(std::get<1>(tested.param)));
                         });

}  // namespace
}  // namespace minke
