#include "learn/eval/scoreboard.h"

#include <cmath>

#include <gtest/gtest.h>

namespace minke {
namespace {

Question question(const std::string& task, Language language, int level) {
  Question q;
  q.task = task;
  q.language = language;
  q.level = level;
  q.accepts = [](std::string_view reply) { return reply == "right"; };
  return q;
}

Reply reply(const std::string& content, int64_t tokens = 10, bool cut = false,
            const std::string& reasoning = "") {
  return {reasoning, content, tokens, cut};
}

TEST(Scoreboard, CountsByCell) {
  const std::vector<Question> questions = {
      question("a", Language::kEnglish, 1), question("a", Language::kChinese, 1),
      question("a", Language::kEnglish, 1), question("b", Language::kEnglish, 2)};
  Scoreboard board(questions, 1, 2);
  ASSERT_EQ(board.cells().size(), 3u);
  board.add(3, reply("wrong", 30, true));
  board.add(0, reply("right", 10, false, "we need"));
  EXPECT_FALSE(board.complete());
  board.add(1, reply("right", 20, false, "so \u9cb8\u9c7c\u9c7c"));
  board.add(2, reply("no"));
  EXPECT_TRUE(board.complete());
  const Tally all = board.all();
  EXPECT_EQ(all.questions, 4);
  EXPECT_DOUBLE_EQ(all.accuracy(), 0.5);
  EXPECT_DOUBLE_EQ(all.pass(0), 0.5);
  EXPECT_DOUBLE_EQ(all.tokens_per_reply(), 17.5);
  EXPECT_DOUBLE_EQ(all.cut_share(), 0.25);
  // Of the Chinese question: three letters of Han among four words.
  EXPECT_DOUBLE_EQ(all.thinking_in_language(), (1 + 1 + 1 + 0.75) / 4);
  const auto english = board.sum([](const Cell& c) { return c.language == Language::kEnglish; });
  EXPECT_EQ(english.questions, 3);
  EXPECT_EQ(english.right, 1);
  EXPECT_EQ(board.cells()[2].task, "b");
  // Nothing was thought.
  EXPECT_DOUBLE_EQ(board.cells()[2].tally.thinking_in_language(), 1);
}

TEST(Scoreboard, AQuestionCountsWithItsLastSample) {
  const std::vector<Question> questions = {question("a", Language::kEnglish, 1),
                                           question("a", Language::kEnglish, 1)};
  Scoreboard board(questions, 6, 0);
  EXPECT_EQ(board.draws(), (std::vector<int64_t>{1, 2, 4, 6}));
  for (int i = 0; i < 5; ++i) board.add(0, reply(i == 0 ? "right" : "wrong"));
  board.add(1, reply("right"));
  EXPECT_EQ(board.all().questions, 0);
  EXPECT_TRUE(std::isnan(board.all().accuracy()));
  board.add(0, reply("wrong"));
  const Tally all = board.all();
  EXPECT_EQ(all.questions, 1);
  EXPECT_DOUBLE_EQ(all.accuracy(), 1.0 / 6);
  EXPECT_DOUBLE_EQ(all.pass(0), 1.0 / 6);
  EXPECT_DOUBLE_EQ(all.pass(1), 1.0 / 3);
  EXPECT_DOUBLE_EQ(all.pass(3), 1);
  EXPECT_TRUE(board.wrong().empty());
}

TEST(Scoreboard, KeepsTheFirstWrongReplies) {
  const std::vector<Question> questions(5, question("a", Language::kEnglish, 1));
  Scoreboard board(questions, 2, 2);
  for (const size_t q : {4, 1, 3, 1, 0, 2}) board.add(q, reply("wrong", static_cast<int64_t>(q)));
  ASSERT_EQ(board.wrong().size(), 2u);
  EXPECT_EQ(board.wrong()[0].question, 0u);
  EXPECT_EQ(board.wrong()[1].question, 1u);
  EXPECT_EQ(board.wrong()[1].reply.tokens, 1);
}

}  // namespace
}  // namespace minke
