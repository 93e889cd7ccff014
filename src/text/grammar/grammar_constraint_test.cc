#include "text/grammar/grammar_constraint.h"

#include <algorithm>

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include "base/core/rng.h"
#include "base/core/test_folder.h"
#include "text/grammar/grammar_testing.h"

namespace minke {
namespace {

// Tokens of JSON and of text in all lengths, some over several parts of a text, one cut inside a
// character.
std::shared_ptr<const TokenTrie> small_trie() {
  static const auto trie =
      std::make_shared<const TokenTrie>(testing::vocabulary({"{\"",        "\":",
                                                             "\": ",       "\",\"",
                                                             "\"}",        "\"},",
                                                             "\": \"",     "}}",
                                                             "}]",         "]}",
                                                             "[[",         "[]",
                                                             "{}",         "true",
                                                             "false",      "null",
                                                             "12",         "345",
                                                             "0.",         "-1",
                                                             "e+",         "ab",
                                                             "abc",        " the",
                                                             "name",       "kind",
                                                             "\\n",        "\\\"",
                                                             "\\u00",      "é",
                                                             "中文",       "\xe4\xb8",
                                                             "\xad",       "😀",
                                                             ",\n  ",      "{\n  \"",
                                                             "  ",         "\n    ",
                                                             "\"\"",       "\",",
                                                             "\"a\":",     ",\"a\":",
                                                             "1}",         "\"a\":1,\"a\":",
                                                             "abcdefgh",   "abcdefghijklmnopq",
                                                             "\"name\": ", "\"kind\": \"",
                                                             "])",         "((",
                                                             "))"}));
  return trie;
}

int32_t stop() {
  return small_trie()->size() - 1;
}

bool has(const std::vector<uint64_t>& bits, int32_t id) {
  return (bits[static_cast<size_t>(id) / 64] >> (id % 64) & 1) != 0;
}

const char* const kSchemas[] = {
    "{}",
    R"({"type":"object","properties":{"name":{"type":"string","maxLength":20},
        "kind":{"enum":["a","ab","abc"]}},"required":["name"],
        "additionalProperties":{"type":"integer"}})",
    R"({"type":"array","items":{"type":"string","pattern":"^[a-c]+$"},"maxItems":3})",
    R"({"$defs":{"t":{"type":"object","properties":{"a":{"type":"array",
        "items":{"$ref":"#/$defs/t"}}},"additionalProperties":false}},"$ref":"#/$defs/t"})",
    R"({"type":"array","items":{"type":"number","minimum":-1,"maximum":345}})",
    R"({"anyOf":[{"type":"string","minLength":3},{"type":"object"}]})",
};

int32_t id_of(std::string_view bytes) {
  return small_trie()->ids_below(small_trie()->find(bytes))[0];
}

// The tokens of a mask, after looking that nothing wrong is among them.
std::vector<uint64_t> right_mask(GrammarConstraint& constraint) {
  std::vector<uint64_t> bits(small_trie()->words());
  constraint.allowed(bits);
  for (int32_t id = 0; id < stop(); ++id) {
    if (has(bits, id)) {
      EXPECT_TRUE(constraint.takes(small_trie()->bytes(id))) << id;
    }
  }
  EXPECT_EQ(has(bits, stop()), constraint.can_end());
  return bits;
}

// Thousands of states for each byte: long tokens are left out once the credit is spent, single
// bytes never.
TEST(GrammarConstraint, a_mask_of_a_very_ambiguous_grammar_keeps_single_bytes) {
  std::string text = "root ::=";
  for (int i = 0; i < 300; ++i) text += " ([a-q]{1,9} \" \"?)?";
  text += " \"~\"";
  GrammarConstraint constraint(compile_ebnf(text), small_trie(), {stop()});
  int left_out = 0;
  for (int step = 0; step < 60; ++step) {
    const std::vector<uint64_t> bits = right_mask(constraint);
    for (const char* byte : {"a", "q", "~"}) EXPECT_TRUE(has(bits, id_of(byte))) << byte;
    left_out += constraint.takes("abcdefgh") && !has(bits, id_of("abcdefgh"));
    constraint.accept(id_of(step % 5 == 4 ? " " : "abcdefgh"));
  }
  EXPECT_GT(left_out, 0);
  constraint.accept(id_of("~"));
  EXPECT_TRUE(constraint.can_end());
}

