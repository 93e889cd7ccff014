// The table of statuses in docs/api.md.
#include <functional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "serve/api/anthropic/anthropic_request.h"
#include "serve/api/openai/chat_request.h"
#include "serve/api/openai/completions.h"
#include "serve/api/openai/fakes.h"
#include "serve/api/responses/responses_request.h"

namespace minke {
namespace {

struct Format {
  const char* name;
  const char* needed;  // what every request has
  int wrong_value;
  std::function<void(const std::string&)> read;
};

const std::vector<Format>& formats() {
  static const ThinkingSignature signature{ThinkingSignature::Key{}};
  static const std::vector<Format> all = {
      {"chat", R"("messages": [{"role": "user", "content": "x"}])", 422,
       [](const std::string& body) { read_chat_request(body, "m", fake_options(), ""); }},
      {"completions", R"("prompt": "x")", 422,
       [](const std::string& body) { read_completion_request(body, "m", fake_options(), ""); }},
      {"responses", R"("model": "m", "input": "x")", 400,
       [](const std::string& body) { read_responses_request(body); }},
      {"messages",
       R"("model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "x"}])", 400,
       [](const std::string& body) {
         read_anthropic_request(body, signature, AnthropicPurpose::kReply);
       }},
  };
  return all;
}

// 200 if nothing is wrong.
int status_of(const Format& format, const std::string& body) {
  return error_of([&] { format.read(body); }).status;
}

int status_with(const Format& format, const std::string& field) {
  return status_of(format, fmt::format("{{{}, {}}}", format.needed, field));
}

TEST(Statuses, what_is_no_request_is_400_everywhere) {
  for (const Format& format : formats()) {
    for (const char* body : {"", "{", "[]", "3", "{}", "\xff"}) {
      EXPECT_EQ(status_of(format, body), 400) << format.name << ": " << body;
    }
    EXPECT_EQ(status_with(format, R"("seed": 1, "seed": 1)"), 400) << format.name;
    EXPECT_EQ(status_with(format, R"("seed": 1)"), 200) << format.name;
  }
}

TEST(Statuses, a_wrong_type_is_400_everywhere) {
  for (const Format& format : formats()) {
    for (const char* field : {R"("temperature": "1")", R"("stream": 1)", R"("top_p": [])"}) {
      EXPECT_EQ(status_with(format, field), 400) << format.name << ": " << field;
    }
  }
}

TEST(Statuses, a_wrong_value_is_what_the_format_says) {
  for (const Format& format : formats()) {
    for (const char* field : {R"("temperature": 2.5)", R"("temperature": -1)", R"("top_p": 1.5)",
                              R"("seed": 99999999999999999999)"}) {
      EXPECT_EQ(status_with(format, field), format.wrong_value) << format.name << ": " << field;
    }
  }
  const std::string user = fmt::format(R"("user": "{}")", std::string(2000, 'u'));
  for (const size_t i : {0, 1, 2}) {
    EXPECT_EQ(status_with(formats()[i], user), formats()[i].wrong_value) << formats()[i].name;
  }
  EXPECT_EQ(status_with(formats()[0], R"("tool_choice": "perhaps")"), 422);
  EXPECT_EQ(status_with(formats()[2], R"("tool_choice": "perhaps")"), 400);
  EXPECT_EQ(status_with(formats()[3], R"("tool_choice": {"type": "perhaps"})"), 400);
}

TEST(Statuses, what_cannot_be_honoured_is_400_everywhere) {
  EXPECT_EQ(status_with(formats()[0], R"("audio": {})"), 400);
  EXPECT_EQ(status_with(formats()[1], R"("best_of": 3)"), 400);
  EXPECT_EQ(status_with(formats()[2], R"("previous_response_id": "resp_1")"), 400);
  EXPECT_EQ(status_with(formats()[3], R"("container": "c")"), 400);
}

}  // namespace
}  // namespace minke
