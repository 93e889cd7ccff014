#include "serve/api/page_answer.h"

#include <gtest/gtest.h>

namespace minke {
namespace {

HttpResponse ask(const PageFile& file, const std::string& if_none_match) {
  HttpRequest request;
  if (!if_none_match.empty()) request.headers = {{"if-none-match", if_none_match}};
  return page_answer(file, page_tag(file), request);
}

TEST(PageAnswer, IsSentOnceAndThenOnlyWhenItHasChanged) {
  const PageFile file = {"/", "text/html", "gzip", "page"};
  const HttpResponse first = ask(file, "");
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.body, "page");
  std::string tag;
  for (const auto& [name, value] : first.headers) {
    if (name == "ETag") tag = value;
  }
  EXPECT_EQ(tag.size(), 34U);
  EXPECT_EQ(tag.front(), '"');
  for (const std::string& known : {tag, "W/" + tag, "\"other\", " + tag, std::string("*")}) {
    const HttpResponse again = ask(file, known);
    EXPECT_EQ(again.status, 304) << known;
    EXPECT_EQ(again.body, "");
    EXPECT_EQ(again.content_type, "");
  }
  for (const std::string& other : {std::string("\"other\""), tag.substr(1), std::string(",,")}) {
    EXPECT_EQ(ask(file, other).status, 200) << other;
  }
  EXPECT_NE(page_tag({"/", "text/html", "gzip", "page 2"}), tag);
}

}  // namespace
}  // namespace minke