// A rule that is met for the first time in a mask without credit, beside one that needs much, keeps
// its tokens where it is met again.
TEST(GrammarConstraint, a_text_does_not_end_where_a_mask_was_cut) {
  std::string words, others;
  for (int i = 0; i < 300; ++i) words += " ([a-q]{1,9} \" \"?)?";
  for (int i = 0; i < 200; ++i) others += " ([a-p]{1,9} \" \"?)?";
  for (const char* choice : {"plain \"q\" | dear \"p\"", "dear \"p\" | plain \"q\""}) {
    GrammarConstraint constraint(
        compile_ebnf(fmt::format("root ::={} \".\" ({}) \",\" plain \"q\" \"~\"\n"
                                 "plain ::= \"1\" \"2\"+\ndear ::={} \".\"",
                                 words, choice, others)),
        small_trie(), {stop()});
    for (int i = 0; i < 12; ++i) {
      right_mask(constraint);
      constraint.accept(id_of("abcdefgh"));
    }
    for (const char byte : std::string_view(".ab.p,122q~")) {
      const int32_t id = id_of(std::string_view(&byte, 1));
      EXPECT_TRUE(has(right_mask(constraint), id)) << byte;
      constraint.accept(id);
    }
    EXPECT_TRUE(constraint.can_end());
  }
}

// A list is long and not ambiguous: no token is left out.
TEST(GrammarConstraint, masks_of_long_lists_are_whole) {
  Rng rng(1);
  std::string text = "root ::= \"0\"";
  for (int i = 0; i < 12'000; ++i) {
    text += " | \"";
    for (uint64_t n = 3 + rng.below(7); n > 0; --n) text += static_cast<char>('a' + rng.below(26));
    text += '"';
  }
  text += " | \"abcdefghijklmnopq\" | \"the\"";
  GrammarConstraint constraint(compile_ebnf(text), small_trie(), {stop()});
  for (const char* token : {"ab", "c", "d", "e"}) {
    const std::vector<uint64_t> bits = right_mask(constraint);
    for (int32_t id = 0; id < stop(); ++id) {
      EXPECT_EQ(has(bits, id),
                constraint.takes(small_trie()->bytes(id)) && !small_trie()->bytes(id).empty())
          << small_trie()->bytes(id);
    }
    constraint.accept(id_of(token));
  }
}

// What each token does, tried alone.
TEST(GrammarConstraint, a_mask_has_the_tokens_that_the_grammar_takes) {
  std::vector<std::shared_ptr<const Grammar>> grammars = {
      compile_ebnf("root ::= \"(\" root? \")\" root? | [a-c]{2,9} | \"é\" | [^\\x00-\\x60]{3}")};
  // Without names of its own a grammar decides alone.
  grammars.push_back(compile_json_schema(kSchemas[2]));
  grammars.push_back(compile_json_schema(kSchemas[3]));
  grammars.push_back(compile_json_schema(kSchemas[4]));
  // Where strings may not be longer: alone, beside others, and where the end is among them.
  grammars.push_back(compile_json_schema(
      R"({"type":"array","items":{"type":"string","minLength":1,"maxLength":7}})"));
  grammars.push_back(compile_json_schema(R"({"anyOf":[{"type":"string","maxLength":2},
      {"enum":["abcdefgh","abcdefghijklmnopqr",12]},{"type":"string","pattern":"^the|中文$"}]})"));
  grammars.push_back(
      compile_ebnf("root ::= any{0,3} | any{2} root \"\\n\" | any{5} \"\\\"\" root\n"
                   "any ::= [^\"\\\\\\x00-\\x1f]"));
  // ... and where a rule is called among them.
  grammars.push_back(
      compile_ebnf("root ::= [^\"\\\\\\x00-\\x1f] \"\\\"\" | [^\"\\\\\\x00-\\x1f] tail\n"
                   "tail ::= \"bc\" | \"12\" root"));
  Rng rng(5);
  for (const auto& grammar : grammars) {
    for (int run = 0; run < 20; ++run) {
      GrammarConstraint constraint(grammar, small_trie(), {stop()});
      Recognizer recognizer(grammar, ByteSet().set());
      Recognizer::Config config = recognizer.start();
      for (int step = 0; step < 40; ++step) {
        std::vector<uint64_t> bits(small_trie()->words());
        constraint.allowed(bits);
        std::vector<int32_t> allowed;
        for (int32_t id = 0; id < small_trie()->size(); ++id) {
          bool expected = recognizer.can_end(config);
          if (id != stop()) {
            Recognizer::Config next = config;
            for (const char c : small_trie()->bytes(id)) {
              if (next != Recognizer::kDead) next = recognizer.step(next, static_cast<uint8_t>(c));
            }
            expected = next != Recognizer::kDead;
            if (expected) allowed.push_back(id);
          }
          ASSERT_EQ(has(bits, id), expected) << small_trie()->bytes(id) << " after " << step;
        }
        if (allowed.empty()) break;
        const int32_t id = allowed[rng.below(allowed.size())];
        constraint.accept(id);
        for (const char c : small_trie()->bytes(id)) {
          config = recognizer.step(config, static_cast<uint8_t>(c));
        }
      }
    }
  }
}

