#include "learn/rl/prompts.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "base/core/error.h"
#include "learn/train/train_testing.h"
#include "model/families/bundle.h"

namespace minke {
namespace {

TEST(PromptOrder, NewQuestionsInTurn) {
  PromptOrder order(0.1);
  EXPECT_EQ(order.next(3), (std::vector<uint64_t>{0, 1, 2}));
  EXPECT_EQ(order.next(2), (std::vector<uint64_t>{3, 4}));
}

TEST(PromptOrder, EasyOnesComeBackAtTheirShare) {
  PromptOrder order(0.25);
  for (uint64_t n = 1000; n < 1010; ++n) order.note_easy(n);
  const auto numbers = order.next(16);
  EXPECT_EQ(std::ranges::count_if(numbers, [](uint64_t n) { return n >= 1000; }), 4);
  EXPECT_EQ(numbers[3], 1000u);  // the one that has waited longest
  EXPECT_EQ(std::set(numbers.begin(), numbers.end()).size(), 16u);
}

TEST(PromptOrder, GoesOnFromJson) {
  PromptOrder order(0.3);
  order.next(5);
  for (uint64_t n = 0; n < 300; ++n) order.note_easy(n);
  PromptOrder again(0.3);
  again.from_json(order.json(), "here");
  EXPECT_EQ(again.json(), order.json());
  EXPECT_EQ(again.next(40), order.next(40));
  EXPECT_EQ(again.json(), order.json());
  for (const char* bad : {"", "{}", "[]", "{\"next\":-1,\"owed\":0,\"easy\":[]}",
                          "{\"next\":\"1\",\"owed\":0,\"easy\":[]}"}) {
    EXPECT_THROW(again.from_json(bad, "here"), Error) << bad;
  }
}

Recipe recipe_with(const std::string& sections) {
  return parse_recipe("[model]\nfrom = \"m\"\n[schedule]\nsteps = 1\n" + sections, "r.toml");
}

TEST(PromptSource, ProblemsOfTheRecipeThatMayBeTrainedOn) {
  const testing::TinyRuns runs;
  const auto tokenizer = load_tokenizer(runs.folder() / "tokenizer");
  const DocumentEncoder encoder(*tokenizer);
  const auto source = prompt_source(
      recipe_with("[data]\ntasks = [\"sums\", \"dates\"]\nlanguages = [\"de\", \"zh\"]\nlevels = "
                  "[2, 3]\n[grpo]\n"),
      encoder);
  std::set<std::string> seen;
  for (uint64_t n = 0; n < 60; ++n) {
    const Question q = source->question(n);
    EXPECT_EQ(q.text, source->question(n).text);
    EXPECT_TRUE(q.accepts(q.expected)) << q.text << "\n" << q.expected;
    EXPECT_TRUE(q.level == 2 || q.level == 3);
    seen.insert(q.task + "/" + std::string(language_code(q.language)));
  }
  EXPECT_EQ(seen, (std::set<std::string>{"dates/de", "dates/zh", "sums/de", "sums/zh"}));
}

TEST(PromptSource, QuestionsOfAFileComeInTurns) {
  const testing::TinyRuns runs;
  const auto tokenizer = load_tokenizer(runs.folder() / "tokenizer");
  const DocumentEncoder encoder(*tokenizer);
  std::string lines;
  for (int i = 0; i < 5; ++i) {
    lines += fmt::format(
        "{{\"question\":\"How much is {0}?\",\"answer\":\"{0}\",\"checker\":\"integer\"}}\n", i);
  }
  const auto path = runs.folder().file("q.jsonl", lines);
  const auto source = prompt_source(
      recipe_with(fmt::format("[grpo]\nquestions = \"{}\"\n", path.string())), encoder);
  for (int round = 0; round < 3; ++round) {
    std::set<std::string> texts;
    for (int i = 0; i < 5; ++i) {
      const Question q = source->question(static_cast<uint64_t>(round * 5 + i));
      texts.insert(q.text);
      EXPECT_TRUE(q.accepts("\\boxed{" + q.text.substr(12, 1) + "}"));
      EXPECT_FALSE(q.accepts("\\boxed{9}"));
    }
    EXPECT_EQ(texts.size(), 5u);
  }
  EXPECT_THROW(prompt_source(recipe_with("[grpo]\nquestions = \"/none.jsonl\"\n"), encoder), Error);
}

}  // namespace
}  // namespace minke
