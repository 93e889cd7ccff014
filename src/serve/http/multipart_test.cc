#include "serve/http/multipart.h"

#include <gtest/gtest.h>

#include "base/core/error.h"

namespace minke {
namespace {

constexpr const char* kType = "multipart/form-data; boundary=xYz";

std::string part(const std::string& headers, const std::string& content) {
  return "--xYz\r\n" + headers + "\r\n\r\n" + content + "\r\n";
}
std::string field(const std::string& name, const std::string& content) {
  return part("Content-Disposition: form-data; name=\"" + name + "\"", content);
}
constexpr const char* kEnd = "--xYz--\r\n";

std::string error_of(const std::string& body, const std::string& type = kType,
                     const FormLimits& limits = {}) {
  try {
    read_form(type, body, limits);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Multipart, ReadsFieldsAndFiles) {
  const std::string content("a\r\n--xY\0z\r\n\r\n--", 15);
  const std::string body = field("purpose", "batch") +
                           part(
                               "content-disposition:form-data;name=file; filename=\"a;b.jsonl\"\r\n"
                               "Content-Type: application/jsonl",
                               content) +
                           kEnd;
  const auto parts = read_form(kType, body);
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(parts[0].name, "purpose");
  EXPECT_EQ(parts[0].content, "batch");
  EXPECT_FALSE(parts[0].filename.has_value());
  EXPECT_EQ(parts[1].name, "file");
  EXPECT_EQ(parts[1].filename, "a;b.jsonl");
  EXPECT_EQ(parts[1].content_type, "application/jsonl");
  EXPECT_EQ(parts[1].content, content);
}

TEST(Multipart, ReadsWhatClientsWriteInDifferentWays) {
  // A quoted boundary with marks, blanks behind it, no line break at the end, an empty part.
  const std::string body =
      "--a b=?:\t \r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n\r\n--a b=?:--";
  const auto parts = read_form("Multipart/Form-Data; charset=utf-8; BOUNDARY=\"a b=?:\"", body);
  ASSERT_EQ(parts.size(), 1u);
  EXPECT_EQ(parts[0].content, "");
  EXPECT_TRUE(read_form(kType, kEnd).empty());

  const auto name_of = [](const std::string& text) {
    return *read_form(kType, part("Content-Disposition: form-data; name=f; filename=" + text, "") +
                                 kEnd)[0]
                .filename;
  };
  EXPECT_EQ(name_of(R"("a%22b.txt")"), "a\"b.txt");
  EXPECT_EQ(name_of(R"("a\"b.txt")"), "a\"b.txt");
  EXPECT_EQ(name_of(R"("C:\new\a.txt")"), R"(C:\new\a.txt)");
  EXPECT_EQ(name_of(R"("100%25 привет.txt"; filename*=utf-8''x)"), "100%25 привет.txt");
  EXPECT_EQ(name_of(R"("")"), "");
}

TEST(Multipart, KeepsTheOrderOfNamesThatStandTwice) {
  const std::string body = field("a", "1") + field("a", "2") + kEnd;
  const auto parts = read_form(kType, body);
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(parts[0].content, "1");
  EXPECT_EQ(parts[1].content, "2");
}

TEST(Multipart, RefusesOtherContentTypes) {
  const std::string body = field("a", "1") + kEnd;
  for (const char* type :
       {"", "application/json", "multipart/mixed; boundary=xYz", "multipart/form-data",
        "multipart/form-data; boundary=", "multipart/form-data; boundary=\"xYz",
        "multipart/form-data; boundary=xYz; boundary=xYz", "multipart/form-data; boundary",
        "multipart/form-data; boundary=\"xYz\"a", "multipart/form-data; boundary=\"x<z\"",
        "multipart/form-data; boundary=\"xYz \"", "multipart/form-data; boundary=\"x\r\nz\""}) {
    EXPECT_NE(error_of(body, type).find("Content-Type"), std::string::npos) << type;
  }
  EXPECT_NE(error_of(body, "multipart/form-data; boundary=" + std::string(71, 'x')), "");
}

// Cut anywhere, a form is no form, but for the line break at its end.
TEST(Multipart, RefusesEveryPrefix) {
  const std::string body = field("a", "1\r\n--xY") + field("b", "") + kEnd;
  EXPECT_EQ(error_of(body), "");
  EXPECT_EQ(error_of(body.substr(0, body.size() - 2)), "");
  for (size_t size = 0; size < body.size(); ++size) {
    if (size == body.size() - 2) continue;
    EXPECT_NE(error_of(body.substr(0, size)), "") << size;
  }
}

TEST(Multipart, RefusesWhatCannotBeReadInOneWay) {
  const std::string good = field("a", "1");
  EXPECT_NE(error_of("preamble\r\n" + good + kEnd), "");
  EXPECT_NE(error_of(good + kEnd + "epilogue"), "");
  EXPECT_NE(error_of(good + kEnd + good + kEnd), "");
  EXPECT_NE(error_of(field("a", "1\r\n--xYzz") + kEnd), "");
  EXPECT_NE(error_of("--xYz\nContent-Disposition: form-data; name=a\n\n1\n--xYz--"), "");
  for (const char* headers :
       {"Content-Type: text/plain", "Content-Disposition: form-data",
        "Content-Disposition: form-data; name=\"\"", "Content-Disposition: attachment; name=\"a\"",
        "Content-Disposition: form-data; name=\"a",
        "Content-Disposition: form-data; name=a; name=b",
        "Content-Disposition: form-data; name=\"\xff\"",
        "Content-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b",
        "Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64",
        "Content-Disposition: form-data; name=a\r\n folded: line", "no header", ": no name"}) {
    EXPECT_NE(error_of(part(headers, "1") + kEnd), "") << headers;
  }
}

TEST(Multipart, KeepsItsLimits) {
  std::string body;
  for (int i = 0; i < 3; ++i) body += field("a", "1");
  EXPECT_EQ(error_of(body + kEnd, kType, {.parts = 3, .header_bytes = 100}), "");
  EXPECT_NE(error_of(body + kEnd, kType, {.parts = 2, .header_bytes = 100}).find("at most 2 parts"),
            std::string::npos);
  const std::string headers = "Content-Disposition: form-data; name=a";
  const FormLimits exact{.parts = 1, .header_bytes = headers.size() + 4};
  EXPECT_EQ(error_of(part(headers, "1") + kEnd, kType, exact), "");
  const FormLimits less{.parts = 1, .header_bytes = headers.size() + 3};
  EXPECT_NE(error_of(part(headers, "1") + kEnd, kType, less).find("bytes of headers"),
            std::string::npos);
}

}  // namespace
}  // namespace minke
