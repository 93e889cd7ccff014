#include "serve/api/message_fields.h"

#include <limits>

#include "serve/api/scripted_turn_test.h"

namespace minke {
namespace {

using scripted::refusal_of;

ApiError refusal_of_body(std::string_view body) {
  return refusal_of([&] { MessageBody::parse(body); });
}

// What reading `member` of `body` by `read` refuses.
template <typename Read>
ApiError refusal_in(std::string_view body, std::string_view member, Read read) {
  const MessageBody parsed = MessageBody::parse(body);
  return refusal_of([&] { read(parsed.root().need(member)); });
}

TEST(MessageBody, RefusesWhatIsNoObject) {
  EXPECT_EQ(refusal_of_body("").status, 400);
  EXPECT_EQ(refusal_of_body("[1]").message, "the request body: expected an object, found an array");
  const std::string fault = refusal_of_body(R"({"a": 1,})").message;
  EXPECT_NE(fault.find("the request body: not valid JSON: line 1, byte 8"), fault.npos) << fault;
  EXPECT_EQ(refusal_of_body(R"({"a": "\ud800"})").status, 400);
  EXPECT_EQ(refusal_of_body("{\"a\": \"\xff\"}").status, 400);
  EXPECT_EQ(refusal_of_body(R"({"a": 1e999})").status, 400);
  EXPECT_EQ(refusal_of_body(std::string(100'000, '[')).status, 400);
}

TEST(MessageBody, RefusesMembersThatStandTwice) {
  const ApiError error = refusal_of_body(R"({"a": [0, {"b": 1, "c": 2, "b": 1}]})");
  EXPECT_EQ(error.param, "a[1].b");
  EXPECT_EQ(error.message, "a[1].b: this member stands there twice");
  EXPECT_EQ(refusal_of_body(R"({"a": 1, "\u0061": 1})").param, "a");
}

TEST(MessageBody, TellsUnknownMembersThatSaySomething) {
  const MessageBody body = MessageBody::parse(R"({"a": 1, "b": null, "c": false})");
  const std::vector<std::string_view> known = {"a"};
  EXPECT_EQ(body.unknown(known), std::vector<std::string>{"c"});
}

TEST(MessageField, NullIsAbsent) {
  const MessageBody body = MessageBody::parse(R"({"a": null})");
  EXPECT_FALSE(body.root().get("a"));
  EXPECT_FALSE(body.root().get("b"));
  EXPECT_EQ(refusal_of([&] { body.root().need("a"); }).message, "a: expected a value, found none");
}

TEST(MessageField, NamesTheWayInItsErrors) {
  const MessageBody body = MessageBody::parse(R"({"a": [{"b": 7}]})");
  const auto items = body.root().need("a").items(1);
  const ApiError error = refusal_of([&] { items[0].need("b").text(); });
  EXPECT_EQ(error.status, 400);
  EXPECT_EQ(error.param, "a[0].b");
  EXPECT_EQ(error.message, "a[0].b: expected a string, found 7");
}

TEST(MessageField, ReadsIntegersInTheirRange) {
  const MessageBody body =
      MessageBody::parse(R"({"whole": 3.0, "part": 3.5, "big": 9223372036854775808, "t": "3"})");
  const MessageField root = body.root();
  EXPECT_EQ(root.need("whole").integer(3, 3), 3);
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  for (const char* member : {"part", "big", "t"}) {
    EXPECT_EQ(refusal_of([&] { root.need(member).integer(0, kMost); }).param, member);
  }
  EXPECT_EQ(refusal_of([&] { root.need("whole").integer(4, 9); }).message,
            "whole: expected an integer from 4 to 9, found 3.0");
  EXPECT_EQ(root.need("part").number(3, 4), 3.5);
  EXPECT_EQ(refusal_of([&] { root.need("part").number(0, 2); }).message,
            "part: expected a number from 0 to 2, found 3.5");
}

TEST(MessageField, BoundsTextsListsAndNames) {
  const auto words = [](const MessageField& field) {
    constexpr std::string_view kWords[] = {"x", "y"};
    field.word(kWords);
  };
  EXPECT_EQ(refusal_in(R"({"a": "z"})", "a", words).message,
            R"(a: expected one of "x", "y", found "z")");
  EXPECT_EQ(refusal_in(R"({"a": "zzz"})", "a", [](const auto& a) { a.text(1, 2); }).message,
            "a: expected 1 to 2 bytes, found 3");
  EXPECT_EQ(refusal_in(R"({"a": [1, 2]})", "a", [](const auto& a) { a.items(1); }).message,
            "a: expected at most 1 elements");
  EXPECT_EQ(refusal_in(R"({"a": {"b": 1, "c": 1}})", "a", [](const auto& a) { a.named_members(1); })
                .message,
            "a: expected at most 1 members");
  for (const char* name : {R"({"a": "x y"})", R"({"a": ""})", R"({"a": "x\u0000"})"}) {
    EXPECT_EQ(refusal_in(name, "a", [](const auto& a) { a.name(); }).param, "a");
  }
}

TEST(ReadTexts, JoinsPartsByLinesAndRefusesOtherTypes) {
  constexpr std::string_view kTypes[] = {"text"};
  const auto read = [&](std::string_view body) {
    return read_texts(MessageBody::parse(body).root().need("a"), kTypes);
  };
  EXPECT_EQ(read(R"({"a": "x"})"), "x");
  EXPECT_EQ(read(R"({"a": []})"), "");
  EXPECT_EQ(read(R"({"a": [{"type": "text", "text": ""}, {"type": "text", "text": "y"}]})"), "\ny");
  const ApiError error = refusal_of([&] { read(R"({"a": [{"type": "image", "text": ""}]})"); });
  EXPECT_EQ(error.param, "a[0].type");
  EXPECT_EQ(error.message,
            "a[0].type: the model reads text alone: contents of type \"image\" are "
            "not supported");
}

TEST(ReadSampling, HasTheDefaultsOfTheFormats) {
  const auto read = [](std::string_view body, SamplingOptions& sampling) {
    return read_sampling(MessageBody::parse(body).root(), sampling);
  };
  SamplingOptions sampling;
  EXPECT_FALSE(read("{}", sampling));
  EXPECT_EQ(sampling.temperature, 1);
  EXPECT_EQ(sampling.top_p, 1);
  EXPECT_TRUE(read(R"({"temperature": 0, "top_p": 0, "seed": -1})", sampling));
  EXPECT_EQ(sampling.temperature, 0);
  EXPECT_GT(sampling.top_p, 0);
  EXPECT_EQ(sampling.seed, std::numeric_limits<uint64_t>::max());
  EXPECT_NO_THROW(check_sampling(sampling));
  EXPECT_EQ(refusal_of([&] { read(R"({"temperature": 2.1})", sampling); }).param, "temperature");
}

}  // namespace
}  // namespace minke
