#include "serve/engine/scheduler.h"

#include <algorithm>
#include <cmath>
#include <new>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "base/core/error.h"
#include "base/core/test_folder.h"
#include "serve/engine/scheduler_testing.h"

namespace minke {
namespace {

using testing::alone;
using testing::Ear;
using testing::Ears;
using testing::kContext;
using testing::model;
using testing::options;
using testing::request;
using testing::run;
using testing::TempFolder;

TEST(Scheduler, WhatIsSaidDependsOnNoCompanionPageOrPreemption) {
  std::vector<EngineRequest> all;
  for (int i = 0; i < 8; ++i) all.push_back(request(40 + 61 * i, i, 6 + 10 * (i % 3)));
  Ears expected;
  for (const auto& r : all) expected.push_back(alone(r));
  for (const int64_t pages : {4, 64}) {
    Scheduler scheduler(model(), options(8, pages));
    const Ears found = run(scheduler, all);
    for (size_t i = 0; i < all.size(); ++i) {
      EXPECT_TRUE(found[i]->same_as(*expected[i])) << pages << " pages, request " << i;
      EXPECT_EQ(found[i]->receipt.reason, FinishReason::kLength);
    }
    EXPECT_EQ(scheduler.stats().pages_in_use, 0);
  }
}

TEST(Scheduler, SequencesThatOutgrowTheCacheBeginAnewAndSayTheSame) {
  std::vector<EngineRequest> all;
  for (int i = 0; i < 3; ++i) all.push_back(request(200, i, 200));
  Ears expected;
  for (const auto& r : all) expected.push_back(alone(r));
  // Each needs two pages in the end; there are four.
  Scheduler scheduler(model(), options(3, 4));
  const Ears found = run(scheduler, all);
  EXPECT_GT(scheduler.stats().preempted, 0);
  for (size_t i = 0; i < all.size(); ++i) EXPECT_TRUE(found[i]->same_as(*expected[i])) << i;
}

TEST(Scheduler, KnownPrefixesAreNotComputedAgainAndChangeNothing) {
  const EngineRequest first = request(700, 1, 5);
  EngineRequest longer = first;
  for (int i = 0; i < 100; ++i) longer.prompt.push_back(3 + i);
  const auto expected = alone(longer);
  Scheduler scheduler(model(), options(2));
  run(scheduler, {first});
  const auto again = run(scheduler, {first})[0];
  EXPECT_EQ(again->cached_tokens, 699);
  const auto found = run(scheduler, {longer})[0];
  EXPECT_EQ(found->cached_tokens, 700);
  EXPECT_TRUE(found->same_as(*expected));
  EngineRequest stranger = first;
  stranger.owner = "somebody else";
  EXPECT_EQ(run(scheduler, {stranger})[0]->cached_tokens, 0);
  scheduler.weights_changed();
  EXPECT_EQ(run(scheduler, {first})[0]->cached_tokens, 0);
}

TEST(Scheduler, ChoicesOfOnePromptComputeItOnce) {
  std::vector<EngineRequest> all;
  for (int i = 0; i < 6; ++i) {
    all.push_back(request(300, 1, 8));
    all.back().options.sampling.seed = static_cast<uint64_t>(i);
  }
  Scheduler scheduler(model(), options(8));
  const Ears found = run(scheduler, all);
  EXPECT_EQ(scheduler.stats().prompt_tokens, 300 + 5);
  for (size_t i = 0; i < all.size(); ++i) EXPECT_TRUE(found[i]->same_as(*alone(all[i])));
}

TEST(Scheduler, PrefixesSurviveInAFolder) {
  const TempFolder folder;
  EngineOptions o = options(2);
  o.store = folder / "pages";
  o.store_bytes = int64_t{1} << 30;
  o.store_name = "weights 1";
  const EngineRequest r = request(700, 1, 5);
  const auto expected = alone(r);
  {
    Scheduler scheduler(model(), o);
    run(scheduler, {r});
  }
  {
    Scheduler scheduler(model(), o);
    const auto found = run(scheduler, {r})[0];
    // Of the 188 tokens behind two whole pages, 128.
    EXPECT_EQ(found->cached_tokens, 640);
    EXPECT_EQ(scheduler.stats().stored_pages, 3);
    EXPECT_TRUE(found->same_as(*expected));
    // The rest is computed, kept in memory, and more than the folder's part.
    EXPECT_EQ(run(scheduler, {r})[0]->cached_tokens, 699);
  }
  {
    // What is known in memory ends within the page that the folder has.
    Scheduler scheduler(model(), o);
    EngineRequest beginning = r;
    beginning.prompt.resize(530);
    run(scheduler, {beginning});
    const auto found = run(scheduler, {r})[0];
    EXPECT_EQ(found->cached_tokens, 640);
    EXPECT_TRUE(found->same_as(*expected));
    beginning.prompt.resize(100);
    EXPECT_EQ(run(scheduler, {beginning})[0]->cached_tokens, 99);
  }
  o.store_name = "weights 2";
  Scheduler scheduler(model(), o);
  EXPECT_EQ(run(scheduler, {r})[0]->cached_tokens, 0);
}

TEST(Scheduler, ScoresOfAPromptAreThoseOfItsTokens) {
  EngineRequest r = request(150, 4, 1, 0);
  r.score_prompt = true;
  const auto found = alone(r);
  ASSERT_EQ(found->scores.size(), 149U);
  ASSERT_EQ(found->tokens.size(), 1U);
  Session session(model(), options(1).session);
  session.score(r.prompt, Phase::kPrefill, [&](int64_t i, std::span<const float> logits) {
    if (i + 1 == 150) return;
    const auto next = static_cast<size_t>(r.prompt[static_cast<size_t>(i) + 1]);
    double total = 0;
    for (const float logit : logits) total += std::exp(static_cast<double>(logit));
    const EngineToken& score = found->scores[static_cast<size_t>(i)];
    EXPECT_EQ(score.id, static_cast<int32_t>(next));
    EXPECT_NEAR(score.log_probability, logits[next] - std::log(total), 1e-4);
    EXPECT_EQ(score.top.size(), 3U);
    EXPECT_GE(score.top[0].log_probability, score.top[1].log_probability);
  });
  // Among others, and with nothing generated.
  r.generate = false;
  Scheduler scheduler(model(), options(4, 8));
  const Ears ears = run(scheduler, {request(300, 1, 30), r, request(90, 2, 30)});
  EXPECT_TRUE(ears[1]->tokens.empty());
  EXPECT_TRUE(std::equal(ears[1]->scores.begin(), ears[1]->scores.end(), found->scores.begin(),
                         found->scores.end(), [](const EngineToken& a, const EngineToken& b) {
                           return a.id == b.id && a.log_probability == b.log_probability;
                         }));
}

TEST(Scheduler, WhatAPromptHasComputedIsKnownBeforeItsEnd) {
  EngineOptions o = options(2);
  o.session.prefill_chunk = 100;
  o.interactive = false;
  Scheduler scheduler(model(), o);
  const EngineRequest r = request(900, 1, 5);
  const auto ear = std::make_shared<Ear>();
  scheduler.submit(1, r, ear);
  for (int pass = 0; pass < 6; ++pass) scheduler.step();
  EXPECT_EQ(scheduler.stats().prompt_tokens, 600);
  scheduler.cancel(1);
  const auto found = run(scheduler, {r})[0];
  EXPECT_EQ(found->cached_tokens, 512);
  EXPECT_TRUE(found->same_as(*alone(r)));
}

// Those that all sequences take.
int64_t passes(Scheduler& scheduler) {
  int64_t count = 0;
  while (scheduler.step()) ++count;
  return count;
}

TEST(Scheduler, TailsBehindAKnownBeginningShareAPass) {
  EngineOptions o = options(16);
  o.session.prefill_chunk = 1024;
  o.interactive = false;
  Scheduler scheduler(model(), o);
  Ears ears;
  for (int i = 0; i < 16; ++i) {
    EngineRequest r = request(600, 1, 1);
    for (int t = 0; t < 30; ++t) r.prompt.push_back(2 + (7 * t + 11 * i) % 250);
    ears.push_back(std::make_shared<Ear>());
    scheduler.submit(i, std::move(r), ears.back());
  }
  // The first computes the beginning for all, then come fifteen tails.
  EXPECT_EQ(passes(scheduler), 2);
  for (int i = 1; i < 16; ++i) EXPECT_EQ(ears[static_cast<size_t>(i)]->cached_tokens, 600) << i;
  EXPECT_EQ(scheduler.stats().prompt_tokens, 630 + 15 * 30);
}

TEST(Scheduler, PagesInUseAreThoseThatSequencesHoldEachOnce) {
  Scheduler scheduler(model(), options(3));
  run(scheduler, {request(700, 1, 1), request(500, 2, 1)});
  EXPECT_EQ(scheduler.stats().pages_in_use, 0);
  for (int i = 0; i < 2; ++i) {
    EngineRequest r = request(700, 1, 10);
    r.options.sampling.seed = static_cast<uint64_t>(i);
    scheduler.submit(i, std::move(r), std::make_shared<Ear>());
  }
  scheduler.step();
  // Two pages in common, and one for the rest of each.
  EXPECT_EQ(scheduler.stats().running, 2);
  EXPECT_EQ(scheduler.stats().pages_in_use, 4);
}

TEST(Scheduler, APromptAloneEndsWithoutAToken) {
  Scheduler scheduler(model(), options(2));
  EngineRequest r = request(300, 1, 0);
  r.generate = false;
  const Ears ears = run(scheduler, {r, request(40, 2, 3)});
  EXPECT_TRUE(ears[0]->tokens.empty());
  EXPECT_EQ(ears[0]->receipt.reason, FinishReason::kLength);
  EXPECT_EQ(scheduler.stats().generated_tokens, 3);
  EXPECT_EQ(run(scheduler, {r})[0]->cached_tokens, 299);
}

TEST(Scheduler, CallersTakeTurnsWhateverTheyCallThemselves) {
  Scheduler scheduler(model(), options(2));
  Ears ears;
  for (int i = 0; i < 6; ++i) {
    EngineRequest r = request(20, i, 10);
    r.caller = i < 5 ? "busy" : "rare";
    r.owner = r.caller + std::to_string(i);
    ears.push_back(std::make_shared<Ear>());
    scheduler.submit(i, std::move(r), ears.back());
  }
  scheduler.step();
  EXPECT_EQ(ears[0]->starts, 1);
  EXPECT_EQ(ears[5]->starts, 1) << "the other place goes to whoever has none";
  EXPECT_EQ(ears[1]->starts, 0);
}

TEST(Scheduler, CancelledRequestsEndAndOthersGoOn) {
  Scheduler scheduler(model(), options(2));
  Ears ears;
  for (int i = 0; i < 4; ++i) {
    ears.push_back(std::make_shared<Ear>());
    scheduler.submit(i, request(30, i, 30), ears.back());
  }
  scheduler.step();
  scheduler.cancel(0);
  scheduler.cancel(3);
  scheduler.cancel(99);
  while (scheduler.step()) {
  }
  EXPECT_EQ(ears[0]->receipt.reason, FinishReason::kCancelled);
  EXPECT_EQ(ears[3]->receipt.reason, FinishReason::kCancelled);
  EXPECT_EQ(ears[1]->tokens.size(), 30U);
  EXPECT_EQ(ears[2]->tokens.size(), 30U);
}

// Allows one id, then another, and so on.
class Dictated : public TokenConstraint {
 public:
  explicit Dictated(std::vector<int32_t> ids) : ids_(std::move(ids)) {}
  void allowed(std::span<uint64_t> bits) override {
    const auto id = static_cast<size_t>(ids_[at_]);
    bits[id / 64] |= uint64_t{1} << (id % 64);
  }
  void accept(int32_t id) override {
    EXPECT_EQ(id, ids_[at_]);
    ++at_;
  }

