#include "serve/api/page_answer.h"

#include <gtest/gtest.h>

namespace minke {
namespace {

const PageFile kFile = {"/", "text/html", "page", "packed"};

HttpResponse ask(const HttpHeaders& headers) {
  HttpRequest request;
  request.headers = headers;
  return page_answer(kFile, page_tag(kFile), request);
}

std::string header(const HttpResponse& response, const std::string& wanted) {
  for (const auto& [name, value] : response.headers) {
    if (name == wanted) return value;
  }
  return "";
}

TEST(PageAnswer, IsSentOnceAndThenOnlyWhenItHasChanged) {
  const HttpResponse first = ask({});
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.body, "page");
  const std::string tag = header(first, "ETag");
  EXPECT_EQ(tag.size(), 34U);
  EXPECT_EQ(tag.front(), '"');
  for (const std::string& known : {tag, "W/" + tag, "\"other\", " + tag, std::string("*")}) {
    const HttpResponse again = ask({{"if-none-match", known}});
    EXPECT_EQ(again.status, 304) << known;
    EXPECT_EQ(again.body, "");
    EXPECT_EQ(again.content_type, "");
  }
  for (const std::string& other : {std::string("\"other\""), tag.substr(1), std::string(",,")}) {
    EXPECT_EQ(ask({{"if-none-match", other}}).status, 200) << other;
  }
  EXPECT_NE(page_tag({"/", "text/html", "page 2", ""}), page_tag(kFile));
}

TEST(PageAnswer, IsCompressedForThoseWhoTakeItSo) {
  for (const char* takes : {"gzip", "deflate, gzip;q=0.5, br", "GZIP", "x-gzip", "*",
                            "br;q=1.0 , *;q=0.001", "identity, gzip ;q=1"}) {
    const HttpResponse response = ask({{"accept-encoding", takes}});
    EXPECT_EQ(response.body, "packed") << takes;
    EXPECT_EQ(header(response, "Content-Encoding"), "gzip") << takes;
  }
  for (const char* refuses : {"", "identity", "br", "gzip;q=0", "gzip; q=0.000, *", "*;q=0", ",;",
                              "not-gzip", "gzip;Q=0"}) {
    const HttpResponse response = ask({{"accept-encoding", refuses}});
    EXPECT_EQ(response.body, "page") << refuses;
    EXPECT_EQ(header(response, "Content-Encoding"), "") << refuses;
    EXPECT_EQ(header(response, "Vary"), "Accept-Encoding") << refuses;
  }
}

TEST(PageAnswer, WhatIsSentInAnotherEncodingHasAnotherTag) {
  const HttpResponse packed = ask({{"accept-encoding", "gzip"}});
  const std::string tag = header(packed, "ETag");
  EXPECT_NE(tag, header(ask({}), "ETag"));
  EXPECT_EQ(ask({{"accept-encoding", "gzip"}, {"if-none-match", tag}}).status, 304);
  EXPECT_EQ(ask({{"if-none-match", tag}}).status, 200);
}

}  // namespace
}  // namespace minke
