#include "learn/data/text_files.h"

#include <gtest/gtest.h>

#include "learn/data/data_testing.h"

namespace minke {
namespace {

using testing::error_of;
using testing::TempFolder;

std::vector<TextRecord> read(const std::string& name, std::string_view content) {
  const TempFolder folder;
  std::vector<TextRecord> records;
  read_texts(folder.file(name, content), [&](const TextRecord& r) {
    records.push_back(r);
    return true;
  });
  return records;
}

std::vector<std::string> texts(const std::string& name, std::string_view content) {
  std::vector<std::string> all;
  for (const TextRecord& record : read(name, content))
    all.push_back(std::get<std::string>(record.content));
  return all;
}

TEST(TextFiles, BlankLinesDivideTexts) {
  using Texts = std::vector<std::string>;
  EXPECT_EQ(texts("a.txt", "one\ntwo\n\n \t\r\nthree"), (Texts{"one\ntwo", "three"}));
  EXPECT_EQ(texts("a.txt", "\n\n  one\r\n\r\n\r\n two \n"), (Texts{"  one", " two "}));
  EXPECT_EQ(texts("a.txt", ""), Texts());
  EXPECT_EQ(texts("a.txt", "\n\n"), Texts());
  const auto records = read("a.txt", "\none\n\ntwo\nthree\n\nfour");
  ASSERT_EQ(records.size(), 3u);
  EXPECT_TRUE(records[0].where.ends_with("/a.txt, line 2"));
  EXPECT_TRUE(records[1].where.ends_with("/a.txt, line 4"));
  EXPECT_TRUE(records[2].where.ends_with("/a.txt, line 7"));
}

TEST(TextFiles, NothingIsReadOnceItIsEnough) {
  const TempFolder folder;
  for (const auto& [name, content] :
       {std::pair{"a.txt", "one\n\ntwo\n\nthree"}, std::pair{"a.jsonl",
                                                             "{\"text\":\"one\"}\n"
                                                             "{\"text\":\"two\"}\n{"}}) {
    int calls = 0;
    read_texts(folder.file(name, content), [&](const TextRecord&) { return ++calls < 2; });
    EXPECT_EQ(calls, 2) << name;
  }
}

TEST(TextFiles, LinesOfJson) {
  const auto records =
      read("a.jsonl", R"({"text": "a\nb", "source": 3})"
                      "\n\n"
                      R"({"messages": [{"role": "system", "content": "s"},)"
                      R"({"role": "user", "content": "q", "reasoning": null},)"
                      R"({"role": "assistant", "content": "a", "reasoning_content": "r"}]})");
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(std::get<std::string>(records[0].content), "a\nb");
  EXPECT_TRUE(records[1].where.ends_with("/a.jsonl, line 3"));
  const auto& messages = std::get<Conversation>(records[1].content).messages;
  ASSERT_EQ(messages.size(), 3u);
  EXPECT_EQ(messages[0].role, Role::kSystem);
  EXPECT_EQ(messages[1].role, Role::kUser);
  EXPECT_EQ(messages[1].content, "q");
  EXPECT_EQ(messages[2].role, Role::kAssistant);
  EXPECT_EQ(messages[2].reasoning, "r");
  EXPECT_EQ(plain_text(records[0]), "a\nb");
  EXPECT_EQ(plain_text(records[1]), "s\nq\nr\na\n");
}

TEST(TextFiles, BadLinesAreNamed) {
  const auto expect = [](const std::string& line, const std::string& says) {
    const std::string error = error_of([&] { read("bad.jsonl", "{\"text\": \"a\"}\n" + line); });
    EXPECT_NE(error.find("/bad.jsonl, line 2"), std::string::npos) << line << ": " << error;
    EXPECT_NE(error.find(says), std::string::npos) << line << ": " << error;
  };
  expect("{\"text\": \"a\"", "");
  expect("nonsense", "");
  expect("{\"text\": \"\xff\"}", "");
  expect("[]", "an object");
  expect("{}", "either \"text\" or \"messages\"");
  expect(R"({"text": "a", "messages": []})", "either \"text\" or \"messages\"");
  expect(R"({"text": ""})", "a text of at least one character");
  expect(R"({"text": 3})", "text");
  expect(R"({"messages": 3})", "messages");
  expect(R"({"messages": [3]})", "messages[0]");
  expect(R"({"messages": [{"role": "user"}]})", "messages[0]: expected a member \"content\"");
  expect(R"({"messages": [{"content": "a"}]})", "messages[0]: expected a member \"role\"");
  expect(R"({"messages": [{"role": "robot", "content": "a"}]})", "\"user\" or \"assistant\"");
  expect(R"({"messages": [{"role": "user", "content": "a", "reasoning": "b"}]})", "reasoning");
  expect(R"({"messages": [{"role": "assistant", "content": "a", "tool_calls": [{}]}]})",
         "no tool calls");
}

TEST(TextFiles, TextsMustBeUtf8) {
  const std::string error = error_of([] { read("bad.txt", "good\n\nab\xff"); });
  EXPECT_NE(error.find("/bad.txt: expected UTF-8 text, found byte 0xff at offset 8"),
            std::string::npos)
      << error;
}

}  // namespace
}  // namespace minke