 private:
  std::vector<int32_t> ids_;
  size_t at_ = 0;
};

TEST(Scheduler, ConstraintsAreKept) {
  EngineRequest r = request(30, 1, 5);
  r.constraint = std::make_shared<Dictated>(std::vector<int32_t>{7, 99, 7, 250, 3});
  const auto found = alone(r);
  std::vector<int32_t> ids;
  for (const auto& t : found->tokens) ids.push_back(t.id);
  EXPECT_EQ(ids, std::vector<int32_t>({7, 99, 7, 250, 3}));
}

TEST(Scheduler, ASequenceThatCannotGoOnFailsAlone) {
  EngineRequest impossible = request(30, 1, 5);
  impossible.options.allowed.assign(static_cast<size_t>(model().facts().vocab), false);
  Scheduler scheduler(model(), options(2));
  const Ears ears = run(scheduler, {impossible, request(30, 2, 5)});
  EXPECT_NE(ears[0]->failure, "");
  EXPECT_EQ(ears[1]->tokens.size(), 5U);
}

// A model for which there is no memory where a pass has a certain token.
class ShortOfMemory : public Model {
 public:
  static constexpr int32_t kTooMuch = 4000;
  ShortOfMemory() { facts_ = model().facts(); }
  void visit_config(ConfigVisitor& /*v*/) override {}
  void visit(WeightVisitor& /*v*/) override {}
  Tensor hidden(Context& context, const Batch& batch) const override {
    if (std::ranges::find(batch.tokens, kTooMuch) != batch.tokens.end()) throw std::bad_alloc();
    return model().hidden(context, batch);
  }
  const Tensor& head() const override { return model().head(); }
};

TEST(Scheduler, APassThatCannotBeEndsOnlyThoseThatWereInIt) {
  const ShortOfMemory narrow;
  Scheduler scheduler(narrow, options(2));
  const auto other = std::make_shared<Ear>();
  scheduler.submit(0, request(30, 1, 20), other);
  scheduler.step();
  EngineRequest r = request(30, 2, 5);
  r.prompt[3] = ShortOfMemory::kTooMuch;
  EXPECT_NE(run(scheduler, {r})[0]->failure, "");
  EXPECT_TRUE(other->same_as(*alone(request(30, 1, 20))));
  EXPECT_EQ(scheduler.stats().pages_in_use, 0);
}

TEST(Scheduler, RefusesWhatCannotBe) {
  Scheduler scheduler(model(), options(2));
  EngineRequest r = request(kContext + 1, 1, 1);
  EXPECT_THROW(scheduler.check(r), Error);
  r.prompt.clear();
  EXPECT_THROW(scheduler.check(r), Error);
  r.prompt = {-1};
  EXPECT_THROW(scheduler.check(r), Error);
  r = request(3, 1, 1);
  const auto vocab = static_cast<int32_t>(model().facts().vocab);
  for (const int32_t id : {-1, vocab}) {
    r.options.sampling.logit_bias = {{vocab - 1, 1.0f}, {id, 1.0f}};
    EXPECT_THROW(scheduler.check(r), Error);
  }
  r.options.sampling.logit_bias.pop_back();
  scheduler.check(r);
  EngineOptions small = options(2, 1);
  EXPECT_THROW(Scheduler(model(), small), Error);
}

TEST(Engine, ServesManyThreadsAndDrains) {
  EngineOptions o = options(4);
  o.queue = 64;
  Engine engine(model(), o);
  std::vector<EngineRequest> all;
  for (int i = 0; i < 12; ++i) all.push_back(request(20 + 5 * i, i, 12));
  Ears ears(all.size());
  std::vector<std::thread> clients;
  for (size_t c = 0; c < 3; ++c) {
    clients.emplace_back([&, c] {
      for (size_t i = c; i < all.size(); i += 3) {
        ears[i] = std::make_shared<Ear>();
        engine.submit(all[i], ears[i]);
      }
    });
  }
  for (auto& client : clients) client.join();
  EXPECT_TRUE(engine.drain(120));
  EXPECT_THROW(engine.submit(all[0], std::make_shared<Ear>()), Engine::Refused);
  for (size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(ears[i]->ends, 1);
    EXPECT_TRUE(ears[i]->same_as(*alone(all[i]))) << i;
  }
}

TEST(Engine, AFullQueueRefuses) {
  EngineOptions o = options(1);
  o.queue = 2;
  auto engine = std::make_unique<Engine>(model(), o);
  Ears ears;
  int refused = 0;
  for (int i = 0; i < 8; ++i) {
    ears.push_back(std::make_shared<Ear>());
    try {
      engine->submit(request(500, i, 400), ears.back());
    } catch (const Engine::Refused&) {
      ++refused;
      ears.pop_back();
    }
  }
  // One of them may have begun; two wait.
  EXPECT_GE(refused, 5);
  engine.reset();
  for (const auto& ear : ears) EXPECT_EQ(ear->ends, 1);
}

}  // namespace
}  // namespace minke
