#include "learn/eval/eval_report.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace minke {
namespace {

std::vector<Question> questions() {
  std::vector<Question> all;
  for (const auto& [task, language, level] :
       {std::tuple("sums", Language::kEnglish, 1), std::tuple("sums", Language::kGerman, 2),
        std::tuple("a<b>", Language::kEnglish, 1)}) {
    Question q;
    q.task = task;
    q.language = language;
    q.level = level;
    q.text = "1 < 2?";
    q.expected = "\\boxed{1}";
    q.accepts = [](std::string_view reply) { return reply == "1"; };
    all.push_back(q);
  }
  return all;
}

TEST(EvalReport, TablesHoldSharesByCell) {
  const auto asked = questions();
  Scoreboard board(asked, 1, 1);
  board.add(0, {"", "1", 10, false});
  board.add(2, {"hm", "<script>", 20, true});
  const auto tables = eval_tables(board);
  ASSERT_EQ(tables.size(), 3u);
  EXPECT_EQ(table_text(tables[0]),
            "Accuracy by language, %\n"
            "task     en  de    all           95 %\n"
            "sums  100.0   -  100.0  20.7 to 100.0\n"
            "a<b>    0.0   -    0.0    0.0 to 79.3\n"
            "all    50.0   -   50.0    9.5 to 90.5\n");
  EXPECT_EQ(tables[1].head,
            (std::vector<std::string>{"task", "level 1", "level 2", "all", "95 %"}));
  EXPECT_EQ(tables[2].rows.back(),
            (std::vector<std::string>{"all", "2", "50.0", "9.5 to 90.5", "100.0", "15.0", "50.0"}));
  EXPECT_EQ(wrong_text(board, board.wrong()[0]),
            "1 < 2?\n<think>\nhm\n</think>\nreply, cut: <script>\nexpected: \\boxed{1}\n");
}

TEST(EvalReport, JsonHoldsEveryCell) {
  const auto asked = questions();
  Scoreboard board(asked, 2, 1);
  for (const char* reply : {"1", "2"}) board.add(0, {"we add", reply, 10, false});
  const auto json = eval_json(board);
  EXPECT_EQ(json["questions"], 1);
  EXPECT_EQ(json["complete"], false);
  EXPECT_EQ(json["accuracy"], 0.5);
  EXPECT_EQ(json["pass_at"]["2"], 1.0);
  ASSERT_EQ(json["cells"].size(), 3u);
  EXPECT_EQ(json["cells"][1]["language"], "de");
  EXPECT_TRUE(json["cells"][1]["accuracy"].is_null());
  EXPECT_EQ(json["thinking_in_language"], 1.0);
  EXPECT_TRUE(json["cells"][1]["thinking_in_language"].is_null());
  EXPECT_EQ(json["wrong"][0]["reply"], "2");
  const EvalTable passed = eval_tables(board)[2];
  EXPECT_EQ(passed.head, (std::vector<std::string>{"task", "k = 1", "k = 2", "95 % of k = 2"}));
  const Interval interval = board.all().pass_interval(1);
  EXPECT_EQ(json["pass_at_interval"]["2"], nlohmann::json({interval.low, interval.high}));
  EXPECT_GT(interval.high - interval.low, 0);
}

TEST(EvalReport, PagesAreEscaped) {
  const auto asked = questions();
  Scoreboard board(asked, 1, 1);
  board.add(0, {"", "<script>\xff", 10, false});
  const std::string page = eval_page(board, "a&b", {{"model", "<i>"}});
  EXPECT_EQ(page.find("<script>"), std::string::npos);
  EXPECT_EQ(page.find("<i>"), std::string::npos);
  EXPECT_NE(page.find("<title>a&amp;b</title>"), std::string::npos);
  EXPECT_NE(page.find("a&lt;b&gt;"), std::string::npos);
  EXPECT_NE(page.find("&lt;script&gt;\\xff"), std::string::npos);
}

}  // namespace
}  // namespace minke
