#include "serve/engine/batch_generator.h"

#include <cmath>
#include <filesystem>
#include <map>

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/core/error.h"
#include "model/families/bundle.h"
#include "model/families/gguf_tensors.h"
#include "model/families/shapes.h"

namespace minke {
namespace {

namespace fs = std::filesystem;

// Random weights of every V3 feature, loaded once.
const Model& model() {
  static const Bundle loaded = [] {
    const fs::path path = fs::temp_directory_path() / fmt::format("minke-batch-{}.gguf", getpid());
    write_random_gguf(*make_model(named_shape("deepseek-v3-mini")), "mini", DType::kQ4_K, 1, path);
    Bundle b = load_bundle(path);
    fs::remove(path);
    return b;
  }();
  return *loaded.model;
}

constexpr int64_t kContext = 128;

BatchOptions options(int64_t slots, int threads = 2, int64_t chunk = 1024) {
  BatchOptions o;
  o.slots = slots;
  o.session.threads = threads;
  o.session.isa = machine_isa();
  o.session.context = kContext;
  o.session.prefill_chunk = chunk;
  return o;
}

struct Request {
  std::vector<int32_t> prompt;
  GenerationOptions options;
};

// Prompts and replies of different lengths, greedy ones and draws.
std::vector<Request> requests() {
  std::vector<Request> all;
  for (int i = 0; i < 9; ++i) {
    Request r;
    for (int t = 0; t < 3 + 13 * (i % 4); ++t) r.prompt.push_back(2 + (t * 37 + i * 101) % 250);
    r.options.max_tokens = 4 + 5 * (i % 3);
    r.options.sampling.temperature = i % 2 == 0 ? 0.0f : 1.0f;
    r.options.sampling.seed = static_cast<uint64_t>(i);
    all.push_back(std::move(r));
  }
  return all;
}

std::map<int64_t, GeneratedSequence> run(BatchGenerator& generator) {
  std::map<int64_t, GeneratedSequence> all;
  while (generator.unfinished() > 0) {
    for (auto& sequence : generator.step()) {
      const int64_t ticket = sequence.ticket;
      EXPECT_TRUE(all.emplace(ticket, std::move(sequence)).second);
    }
  }
  return all;
}

std::vector<int32_t> alone(const Request& request, FinishReason& reason) {
  Session session(model(), options(1).session);
  std::vector<int32_t> ids;
  const auto result = Generator(session).generate(request.prompt, request.options, [&](int32_t id) {
    if (id >= 0) ids.push_back(id);
    return true;
  });
  reason = result.reason;
  return ids;
}

std::vector<int32_t> copy(std::span<const int32_t> ids) {
  return {ids.begin(), ids.end()};
}

TEST(BatchGenerator, SequencesSayWhatTheySayAlone) {
  const auto all = requests();
  std::vector<std::vector<int32_t>> expected;
  for (const Request& request : all) {
    FinishReason reason{};
    expected.push_back(alone(request, reason));
    EXPECT_EQ(reason, FinishReason::kLength);
  }
  for (const int64_t slots : {1, 3, 16}) {
    for (const int64_t chunk : {5, 1024}) {
      BatchGenerator generator(model(), options(slots, 1 + static_cast<int>(slots) % 3, chunk));
      for (const Request& request : all) generator.submit(request.prompt, request.options);
      const auto found = run(generator);
      ASSERT_EQ(found.size(), all.size());
      int64_t tokens = 0;
      for (const auto& [ticket, sequence] : found) {
        EXPECT_EQ(sequence.tokens, expected[static_cast<size_t>(ticket)])
            << slots << " slots, chunks of " << chunk << ", sequence " << ticket;
        EXPECT_EQ(sequence.reason, FinishReason::kLength);
        tokens += static_cast<int64_t>(sequence.tokens.size());
      }
      EXPECT_EQ(generator.stats().generated_tokens, tokens);
      EXPECT_EQ(generator.stats().prompt_tokens, 9 * 3 + 13 * (0 + 1 + 2 + 3) * 2);
    }
  }
}

TEST(BatchGenerator, StopTokensEndSequencesAndAreGivenAsTheLast) {
  Request request = requests()[2];
  FinishReason reason{};
  const auto free_reply = alone(request, reason);
  request.options.stop_ids = {free_reply[3]};
  const auto expected = alone(request, reason);
  ASSERT_EQ(reason, FinishReason::kStop);
  BatchGenerator generator(model(), options(2));
  generator.submit(request.prompt, request.options);
  const auto found = run(generator).at(0);
  EXPECT_EQ(found.reason, FinishReason::kStop);
  EXPECT_EQ(copy(found.reply()), expected);
  EXPECT_EQ(found.tokens.size(), expected.size() + 1);
  EXPECT_EQ(found.tokens.back(), free_reply[3]);
  EXPECT_EQ(found.log_probabilities.size(), found.tokens.size());
}

TEST(BatchGenerator, LogProbabilitiesAreTheModels) {
  Request request = requests()[1];
  request.options.sampling.top_k = 3;
  BatchGenerator generator(model(), options(4));
  for (const Request& other : requests()) generator.submit(other.prompt, other.options);
  const int64_t ticket = generator.submit(request.prompt, request.options);
  const auto found = run(generator).at(ticket);

  Session session(model(), options(1).session);
  auto logits = session.prefill(request.prompt);
  for (size_t i = 0; i < found.tokens.size(); ++i) {
    double total = 0;
    for (const float logit : logits) total += std::exp(static_cast<double>(logit));
    const auto token = static_cast<size_t>(found.tokens[i]);
    EXPECT_NEAR(found.log_probabilities[i], logits[token] - std::log(total), 1e-4);
    logits = session.decode(found.tokens[i]);
  }
}

TEST(BatchGenerator, AFullContextEndsASequence) {
  Request request = requests()[0];
  request.prompt.resize(kContext - 4, 7);
  request.options.max_tokens = 0;
  FinishReason reason{};
  const auto expected = alone(request, reason);
  BatchGenerator generator(model(), options(2));
  generator.submit(request.prompt, request.options);
  request.prompt.resize(kContext, 8);
  generator.submit(request.prompt, request.options);
  const auto found = run(generator);
  EXPECT_EQ(found.at(0).tokens, expected);
  EXPECT_EQ(found.at(0).reason, FinishReason::kLength);
  EXPECT_EQ(found.at(1).tokens.size(), 1u);
}

// What reinforcement samples with: the panels of the weights stay from pass to pass.
TEST(BatchGenerator, InThePhaseOfPromptsRepliesDoNotDependOnWhatWasComputedBefore) {
  const fs::path path = fs::temp_directory_path() / fmt::format("minke-halves-{}.gguf", getpid());
  write_random_gguf(*make_model(named_shape("deepseek-v3-mini", 2)), "halves", DType::kBF16, 1,
                    path);
  const Bundle halves = load_bundle(path);
  fs::remove(path);
  BatchOptions o = options(4);
  o.generated_phase = Phase::kPrefill;
  const auto replies = [](BatchGenerator& generator) {
    std::vector<std::vector<int32_t>> all;
    for (const Request& r : requests()) generator.submit(r.prompt, r.options);
    for (const auto& [ticket, sequence] : run(generator)) all.push_back(sequence.tokens);
    return all;
  };
  BatchGenerator generator(*halves.model, o);
  const auto expected = replies(generator);
  EXPECT_EQ(replies(generator), expected);
  generator.weights_changed();
  EXPECT_EQ(replies(generator), expected);
  o.slots = 1;
  BatchGenerator alone(*halves.model, o);
  EXPECT_EQ(replies(alone), expected);
}

TEST(BatchGenerator, CountsWhatWaits) {
  BatchGenerator generator(model(), options(4));
  EXPECT_TRUE(generator.step().empty());
  for (const Request& request : requests()) generator.submit(request.prompt, request.options);
  EXPECT_EQ(generator.waiting(), 9);
  generator.step();
  EXPECT_EQ(generator.waiting(), 5);
  EXPECT_EQ(generator.unfinished(), 9);
}

TEST(BatchGenerator, RefusesWhatCannotBeContinued) {
  BatchGenerator generator(model(), options(2));
  GenerationOptions o;
  EXPECT_THROW(generator.submit({}, o), Error);
  EXPECT_THROW(generator.submit({-1}, o), Error);
  EXPECT_THROW(generator.submit({static_cast<int32_t>(model().facts().vocab)}, o), Error);
  EXPECT_THROW(generator.submit(std::vector<int32_t>(kContext + 1, 5), o), Error);
  o.sampling.temperature = -1;
  EXPECT_THROW(generator.submit({5}, o), Error);
  EXPECT_EQ(generator.unfinished(), 0);
  BatchOptions long_context = options(2);
  long_context.session.context = int64_t{1} << 40;
  EXPECT_THROW(BatchGenerator(model(), long_context), Error);
  o.sampling.temperature = 0;
  o.allowed.assign(static_cast<size_t>(model().facts().vocab), false);
  generator.submit({5}, o);
  EXPECT_THROW(generator.step(), Error);
}

}  // namespace
}  // namespace minke