void check_unique_names(simdjson::dom::element element) {
  if (element.is_array()) {
    const simdjson::dom::array items = element.get_array().value_unsafe();
    for (const simdjson::dom::element item : items) check_unique_names(item);
  } else if (element.is_object()) {
    std::vector<std::string_view> names;
    const simdjson::dom::object members = element.get_object().value_unsafe();
    for (const auto [name, value] : members) {
      names.push_back(name);
      check_unique_names(value);
    }
    std::sort(names.begin(), names.end());
    EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
  }
}

// Draws at random until the text may end.
std::string draw(GrammarConstraint& constraint, Rng& rng) {
  std::string text;
  for (;;) {
    std::vector<uint64_t> bits(small_trie()->words());
    constraint.allowed(bits);
    std::vector<int32_t> allowed;
    for (int32_t id = 0; id < small_trie()->size(); ++id) {
      if (has(bits, id)) allowed.push_back(id);
    }
    EXPECT_FALSE(allowed.empty()) << text;
    const bool can_end = has(bits, stop());
    if (allowed.empty() || (can_end && (text.size() > 30 || rng.below(4) == 0))) {
      constraint.accept(stop());
      return text;
    }
    if (text.size() > 4000) return "";
    int32_t id = allowed[rng.below(allowed.size())];
    // Texts of random bytes seldom end: prefer what closes.
    for (const int32_t close : {int32_t{'"'}, int32_t{'}'}, int32_t{']'}}) {
      if (text.size() > 20 && has(bits, close) && rng.below(2) == 0) id = close;
    }
    if (id == stop()) continue;
    constraint.accept(id);
    text += small_trie()->bytes(id);
  }
}

TEST(GrammarConstraint, what_is_drawn_is_json_without_repeated_names) {
  Rng rng(11);
  int texts = 0;
  for (const char* schema : kSchemas) {
    const auto grammar = compile_json_schema(schema);
    for (int run = 0; run < 60; ++run) {
      GrammarConstraint constraint(grammar, small_trie(), {stop()});
      const std::string text = draw(constraint, rng);
      if (text.empty()) continue;
      EXPECT_TRUE(testing::accepts(grammar, text)) << text;
      simdjson::dom::parser parser;
      simdjson::dom::element element;
      ASSERT_EQ(parser.parse(simdjson::padded_string(text)).get(element), simdjson::SUCCESS)
          << text;
      check_unique_names(element);
      ++texts;
    }
  }
  EXPECT_GT(texts, 300);
}

// `text` in the longest tokens that fit; -1 for a token that is not allowed.
int refused_at(GrammarConstraint& constraint, std::span<const std::string> tokens) {
  for (size_t i = 0; i < tokens.size(); ++i) {
    std::vector<uint64_t> bits(small_trie()->words());
    constraint.allowed(bits);
    const uint32_t node = small_trie()->find(tokens[i]);
    const int32_t id = small_trie()->ids()[small_trie()->nodes()[node].first_id];
    EXPECT_EQ(small_trie()->bytes(id), tokens[i]);
    if (!has(bits, id)) return static_cast<int>(i);
    constraint.accept(id);
  }
  return -1;
}

TEST(GrammarConstraint, names_are_not_used_twice) {
  using Tokens = std::vector<std::string>;
  const std::pair<Tokens, int> cases[] = {
      {{"{\"", "ab", "\":", "1", ",", "\"", "ab", "\":"}, 7},
      {{"{\"", "ab", "\":", "1", ",", "\"", "abc", "\":"}, -1},
      {{"{\"", "a", "\":", "1", ",", "\"a\":"}, 5},
      {{"{\"", "a", "\":", "1", ",\"a\":"}, 4},
      {{"{\"", "a", "\":", "{", "\"a\":", "1}", ",\"a\":"}, 6},
      {{"{\"", "a", "\":", "{", "\"a\":", "1}", ",", "\"", "a", "b", "\":"}, -1},
      {{"{", "\"a\":1,\"a\":"}, 1},
      {{"{\"", "\\n", "\":", "1", ",", "\"", "\\n", "\""}, 7},
      {{"{\"", "a", "\":", "[", "{", "\"a\":", "1}", ",", "{\"", "a", "\":"}, -1},
  };
  const auto grammar = compile_json_object();
  for (const auto& [tokens, refused] : cases) {
    GrammarConstraint constraint(grammar, small_trie(), {stop()});
    std::string text;
    for (const std::string& token : tokens) text += token;
    EXPECT_EQ(refused_at(constraint, tokens), refused) << text;
  }
}

