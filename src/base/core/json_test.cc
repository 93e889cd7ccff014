#include "base/core/json.h"

#include <gtest/gtest.h>

#include "base/core/error.h"
#include "base/core/json_fault.h"
#include "base/core/rng.h"

namespace minke {
namespace {

std::string error_of(std::string_view text) {
  try {
    JsonDocument::parse(text, "config.json");
  } catch (const Error& error) {
    return error.what();
  }
  return "none";
}

std::string wrong(size_t line, size_t byte, std::string_view what) {
  return fmt::format("config.json: not valid JSON: line {}, byte {}: {}", line, byte, what);
}

TEST(Json, AnEmptyDocumentIsAnError) {
  EXPECT_EQ(error_of({}), "config.json: not valid JSON: it is empty");
}

TEST(Json, ErrorsSayWhereAndWhatWasExpected) {
  EXPECT_EQ(error_of("{\"a\":"), wrong(1, 5, "expected a value, found the end of the text"));
  EXPECT_EQ(error_of("{\n  \"a\": 1,\n}"), wrong(3, 12, "expected a name in quotes, found \"}\""));
  EXPECT_EQ(error_of("{\n\"a\" 1}"), wrong(2, 6, "expected ':', found \"1\""));
  EXPECT_EQ(error_of("{a: 1}"), wrong(1, 1, "expected a name in quotes or '}', found \"a\""));
  EXPECT_EQ(error_of("{\"a\": 1 \"b\": 2}"), wrong(1, 8, "expected ',' or '}', found \"\"b\"\""));
  EXPECT_EQ(error_of("[1 2]"), wrong(1, 3, "expected ',' or ']', found \"2\""));
  EXPECT_EQ(error_of("[1]]"), wrong(1, 3, "expected the end of the text, found \"]\""));
  EXPECT_EQ(error_of("[True]"), wrong(1, 1, "expected a value, found \"True\""));
  EXPECT_EQ(error_of("[NaN]"), wrong(1, 1, "expected a value, found \"NaN\""));
  EXPECT_EQ(error_of("\xef\xbb\xbf{}"), wrong(1, 0, "expected a value, found \"\xef\xbb\xbf\""));
}

TEST(Json, ErrorsInTextsAndNumbers) {
  EXPECT_EQ(error_of("[\"a\xff\"]"), wrong(1, 3, "expected UTF-8, found byte 0xff"));
  EXPECT_EQ(error_of("[\"a\nb\"]"),
            wrong(1, 3, "expected no control character in quotes, found byte 0x0a"));
  EXPECT_EQ(error_of("[\"abc"), wrong(1, 5,
                                      "expected '\"' behind the text, found the end of the "
                                      "text"));
  EXPECT_EQ(error_of(R"(["\x"])"), wrong(1, 3,
                                         "expected one of \"\\/bfnrtu behind '\\', found "
                                         "\"x\"\""));
  EXPECT_EQ(error_of(R"(["\u12g4"])")
                .find("config.json: not valid JSON: line 1, byte 4: expected "
                      "four hexadecimal digits"),
            0u);
  EXPECT_EQ(error_of("[01]"), wrong(1, 2, "expected no digit behind a leading 0, found \"1\""));
  EXPECT_EQ(error_of("[1.]"), wrong(1, 3, "expected a digit, found \"]\""));
  EXPECT_EQ(error_of("[1, 1e400]"), wrong(1, 4,
                                          "expected a number that fits a double, found "
                                          "\"1e400\""));
}

TEST(Json, ErrorsOfDepth) {
  EXPECT_NE(error_of(std::string(5000, '[')).find("byte 1023: expected at most 1023 levels"),
            std::string::npos);
}

// What one of the two takes, so does the other.
TEST(Json, TheSearchForFaultsAgreesWithTheParser) {
  const std::string whole =
      R"({"a": [1, -2.5e-3, true, null, {"b": "c\u00e9\n\ud83d\ude00", "": []}], "x": 1e-999})";
  ASSERT_EQ(error_of(whole), "none");
  EXPECT_FALSE(find_json_fault(whole).has_value());
  for (size_t size = 1; size < whole.size(); ++size) {
    EXPECT_TRUE(find_json_fault(whole.substr(0, size)).has_value()) << size;
  }
  Rng rng(7);
  simdjson::dom::parser parser;
  int bad = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string text = whole;
    for (int change = 0; change < 2; ++change) {
      constexpr std::string_view kBytes = "{}[]\",:\\ 0123456789-+.eEtrufalsn\n\xff\xc3\xa9";
      text[rng.below(text.size())] = kBytes[rng.below(kBytes.size())];
    }
    const bool fails = parser.parse(text).error() != simdjson::SUCCESS;
    bad += fails ? 1 : 0;
    EXPECT_EQ(find_json_fault(text).has_value(), fails) << text;
  }
  EXPECT_GT(bad, 5000);
  EXPECT_LT(bad, 20000);
}

TEST(Json, IntegersOverSixtyFourBitsAreDoubles) {
  const JsonDocument document = JsonDocument::parse(
      R"({"limit": 1000000000000000019884624838656, "low": [-9223372036854775809],
          "text": "1000000000000000019884624838656 \" 20000000000000000000000",
          "most": 18446744073709551615, "least": -9223372036854775808})",
      "config.json");
  const auto root = document.root();
  EXPECT_EQ(double(root["limit"]), 1e30);
  EXPECT_EQ(double(root["low"].at(0)), -0x1p63);
  EXPECT_EQ(std::string_view(root["text"]),
            "1000000000000000019884624838656 \" 20000000000000000000000");
  EXPECT_EQ(uint64_t(root["most"]), UINT64_MAX);
  EXPECT_EQ(int64_t(root["least"]), INT64_MIN);
  EXPECT_EQ(double(JsonDocument::parse("18446744073709551616", "x").root()), 0x1p64);
  // Beyond doubles there is nothing to read it as; and the error stays where it is in the file.
  EXPECT_EQ(error_of("[20000000000000000000000, 1" + std::string(400, '0') + "]")
                .find(wrong(1, 26, "expected a number that fits a double")),
            0u);
  EXPECT_EQ(error_of("[20000000000000000000000, 01]"),
            wrong(1, 27, "expected no digit behind a leading 0, found \"1\""));
}

TEST(Json, DescribesElements) {
  const JsonDocument document =
      JsonDocument::parse(R"([{"a": 1}, [1], "yarn", 3.5, true, null])", "x");
  std::vector<std::string> found;
  for (const auto item : simdjson::dom::array(document.root())) {
    found.push_back(describe_json(item));
  }
  EXPECT_EQ(found,
            (std::vector<std::string>{"an object", "an array", "\"yarn\"", "3.5", "true", "null"}));
}

}  // namespace
}  // namespace minke
