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

TEST(WireReply, ListsIgnoredFieldsWithPlainNamesAlone) {
  std::vector<std::string> ignored = {"a.b", "evil\r\nSet-Cookie: x", "", "x,y", "c"};
  EXPECT_EQ(wire_headers("request-id", "req_1", ignored),
            (HttpHeaders{{"request-id", "req_1"}, {"x-ignored-params", "a.b, c"}}));
  ignored.assign(1000, "a");
  EXPECT_EQ(wire_headers("i", "", ignored)[1].second.size(), 32 * 3 - 2u);
  EXPECT_EQ(wire_headers("i", "", {}).size(), 1u);
}

TEST(WireReply, RoundsRetryAfterUp) {
  HttpHeaders headers;
  add_retry_after({}, headers);
  EXPECT_TRUE(headers.empty());
  add_retry_after(scripted::error_of(503, "", 1.2), headers);
  EXPECT_EQ(headers, (HttpHeaders{{"Retry-After", "2"}}));
}

TEST(WireReply, OwnersOfTwoKeysDiffer) {
  EXPECT_EQ(wire_owner("k", ""), "k");
  EXPECT_NE(wire_owner("k", "ab"), wire_owner("ka", "b"));
}

}  // namespace
}  // namespace minke
