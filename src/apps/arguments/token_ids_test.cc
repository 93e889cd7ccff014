#include "apps/arguments/token_ids.h"

#include <gtest/gtest.h>

#include "base/core/error.h"

namespace minke {
namespace {

using Ids = std::vector<int32_t>;

TEST(TokenIds, BlanksAndCommasSeparate) {
  EXPECT_EQ(parse_token_ids("1,2, 3\n4\t5\r\n", "x"), (Ids{1, 2, 3, 4, 5}));
  EXPECT_EQ(parse_token_ids("2147483647", "x"), (Ids{2147483647}));
  EXPECT_EQ(parse_token_ids("", "x"), Ids{});
  EXPECT_EQ(parse_token_ids(" ,\n,", "x"), Ids{});
}

TEST(TokenIds, AnythingElseIsAnError) {
  for (const char* text : {"a", "1 b", "-1", "+1", "1.5", "2147483648", "1;2", "[1]", "0x10"}) {
    EXPECT_THROW(parse_token_ids(text, "x"), Error) << text;
  }
  EXPECT_THROW(parse_token_ids(std::string_view("1\0002", 3), "x"), Error);
}

}  // namespace
}  // namespace minke
