#include "text/grammar/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <gtest/gtest.h>
#include <pcre2.h>

#include "base/core/rng.h"
#include "base/core/test_folder.h"
#include "base/core/utf8.h"

namespace minke {
namespace {

Dfa compile(std::string_view pattern, Spelling spelling = Spelling::kPlain) {
  Budget budget{GrammarLimits{}};
  budget.set_place("p");
  return compile_regex(pattern, spelling, budget);
}

std::string error_of(std::string_view pattern) {
  return testing::error_of([&] { compile(pattern); });
}

// What PCRE2 says, whose syntax is the same for the patterns here.
class Reference {
 public:
  explicit Reference(const std::string& pattern) {
    int code = 0;
    PCRE2_SIZE offset = 0;
    code_ = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                          PCRE2_UTF | PCRE2_DOLLAR_ENDONLY, &code, &offset, nullptr);
    if (code_ != nullptr) data_ = pcre2_match_data_create_from_pattern(code_, nullptr);
  }
  ~Reference() {
    pcre2_match_data_free(data_);
    pcre2_code_free(code_);
  }
  Reference(const Reference&) = delete;
  Reference& operator=(const Reference&) = delete;

  bool valid() const { return code_ != nullptr; }
  bool matches(const std::string& text) const {
    return pcre2_match(code_, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), 0, 0, data_,
                       nullptr) >= 0;
  }

 private:
  pcre2_code* code_ = nullptr;
  pcre2_match_data* data_ = nullptr;
};

class RandomPatterns {
 public:
  explicit RandomPatterns(uint64_t seed) : rng_(seed) {}

  std::string text() {
    static const char* const kParts[] = {"a", "b", "ab", "1", "_", " ", "é", "ü", "😀", "\n", "]"};
    std::string out;
    for (uint64_t n = rng_.below(7); n > 0; --n) out += kParts[rng_.below(std::size(kParts))];
    return out;
  }
  std::string pattern() {
    return (rng_.below(3) == 0 ? "^" : "") + choice(3) + (rng_.below(3) == 0 ? "$" : "");
  }

 private:
  std::string choice(int depth) {
    std::string out = sequence(depth);
    while (rng_.below(4) == 0) out += "|" + sequence(depth);
    return out;
  }
  std::string sequence(int depth) {
    std::string out;
    for (uint64_t n = rng_.below(4); n > 0; --n) {
      static const char* const kQuantifiers[] = {"*", "+", "?", "{2}", "{1,}", "{0,2}", "+?"};
      out += atom(depth);
      if (rng_.below(3) == 0) out += kQuantifiers[rng_.below(std::size(kQuantifiers))];
    }
    return out;
  }
  std::string atom(int depth) {
    static const char* const kAtoms[] = {
        "a",    "b",      "é",    "😀",     ".",      "\\d",    "\\w",   "\\S",    "\\D",   "[ab]",
        "[^a]", "[a-c1]", "[^é]", "[é-ü]", "[\\d_]", "[^\\w]", "\\x61", "[\\]-]", "[a\\-]"};
    if (depth > 0 && rng_.below(4) == 0) {
      const char* open = rng_.below(2) == 0 ? "(" : "(?:";
      return open + choice(depth - 1) + ")";
    }
    return kAtoms[rng_.below(std::size(kAtoms))];
  }

  Rng rng_;
};

TEST(Regex, matches_the_texts_that_pcre2_matches) {
  RandomPatterns random(7);
  int matches = 0, misses = 0, too_large = 0;
  for (int i = 0; i < 1500; ++i) {
    const std::string pattern = random.pattern();
    const Reference reference(pattern);
    ASSERT_TRUE(reference.valid()) << pattern;
    Dfa dfa;
    const std::string error = testing::error_of([&] { dfa = compile(pattern); });
    if (!error.empty()) {
      ASSERT_NE(error.find("expected a grammar"), std::string::npos) << pattern << "\n" << error;
      ++too_large;
      continue;
    }
    for (int k = 0; k < 30; ++k) {
      const std::string text = random.text();
      const bool expected = reference.matches(text);
      ASSERT_EQ(dfa.accepts(text), expected) << pattern << " on \"" << text << "\"";
      ++(expected ? matches : misses);
    }
  }
  EXPECT_GT(matches, 5000);
  EXPECT_GT(misses, 5000);
  EXPECT_LT(too_large, 15);
}

