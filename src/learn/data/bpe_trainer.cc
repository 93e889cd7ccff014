#include "learn/data/bpe_trainer.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <queue>

#include "base/core/check.h"
#include "base/core/utf8.h"
#include "text/tokenizer/byte_alphabet.h"

namespace minke {
namespace {

constexpr size_t kBytes = 256;

// Longer pieces (drawn lines, data in base 64) hold no words, and cost time with every merge.
constexpr size_t kLongestPiece = 1024;

constexpr uint64_t pair_of(int32_t left, int32_t right) {
  return static_cast<uint64_t>(left) << 32 | static_cast<uint32_t>(right);
}

// The bytes in the order of the characters that stand for them.
std::array<uint8_t, kBytes> bytes_by_symbol() {
  std::array<uint8_t, kBytes> bytes;
  std::iota(bytes.begin(), bytes.end(), uint8_t{0});
  std::ranges::sort(bytes, {}, byte_symbol);
  return bytes;
}

// The pieces as sequences of tokens, and the pairs within them.
class Merging {
 public:
  Merging(const std::unordered_map<std::string, uint64_t>& pieces, BpeVocabulary& vocabulary)
      : vocabulary_(vocabulary) {
    add_bytes();
    for (const auto& [piece, count] : pieces) add_word(piece, count);
    for (const auto& [pair, occurrences] : pairs_) queue_.push({occurrences.count, pair});
  }

  // Merges the most frequent pair; false if none occurs `least_count` times.
  bool step(uint64_t least_count) {
    while (!queue_.empty()) {
      Candidate best = queue_.top();
      queue_.pop();
      Occurrences& occurrences = pairs_.at(best.pair);
      if (occurrences.merged) continue;
      // Counts in the queue are those of when they were put there.
      if (occurrences.count != best.count) {
        best.count = occurrences.count;
        queue_.push(best);
        continue;
      }
      if (best.count < std::max(least_count, uint64_t{1})) return false;
      occurrences.merged = true;
      merge(best.pair, std::exchange(occurrences.words, {}));
      return true;
    }
    return false;
  }

 private:
  struct Word {
    size_t begin, length;  // in symbols_
    uint64_t count;
  };
  struct Occurrences {
    uint64_t count = 0;
    std::vector<uint32_t> words;  // that hold the pair, or did
    bool merged = false;
  };
  struct Candidate {
    uint64_t count, pair;
    bool operator<(const Candidate& other) const {
      return count != other.count ? count < other.count : pair > other.pair;
    }
  };

  void add_bytes() {
    for (const uint8_t byte : bytes_by_symbol()) {
      symbol_of_byte_[byte] = static_cast<int32_t>(vocabulary_.tokens.size());
      std::string text;
      utf8_append(text, byte_symbol(byte));
      add_token(text);
    }
  }

  int32_t add_token(const std::string& text) {
    const auto [place, is_new] =
        ids_.emplace(text, static_cast<int32_t>(vocabulary_.tokens.size()));
    if (is_new) vocabulary_.tokens.push_back(text);
    return place->second;
  }

  void add_word(std::string_view piece, uint64_t count) {
    const auto number = static_cast<uint32_t>(words_.size());
    words_.push_back({symbols_.size(), piece.size(), count});
    for (const char c : piece) symbols_.push_back(symbol_of_byte_[static_cast<uint8_t>(c)]);
    const int32_t* symbol = symbols_.data() + words_.back().begin;
    for (size_t i = 0; i + 1 < piece.size(); ++i) gain(symbol[i], symbol[i + 1], number);
  }

  void gain(int32_t left, int32_t right, uint32_t word) {
    Occurrences& occurrences = pairs_[pair_of(left, right)];
    occurrences.count += words_[word].count;
    if (occurrences.words.empty() || occurrences.words.back() != word)
      occurrences.words.push_back(word);
  }

  void lose(int32_t left, int32_t right, uint32_t word) {
    pairs_[pair_of(left, right)].count -= words_[word].count;
  }

  void merge(uint64_t pair, const std::vector<uint32_t>& words) {
    const auto left = static_cast<int32_t>(pair >> 32), right = static_cast<int32_t>(pair);
    const std::string left_text = vocabulary_.tokens[left], right_text = vocabulary_.tokens[right];
    vocabulary_.merges.emplace_back(left_text, right_text);
    const int32_t result = add_token(left_text + right_text);
    gained_.clear();
    for (const uint32_t word : words) merge_in_word(word, left, right, result);
    std::ranges::sort(gained_);
    const auto doubles = std::ranges::unique(gained_);
    gained_.erase(doubles.begin(), doubles.end());
    for (const uint64_t gained : gained_) queue_.push({pairs_.at(gained).count, gained});
  }

  void merge_in_word(uint32_t number, int32_t left, int32_t right, int32_t result) {
    Word& word = words_[number];
    int32_t* symbol = symbols_.data() + word.begin;
    const auto replace = [&](int32_t old_left, int32_t old_right, int32_t new_left,
                             int32_t new_right) {
      lose(old_left, old_right, number);
      gain(new_left, new_right, number);
      gained_.push_back(pair_of(new_left, new_right));
    };
    size_t kept = 0;
    for (size_t i = 0; i < word.length;) {
      if (i + 1 == word.length || symbol[i] != left || symbol[i + 1] != right) {
        symbol[kept++] = symbol[i++];
        continue;
      }
      if (kept > 0) replace(symbol[kept - 1], left, symbol[kept - 1], result);
      if (i + 2 < word.length) replace(right, symbol[i + 2], result, symbol[i + 2]);
      symbol[kept++] = result;
      i += 2;
    }
    word.length = kept;
  }

  BpeVocabulary& vocabulary_;
  std::unordered_map<std::string, int32_t> ids_;
  std::array<int32_t, kBytes> symbol_of_byte_{};
  std::vector<int32_t> symbols_;
  std::vector<Word> words_;
  std::unordered_map<uint64_t, Occurrences> pairs_;
  std::priority_queue<Candidate> queue_;
  std::vector<uint64_t> gained_;  // pairs that a merge made
};

}  // namespace

BpeTrainer::BpeTrainer(const std::vector<PreTokenizerStage>& stages, uint64_t byte_budget)
    : pre_tokenizer_(stages, "training of a tokenizer"), budget_(byte_budget) {}

bool BpeTrainer::add(std::string_view text) {
  CHECK(utf8_valid(text));
  if (text.size() > budget_ - bytes_)
    text = text.substr(0, utf8_complete_prefix(text.substr(0, budget_ - bytes_)));
  const auto scratch = pre_tokenizer_.make_scratch(text.size());
  for (const std::string_view piece : pre_tokenizer_.split(text, *scratch)) {
    if (piece.size() <= kLongestPiece) ++pieces_[std::string(piece)];
  }
  bytes_ += text.size();
  // What is left of the budget may be too little for a character.
  return budget_ - bytes_ >= 4;
}

BpeVocabulary BpeTrainer::train(size_t size, uint64_t least_count,
                                const std::function<void(size_t)>& told) const {
  CHECK(size >= kBytes && size < INT32_MAX);
  BpeVocabulary vocabulary;
  Merging merging(pieces_, vocabulary);
  while (vocabulary.tokens.size() < size && merging.step(least_count)) {
    told(vocabulary.tokens.size());
  }
  return vocabulary;
}

}  // namespace minke
