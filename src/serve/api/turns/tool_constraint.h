#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "text/chat/chat.h"
#include "text/grammar/grammar.h"
#include "text/grammar/token_constraint.h"
#include "text/grammar/token_trie.h"

namespace minke {

// How a chat format writes a call of one tool: ids before its arguments and behind them.
struct CallFrame {
  std::vector<int32_t> before, after;
  std::shared_ptr<const Grammar> arguments;
};

// Read off what the renderer makes of a call of `name`. `after` ends with the reply's end token.
CallFrame call_frame(const ChatRenderer& renderer, const Tokenizer& tokenizer,
                     const std::string& name, std::shared_ptr<const Grammar> arguments);

// The arguments of a call, until the token that follows them in its frame. That token may be one of
// those that arguments are written with, such as a brace: it ends them only where they may end.
class CallArguments {
 public:
  CallArguments(const CallFrame& frame, const std::shared_ptr<const TokenTrie>& trie);
  void allowed(std::span<uint64_t> bits);
  // True if `id` follows the arguments; to be called behind allowed().
  bool ends_with(int32_t id);

 private:
  int32_t end_, stop_;  // the token that follows; the reply's end token, which stands for it
  bool may_end_ = false;
  std::unique_ptr<TokenConstraint> grammar_;
};

// A reply that is one call of one of `frames`, and nothing else.
class RequiredCall final : public TokenConstraint {
 public:
  RequiredCall(std::vector<CallFrame> frames, std::shared_ptr<const TokenTrie> trie);
  void allowed(std::span<uint64_t> bits) override;
  void accept(int32_t id) override;

 private:
  std::vector<CallFrame> frames_;  // those that fit what was drawn
  std::shared_ptr<const TokenTrie> trie_;
  size_t position_ = 0;                     // in `before`, then in `after`
  std::optional<CallArguments> arguments_;  // while they are written
  bool behind_arguments_ = false;
};

// Free text in which the arguments of calls follow their schemas: a call is known by what stands
// before its arguments, blanks left out.
class CheckedCalls final : public TokenConstraint {
 public:
  CheckedCalls(std::vector<CallFrame> frames, std::shared_ptr<const TokenTrie> trie,
               const Tokenizer& tokenizer);
  void allowed(std::span<uint64_t> bits) override;
  void accept(int32_t id) override;

 private:
  std::vector<CallFrame> frames_;
  std::vector<std::string> openings_;  // of each frame, without blanks
  std::shared_ptr<const TokenTrie> trie_;
  const Tokenizer& tokenizer_;
  size_t longest_ = 0;
  std::string text_;  // the end of what was drawn, without blanks
  std::optional<CallArguments> arguments_;
};

}  // namespace minke
