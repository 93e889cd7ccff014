#include "serve/api/wire_reply.h"

#include "base/core/error.h"
#include "serve/api/scripted_turn_test.h"

namespace minke {
namespace {

TEST(WireReply, WritesInvalidTextWithoutThrowing) {
  EXPECT_EQ(wire_text({{"a", "x\xff"}}), "{\"a\":\"x\xef\xbf\xbd\"}");
  EXPECT_EQ(wire_event({{"type", "ping"}}), "event: ping\ndata: {\"type\":\"ping\"}\n\n");
}

TEST(WireReply, KeepsTheOrderOfMembers) {
  const std::string text = R"({"z":1,"a":[true,null,-2,18446744073709551615,1.5,"\n"],"m":{}})";
  EXPECT_EQ(wire_text(wire_value(text)), text);
  EXPECT_THROW(wire_value("{"), Error);
}

TEST(WireReply, ReadsAnObjectOfManyMembers) {
  std::string text = "{";
  for (int i = 0; i < 100'000; ++i) text += "\"" + std::to_string(i) + "\":0,";
  text.back() = '}';
  EXPECT_EQ(wire_value(text).size(), 100'000u);
}

TEST(WireReply, TellsIgnoredFields) {
  IgnoredFields ignored;
  EXPECT_TRUE(ignored_headers(ignored).empty());
  ignored.add("a.b");
  ignored.add("c");
  EXPECT_EQ(ignored_headers(ignored), (HttpHeaders{{"x-ignored-params", "a.b, c"}}));
}

TEST(WireReply, OwnersOfTwoKeysDiffer) {
  EXPECT_EQ(wire_owner("k", "u"), wire_owner("k", "u", ""));
  EXPECT_NE(wire_owner("k", "ab"), wire_owner("ka", "b"));
  EXPECT_NE(wire_owner("k", "a", "b"), wire_owner("k", "ab"));
}

}  // namespace
}  // namespace minke
