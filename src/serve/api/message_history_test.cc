#include "serve/api/message_history.h"

#include "serve/api/scripted_turn_test.h"

namespace minke {
namespace {

using scripted::refusal_of;
using Turns = MessageHistory::Turns;

// Ids to name calls by: id("a") is the string "a" at the place "a".
class Ids {
 public:
  JsonField operator()(std::string_view name) const { return body_.root().need(name); }

 private:
  RequestBody body_ = RequestBody::parse(R"({"a": "a", "b": "b", "c": "c"})");
};

TEST(MessageHistory, PutsResultsInTheOrderOfTheirCalls) {
  const Ids id;
  MessageHistory history(Turns::kApart);
  history.say(Role::kUser, "q");
  history.think("hm");
  history.say(Role::kAssistant, "one");
  history.call(id("a"), {"f", "{}"});
  history.call(id("b"), {"g", "{}"});
  history.say(Role::kAssistant, "two");
  history.result(id("b"), "B");
  history.result(id("a"), "A");
  history.call(id("a"), {"h", "{}"});  // ids count within a turn
  history.result(id("a"), "C");
  const auto messages = history.finish();
  ASSERT_EQ(messages.size(), 6u);
  EXPECT_EQ(messages[1].role, Role::kAssistant);
  EXPECT_EQ(messages[1].reasoning, "hm");
  EXPECT_EQ(messages[1].content, "one\ntwo");
  EXPECT_EQ(messages[1].tool_calls, (std::vector<ToolCall>{{"f", "{}"}, {"g", "{}"}}));
  EXPECT_EQ(messages[2].role, Role::kTool);
  EXPECT_EQ(messages[2].content, "A");
  EXPECT_EQ(messages[3].content, "B");
  EXPECT_EQ(messages[4].tool_calls, (std::vector<ToolCall>{{"h", "{}"}}));
  EXPECT_EQ(messages[5].content, "C");
}

TEST(MessageHistory, JoinsTurnsWhereTheFormatSaysSo) {
  for (const Turns turns : {Turns::kApart, Turns::kJoined}) {
    MessageHistory history(turns);
    history.say(Role::kUser, "x");
    history.say(Role::kUser, "y");
    const auto messages = history.finish();
    ASSERT_EQ(messages.size(), turns == Turns::kJoined ? 1u : 2u);
    EXPECT_EQ(messages[0].content, turns == Turns::kJoined ? "x\ny" : "x");
  }
}

TEST(MessageHistory, RefusesCallsAndResultsThatDoNotPair) {
  const Ids id;
  const auto begun = [&] {
    MessageHistory history(Turns::kApart);
    history.call(id("a"), {"f", "{}"});
    history.call(id("b"), {"f", "{}"});
    return history;
  };
  MessageHistory history = begun();
  EXPECT_EQ(refusal_of([&] {
              history.call(id("a"), {"f", "{}"});
            }).message,
            "a: two calls have this id");
  history = begun();
  EXPECT_EQ(refusal_of([&] { history.result(id("c"), ""); }).param, "c");
  history = begun();
  history.result(id("a"), "");
  EXPECT_EQ(refusal_of([&] { history.result(id("a"), ""); }).message,
            "a: two results have this id");
  EXPECT_EQ(refusal_of([&] { history.say(Role::kAssistant, "x"); }).param, "b");
  history = begun();
  EXPECT_EQ(refusal_of([&] { history.say(Role::kUser, "x"); }).param, "a");
  history = begun();
  EXPECT_EQ(refusal_of([&] { history.finish(); }).message,
            "a: expected a result of this call behind it, found none");
}

}  // namespace
}  // namespace minke