TEST(GrammarConstraint, only_a_stop_token_follows_the_end) {
  GrammarConstraint constraint(compile_ebnf("root ::= \"ab\""), small_trie(), {stop()});
  std::vector<uint64_t> bits(small_trie()->words());
  constraint.allowed(bits);
  EXPECT_FALSE(has(bits, stop()));
  constraint.accept('a');
  constraint.accept('b');
  for (int i = 0; i < 2; ++i) {
    std::fill(bits.begin(), bits.end(), 0);
    constraint.allowed(bits);
    for (int32_t id = 0; id < small_trie()->size(); ++id) EXPECT_EQ(has(bits, id), id == stop());
    constraint.accept(stop());
  }
}

TEST(GrammarConstraint, what_a_vocabulary_cannot_finish_is_not_begun) {
  // Without a token for "c".
  std::vector<std::string> tokens = testing::vocabulary({});
  tokens['c'].clear();
  const auto trie = std::make_shared<const TokenTrie>(tokens);
  GrammarConstraint constraint(compile_ebnf("root ::= \"ac\" | \"bd\" | \"xc\""), trie, {256});
  std::vector<uint64_t> bits(trie->words());
  constraint.allowed(bits);
  for (int32_t id = 0; id < trie->size(); ++id) EXPECT_EQ(has(bits, id), id == 'b') << id;
  EXPECT_EQ(
      testing::error_of([&] { GrammarConstraint(compile_ebnf("root ::= \"c\""), trie, {256}); }),
      "grammar: expected a vocabulary that can write its texts, found one without some bytes");
}

TEST(GrammarConstraint, stop_tokens_must_be_ids) {
  const auto grammar = compile_ebnf("root ::= \"a\"");
  EXPECT_NE(testing::error_of([&] { GrammarConstraint(grammar, small_trie(), {}); }), "");
  EXPECT_NE(testing::error_of([&] { GrammarConstraint(grammar, small_trie(), {stop() + 1}); }), "");
  EXPECT_NE(testing::error_of([&] { GrammarConstraint(grammar, small_trie(), {-1}); }), "");
}

// Each byte doubles the ways to read this; and each opens a rule.
TEST(GrammarConstraint, grammars_of_many_meanings_stay_within_bounds) {
  const auto grammar = compile_ebnf(
      "root ::= \"a\" root \"b\" | \"a\" t \"c\" | \"\"\n"
      "t ::= \"a\" root \"d\" | \"a\" t \"e\" | \"a\" root t | \"x\"");
  GrammarConstraint constraint(grammar, small_trie(), {stop()});
  for (int i = 0; i < 3000; ++i) {
    std::vector<uint64_t> bits(small_trie()->words());
    constraint.allowed(bits);
    ASSERT_TRUE(has(bits, 'a')) << i;
    constraint.accept('a');
  }
}

TEST(GrammarConstraint, long_texts_are_forgotten_and_go_on) {
  const auto grammar = compile_ebnf("root ::= (\"(\" root \")\" | [a-b]) root?");
  GrammarConstraint constraint(grammar, small_trie(), {stop()});
  std::vector<uint64_t> bits(small_trie()->words());
  constexpr int kDeep = 40'000;
  for (int i = 0; i < kDeep; ++i) constraint.accept('(');
  constraint.accept('a');
  for (int i = 0; i < kDeep; ++i) {
    if (i % 1000 == 0 || i + 1 == kDeep) {
      std::fill(bits.begin(), bits.end(), 0);
      constraint.allowed(bits);
      ASSERT_TRUE(has(bits, ')')) << i;
      ASSERT_FALSE(has(bits, stop())) << i;
    }
    constraint.accept(')');
  }
  std::fill(bits.begin(), bits.end(), 0);
  constraint.allowed(bits);
  EXPECT_FALSE(has(bits, ')'));
  EXPECT_TRUE(has(bits, stop()));
}

}  // namespace
}  // namespace minke
