#include "serve/access/batch/batch_input.h"

#include <gtest/gtest.h>

namespace minke {
namespace {

constexpr const char* kUrl = "/v1/chat/completions";

std::string line(const std::string& id, const std::string& body = "{}") {
  return R"({"custom_id":")" + id + R"(","method":"POST","url":"/v1/chat/completions","body":)" +
         body + "}\n";
}

struct Outcome {
  std::vector<BatchInputLine> lines;
  std::vector<std::string> faults;  // "3 duplicate_custom_id custom_id"
};

Outcome read(const std::string& text, size_t piece = 1 << 20, BatchInputLimits limits = {}) {
  BatchInput input(kUrl, limits);
  Outcome outcome;
  const auto each = [&](const BatchInputLine& found) { outcome.lines.push_back(found); };
  for (size_t at = 0; at < text.size(); at += piece) {
    input.feed(std::string_view(text).substr(at, piece), each);
  }
  input.finish(each);
  for (const BatchFault& fault : input.faults()) {
    EXPECT_NE(fault.message, "");
    outcome.faults.push_back(std::to_string(fault.line) + " " + fault.code + " " + fault.param);
  }
  return outcome;
}

using Faults = std::vector<std::string>;

TEST(BatchInput, GivesLinesWithTheirBodies) {
  const Outcome outcome = read(line("a", R"({ "x": [1, 2.5, "é\n"] })") + line("b"));
  EXPECT_EQ(outcome.faults, Faults{});
  ASSERT_EQ(outcome.lines.size(), 2u);
  EXPECT_EQ(outcome.lines[0].custom_id, "a");
  EXPECT_EQ(outcome.lines[0].body, R"({"x":[1,2.5,"é\n"]})");
  EXPECT_EQ(outcome.lines[1].number, 2);
}

TEST(BatchInput, DoesNotDependOnHowItIsCut) {
  const std::string text = line("a") + line("b", R"({"k":"v"})") + line("a") + "x\n" + line("d");
  const Outcome whole = read(text);
  EXPECT_EQ(whole.faults, (Faults{"3 duplicate_custom_id custom_id", "4 invalid_json_line "}));
  for (size_t piece = 1; piece < 200; piece += 7) {
    const Outcome cut = read(text, piece);
    EXPECT_EQ(cut.faults, whole.faults);
    ASSERT_EQ(cut.lines.size(), 3u);
    EXPECT_EQ(cut.lines[1].body, R"({"k":"v"})");
  }
}

TEST(BatchInput, TheEndMayBeEmpty) {
  EXPECT_EQ(read(line("a") + "\r\n \n\n").faults, Faults{});
  std::string open = line("a");
  open.pop_back();
  EXPECT_EQ(read(open).lines.size(), 1u);
  EXPECT_EQ(read(line("a") + "\n\n" + line("b")).faults, Faults{"2 invalid_json_line "});
  EXPECT_EQ(read("").faults, Faults{"0 empty_file "});
  EXPECT_EQ(read("\n\n").faults, Faults{"0 empty_file "});
}

TEST(BatchInput, NamesWhatIsWrongAndWhere) {
  const std::string good = line("good");
  const std::string tail = R"(,"method":"POST","url":"/v1/chat/completions","body":{}})";
  const std::pair<std::string, Faults> faults[] = {
      {"[]", {"2 invalid_json_line "}},
      {"{", {"2 invalid_json_line "}},
      {"{\"custom_id\":\"\xff\"" + tail, {"2 invalid_json_line "}},
      {"{}",
       {"2 missing_required_parameter custom_id", "2 missing_required_parameter method",
        "2 missing_required_parameter url", "2 invalid_body body"}},
      {R"({"custom_id":5)" + tail, {"2 invalid_type custom_id"}},
      {R"({"custom_id":"")" + tail, {"2 invalid_custom_id custom_id"}},
      {R"({"custom_id":")" + std::string(257, 'a') + "\"" + tail,
       {"2 invalid_custom_id custom_id"}},
      {R"({"custom_id":"b","method":"GET","url":"/v1/chat/completions","body":{}})",
       {"2 invalid_method method"}},
      {R"({"custom_id":"b","method":"POST","url":"/v1/files","body":{}})", {"2 invalid_url url"}},
      {R"({"custom_id":"b","method":"POST","url":"/v1/chat/completions","body":[]})",
       {"2 invalid_body body"}},
      {std::string(3000, '['), {"2 invalid_json_line "}},
  };
  for (const auto& [text, expected] : faults) {
    EXPECT_EQ(read(good + text + "\n" + line("last")).faults, expected) << text;
  }
}

TEST(BatchInput, HasLimits) {
  EXPECT_EQ(read(line("a") + line("b") + line("c"), 50, {.lines = 2, .line_bytes = 1000}).faults,
            Faults{"3 too_many_lines "});
  const std::string exact = line("a");
  const auto bytes = static_cast<int64_t>(exact.size()) - 1;
  EXPECT_EQ(read(exact, 10, {.lines = 2, .line_bytes = bytes}).faults, Faults{});
  EXPECT_EQ(read(exact, 10, {.lines = 2, .line_bytes = bytes - 1}).faults,
            Faults{"1 line_too_long "});
  std::string bad;
  for (int i = 0; i < 500; ++i) bad += "x\n";
  EXPECT_EQ(read(bad).faults.size(), BatchInput::kMostFaults);
}

}  // namespace
}  // namespace minke
