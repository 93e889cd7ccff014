#include "text/grammar/token_trie.h"

#include <gtest/gtest.h>

#include "base/core/utf8.h"
#include "text/tokenizer/byte_alphabet.h"

namespace minke {
namespace {

const std::vector<std::string> kTokens = {"b", "",     "ab", "a",          "abc",   "a\"",
                                          "é", "\xc3", "b",  "0123456789", "\"x\"", "\n"};

bool has(const std::vector<uint64_t>& bits, int32_t id) {
  return (bits[0] >> id & 1) != 0;
}

TEST(TokenTrie, a_walk_meets_every_token_once) {
  const TokenTrie trie(kTokens);
  std::vector<std::string> found(kTokens.size());
  std::string path;
  const auto& nodes = trie.nodes();
  for (uint32_t i = 1; i < nodes[0].end; ++i) {
    path.resize(nodes[i].depth - 1u);
    path += static_cast<char>(nodes[i].byte);
    EXPECT_GT(nodes[i].end, i);
    EXPECT_LE(nodes[i].end, nodes[0].end);
    EXPECT_EQ(trie.find(path), i) << path;
    for (uint32_t k = nodes[i].first_id; k < nodes[i + 1].first_id; ++k) {
      std::string& text = found[static_cast<size_t>(trie.ids()[k])];
      EXPECT_TRUE(text.empty());
      text = path;
    }
  }
  EXPECT_EQ(found, kTokens);
  EXPECT_EQ(trie.find("x"), 0u);
  EXPECT_EQ(trie.longest(), 10u);
  EXPECT_TRUE(trie.single_bytes()['a'] && trie.single_bytes()[0xc3]);
  EXPECT_FALSE(trie.single_bytes()['c']);
  EXPECT_EQ(trie.quoting(), std::vector<int32_t>{10});
}

TEST(TokenTrie, levels_hold_short_plain_tokens) {
  const TokenTrie trie(kTokens);
  for (const int32_t id : {0, 3, 6, 8}) EXPECT_TRUE(has(trie.slice(0), id)) << id;
  EXPECT_FALSE(has(trie.slice(0), 2));
  EXPECT_TRUE(has(trie.slice(1), 2));
  EXPECT_FALSE(has(trie.slice(1), 4));
  EXPECT_TRUE(has(trie.slice(2), 4));
  EXPECT_FALSE(has(trie.slice(8), 9));
  EXPECT_TRUE(has(trie.slice(9), 9));
  for (size_t level = 0; level < TokenTrie::kLevels; ++level) {
    for (const int32_t id : {1, 5, 7, 10, 11}) EXPECT_FALSE(has(trie.slice(level), id)) << id;
  }
  EXPECT_EQ(trie.nodes()[trie.find("a")].level, TokenTrie::kLevels);
  EXPECT_EQ(trie.nodes()[trie.find("ab")].level, 2);
  EXPECT_EQ(trie.nodes()[trie.find("b")].level, 0);
}

TEST(TokenTrie, tokens_below_a_node_are_cleared) {
  const TokenTrie trie(kTokens);
  std::vector<uint64_t> bits(trie.words(), ~uint64_t{0});
  trie.clear_below(trie.find("ab"), bits);
  for (int32_t id = 0; id < trie.size(); ++id) EXPECT_EQ(has(bits, id), id != 2 && id != 4) << id;
}

TEST(TokenTrie, special_tokens_and_markers_are_left_out) {
  TokenizerSpec spec;
  spec.source = "test";
  for (int byte = 0; byte < 256; ++byte) {
    utf8_append(spec.tokens.emplace_back(), byte_symbol(static_cast<uint8_t>(byte)));
  }
  for (const char* text : {"<eos>", "<think>", "plain"}) spec.tokens.emplace_back(text);
  spec.added = {
      {256, "<eos>", true, false}, {257, "<think>", false, false}, {258, "plain", false, false}};
  const Tokenizer tokenizer(std::move(spec));
  const TokenTrie trie(tokenizer);
  EXPECT_EQ(trie.size(), 259);
  EXPECT_EQ(trie.bytes(256), "");
  EXPECT_EQ(trie.bytes(257), "");
  EXPECT_EQ(trie.bytes(258), "plain");
  EXPECT_EQ(trie.bytes(65), "A");
  // A mark stands for a byte that no other token then has.
  const std::vector<int32_t> marks = {257};
  const TokenTrie marked(tokenizer, marks);
  const std::string mark(1, static_cast<char>(TokenTrie::kFirstMark));
  EXPECT_EQ(marked.bytes(257), mark);
  EXPECT_EQ(marked.bytes(TokenTrie::kFirstMark), "");
  EXPECT_EQ(marked.bytes(TokenTrie::kFirstMark - 1).size(), 1U);
  EXPECT_EQ(marked.ids_below(marked.find(mark)).front(), 257);
  EXPECT_EQ(marked.ids_below(marked.find(mark)).size(), 1U);
  EXPECT_TRUE(trie.single_bytes().all());
}

TEST(TokenTrie, a_vocabulary_without_texts) {
  const TokenTrie none(std::vector<std::string>(70));
  EXPECT_EQ(none.nodes()[0].end, 1u);
  EXPECT_TRUE(none.ids().empty());
  EXPECT_EQ(none.words(), 2u);
}

}  // namespace
}  // namespace minke