TEST(Regex, anchors_hold_at_the_ends_of_alternatives) {
  struct Case {
    const char* pattern;
    std::vector<const char*> matched, missed;
  };
  const Case cases[] = {
      {"^a|b$", {"a", "ax", "b", "xb"}, {"xa", "bx", ""}},
      {"^(a|b$)", {"a", "ax", "b"}, {"xa", "xb", "bx"}},
      {"(^a|b)c", {"ac", "bc", "xbcx", "acx"}, {"xac", "b"}},
      {"(^|,)x(,|$)", {"x", "a,x", "x,b", "a,x,b"}, {"ax", "xb"}},
      {"^$", {""}, {"a", "\n"}},
      {"$", {"", "a"}, {}},
      {"^^a$$", {"a"}, {"aa"}},
      {"", {"", "a"}, {}},
      {"()", {"", "a"}, {}},
      {"a$", {"a", "ba"}, {"a\n", "ab"}},
  };
  for (const Case& c : cases) {
    const Dfa dfa = compile(c.pattern);
    for (const char* text : c.matched) EXPECT_TRUE(dfa.accepts(text)) << c.pattern << " " << text;
    for (const char* text : c.missed) EXPECT_FALSE(dfa.accepts(text)) << c.pattern << " " << text;
  }
}

TEST(Regex, escapes_of_ecmascript) {
  EXPECT_TRUE(compile("^\\u00e9\\xe9\\u{1F600}\\uD83D\\uDE00$").accepts("éé😀😀"));
  EXPECT_TRUE(compile("^\\cJ\\t\\v\\0$").accepts(std::string_view("\n\t\v\0", 4)));
  EXPECT_TRUE(compile("^\\s+$").accepts("\u00a0\ufeff\u2029 \t"));
  EXPECT_FALSE(compile("^\\s$").accepts("\u200b"));
  EXPECT_FALSE(compile("^\\d$").accepts("\u09ea"));
  EXPECT_FALSE(compile("^\\w$").accepts("é"));
  EXPECT_FALSE(compile("^.$").accepts("\u2028"));
  EXPECT_TRUE(compile("^[\\b]$").accepts("\b"));
  EXPECT_TRUE(compile("^(?<name>a)\\-\\/$").accepts("a-/"));
}

TEST(Regex, in_json_strings_characters_have_one_spelling) {
  const Dfa dfa = compile("^[\\x00-\\x7f]$", Spelling::kJson);
  for (const char* text : {"a", "\\\"", "\\\\", "\\n", "\\u0000", "\\u001f", "/", "\x7f"}) {
    EXPECT_TRUE(dfa.accepts(text)) << text;
  }
  for (const char* text : {"\"", "\\", "\n", "\\u000a", "\\/", "\\u0061", "\\u001F", "ab"}) {
    EXPECT_FALSE(dfa.accepts(text)) << text;
  }
}

TEST(Regex, what_is_not_understood_is_an_error) {
  for (const char* pattern : {"(?=a)",   "(?!a)",  "(?<=a)",    "(?<!a)",      "\\1", "\\k<a>",
                              "\\p{L}",  "\\bab",  "\\B",       "a^b",         "a$b", "(^a)*",
                              "^*",      "x?^a",   "(a",        "a)",          "[a",  "a**",
                              "*a",      "a{2,1}", "a{100001}", "a{",          "{1}", "[b-a]",
                              "[\\d-a]", "\\u12",  "\\ud800",   "\\u{110000}", "\\q", "\\",
                              "[a-",     "\\x1",   "(?i)a",     "(?<a",        "]",   "}"}) {
    EXPECT_NE(error_of(pattern).find("p: "), std::string::npos) << pattern;
    EXPECT_NE(error_of(pattern).find("expected"), std::string::npos) << pattern;
  }
  EXPECT_EQ(error_of("a(?=b)"),
            "p: character 4: expected \":\" (assertions are not supported), found \"=\"");
  EXPECT_NE(error_of("\xff"), "");
}

TEST(Regex, deep_nesting_is_an_error) {
  const std::string deep = std::string(100'000, '(') + std::string(100'000, ')');
  EXPECT_NE(error_of(deep).find("levels"), std::string::npos);
}

TEST(Regex, counts_multiply_within_the_budget) {
  EXPECT_NE(error_of("((a{1000}){1000}){1000}").find("states"), std::string::npos);
  EXPECT_NE(error_of("(){100000}(){100000}(){100000}"), "");
}

}  // namespace
}  // namespace minke
