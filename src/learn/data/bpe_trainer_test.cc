#include "learn/data/bpe_trainer.h"

#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "base/core/rng.h"
#include "base/core/utf8.h"
#include "learn/data/tokenizer_files.h"
#include "text/tokenizer/byte_alphabet.h"

namespace minke {
namespace {

using Pair = std::pair<std::string, std::string>;

BpeVocabulary trained(const std::vector<std::string>& texts, size_t size, uint64_t least = 2) {
  BpeTrainer trainer(training_stages(), uint64_t{1} << 30);
  for (const std::string& text : texts) trainer.add(text);
  return trainer.train(size, least);
}

TEST(BpeTrainer, TheBytesComeFirstInTheOrderOfTheirCharacters) {
  const BpeVocabulary vocabulary = trained({}, 256);
  ASSERT_EQ(vocabulary.tokens.size(), 256u);
  EXPECT_TRUE(vocabulary.merges.empty());
  EXPECT_EQ(vocabulary.tokens[0], "!");
  EXPECT_EQ(vocabulary.tokens[187], "\u00ff");
  EXPECT_EQ(vocabulary.tokens[188], "\u0100");
  std::vector<std::string> sorted = vocabulary.tokens;
  std::ranges::sort(sorted);  // of UTF-8 texts this is the order of their characters
  EXPECT_EQ(sorted, vocabulary.tokens);
}

// "aaabdaaabac": aa occurs four times; then (a, b) and (aa, a) twice, and a is the lower number.
TEST(BpeTrainer, AnExampleByHand) {
  const BpeVocabulary vocabulary = trained({"aaabdaaabac"}, 1000);
  EXPECT_EQ(vocabulary.merges, (std::vector<Pair>{{"a", "a"}, {"a", "b"}, {"aa", "ab"}}));
  EXPECT_EQ(vocabulary.tokens.size(), 259u);
  EXPECT_EQ(vocabulary.tokens.back(), "aaab");
}

TEST(BpeTrainer, TheSizeIsALimit) {
  EXPECT_EQ(trained({"aaabdaaabac"}, 257).merges, (std::vector<Pair>{{"a", "a"}}));
  EXPECT_EQ(trained({"aaabdaaabac"}, 1000, 3).merges, (std::vector<Pair>{{"a", "a"}}));
  EXPECT_TRUE(trained({"aaabdaaabac"}, 1000, 5).merges.empty());
}

TEST(BpeTrainer, NoTokenHasTwoDigits) {
  std::vector<std::string> texts;
  for (int i = 0; i < 200; ++i) texts.push_back("in 2024 12345 + 678 = x1y2 \u0661\u0662 \u0967");
  for (const std::string& token : trained(texts, 1000).tokens) {
    const std::string bytes = bytes_of_symbols(token).value();
    EXPECT_LE(std::ranges::count_if(bytes, [](char c) { return c >= '0' && c <= '9'; }), 1);
    EXPECT_TRUE(bytes.size() == 1 || bytes.find_first_of("0123456789") == std::string::npos);
    EXPECT_EQ(bytes.find("\u0661\u0662"), std::string::npos);
  }
}

TEST(BpeTrainer, TheBudgetEndsBetweenCharacters) {
  BpeTrainer trainer(training_stages(), 10);
  EXPECT_TRUE(trainer.add("abc"));
  EXPECT_EQ(trainer.bytes(), 3u);
  EXPECT_FALSE(trainer.add("\u6211\u6211\u6211\u6211"));
  EXPECT_EQ(trainer.bytes(), 9u);
  EXPECT_FALSE(trainer.add("\u6211"));
  EXPECT_EQ(trainer.bytes(), 9u);
}

TEST(BpeTrainer, VeryLongPiecesAreLeftOut) {
  EXPECT_TRUE(trained({std::string(1025, 'x')}, 300).merges.empty());
  EXPECT_FALSE(trained({std::string(1024, 'x')}, 300).merges.empty());
}

// Training as the paper states it: count all pairs again for each merge.
std::vector<Pair> slowly_trained(const std::vector<std::string>& words, size_t merges) {
  const BpeVocabulary bytes = trained({}, 256);
  std::vector<std::string> tokens = bytes.tokens;
  std::vector<std::vector<int>> pieces;
  for (const std::string& word : words) {
    auto& piece = pieces.emplace_back();
    for (const char c : word) {
      std::string text;
      utf8_append(text, byte_symbol(static_cast<uint8_t>(c)));
      piece.push_back(static_cast<int>(std::ranges::find(tokens, text) - tokens.begin()));
    }
  }
  std::vector<Pair> result;
  while (result.size() < merges) {
    std::map<std::pair<int, int>, int> counts;
    for (const auto& piece : pieces) {
      for (size_t i = 0; i + 1 < piece.size(); ++i) ++counts[{piece[i], piece[i + 1]}];
    }
    // Of equals the first: the map is ordered.
    const auto best = std::ranges::max_element(
        counts, [](const auto& a, const auto& b) { return a.second < b.second; });
    if (best == counts.end() || best->second < 2) break;
    const auto [left, right] = best->first;
    result.emplace_back(tokens[left], tokens[right]);
    const std::string text = tokens[left] + tokens[right];
    if (std::ranges::find(tokens, text) == tokens.end()) tokens.push_back(text);
    const int merged = static_cast<int>(std::ranges::find(tokens, text) - tokens.begin());
    for (auto& piece : pieces) {
      std::vector<int> rest;
      for (size_t i = 0; i < piece.size(); ++i) {
        const bool here = i + 1 < piece.size() && piece[i] == left && piece[i + 1] == right;
        rest.push_back(here ? merged : piece[i]);
        i += here;
      }
      piece = rest;
    }
  }
  return result;
}

TEST(BpeTrainer, AgreesWithCountingAnewForEachMerge) {
  for (uint64_t seed = 0; seed < 6; ++seed) {
    Rng rng(seed);
    std::vector<std::string> words;
    for (int i = 0; i < 300; ++i) {
      std::string word;
      for (uint64_t length = 1 + rng.below(9); length > 0; --length)
        word += static_cast<char>('a' + rng.below(2 + seed));
      words.push_back(word);
    }
    // Each word is a text, and one piece.
    EXPECT_EQ(trained(words, 256 + 80).merges, slowly_trained(words, 80)) << seed;
  }
}

TEST(BpeTrainer, TheOrderOfTextsDoesNotMatter) {
  std::vector<std::string> texts = {"the whale and the sea", "der Wal und das Meer",
                                    "\u9cb8\u9c7c\u548c\u5927\u6d77", "the sea, the sea"};
  const BpeVocabulary first = trained(texts, 300);
  std::ranges::reverse(texts);
  const BpeVocabulary second = trained(texts, 300);
  EXPECT_EQ(first.merges, second.merges);
  EXPECT_EQ(first.tokens, second.tokens);
}

}  // namespace
}  // namespace minke
