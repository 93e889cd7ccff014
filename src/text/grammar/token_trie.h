#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/grammar/automaton.h"
#include "text/tokenizer/tokenizer.h"

namespace minke {

// The tokens of a vocabulary as a tree of their bytes. Immutable and safe to share between threads;
// made once for a tokenizer.
//
// A character is plain if it needs no escape in a JSON string: all from U+0020 but " and \.
class TokenTrie {
 public:
  // All tokens that stand for text: not the special ones, nor markers (is_marker()). `marks` are
  // ids that grammars name by bytes that UTF-8 has no use for: marks[k] by kFirstMark + k. Tokens
  // with such a byte in their text are then left out. At most kMostMarks.
  explicit TokenTrie(const Tokenizer& tokenizer, std::span<const int32_t> marks = {});
  // tokens[id] are the bytes of an id, "" for one that must never be drawn.
  explicit TokenTrie(std::span<const std::string> tokens);

  static constexpr uint8_t kFirstMark = 0xf8;
  static constexpr size_t kMostMarks = 8;

  // In the order of a walk: a node stands before its children, `end` is the first node behind them.
  struct Node {
    uint32_t end = 0;
    uint32_t first_id = 0;  // ids() from here to the next node's first_id end at this node
    uint16_t depth = 0;     // bytes from the root
    uint8_t byte = 0;
    // The first level whose tokens hold all tokens here and below; kLevels if none does.
    uint8_t level = 0;
  };
  // nodes()[0] is the root; one more node than there are ends the list.
  const std::vector<Node>& nodes() const { return nodes_; }
  const std::vector<int32_t>& ids() const { return ids_; }

  // The tokens of a level consist of at most level + 1 whole plain characters, and nothing else.
  static constexpr uint8_t kLevels = 32;
  // Its ids as bits.
  const std::vector<uint64_t>& slice(size_t level) const { return slices_[level]; }

  int32_t size() const { return size_; }                         // largest id + 1
  size_t words() const { return slices_[0].size(); }             // of a mask
  std::string_view bytes(int32_t id) const;                      // "" for an id that is no text
  const ByteSet& single_bytes() const { return single_bytes_; }  // that are tokens of their own
  size_t longest() const { return longest_; }                    // bytes of the longest token
  // Ids of tokens with two quotes or more.
  const std::vector<int32_t>& quoting() const { return quoting_; }
  // The node that `text` leads to; 0 if there is none.
  uint32_t find(std::string_view text) const;
  // The tokens at `node` and below.
  std::span<const int32_t> ids_below(uint32_t node) const {
    return std::span(ids_).subspan(nodes_[node].first_id,
                                   nodes_[nodes_[node].end].first_id - nodes_[node].first_id);
  }
  // Clears the bits of the tokens at `node` and below.
  void clear_below(uint32_t node, std::span<uint64_t> bits) const;

 private:
  void build(std::vector<std::pair<std::string_view, int32_t>> tokens);
  void add_levels();

  std::string text_;
  std::vector<std::pair<uint32_t, uint32_t>> spans_;  // by id: where its bytes are in text_
  std::vector<Node> nodes_;
  std::vector<int32_t> ids_;
  std::array<std::vector<uint64_t>, kLevels> slices_;
  ByteSet single_bytes_;
  std::vector<int32_t> quoting_;
  int32_t size_ = 0;
  size_t longest_ = 0;
};

}  // namespace minke
