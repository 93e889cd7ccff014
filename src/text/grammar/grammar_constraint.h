#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "text/grammar/grammar.h"
#include "text/grammar/name_guard.h"
#include "text/grammar/recognizer.h"
#include "text/grammar/token_constraint.h"
#include "text/grammar/token_trie.h"

namespace minke {

// Keeps what is drawn within a grammar: a token is allowed if the text with it is the beginning of
// a text of the grammar that the vocabulary can finish, a stop token if the text is one. Where the
// text so far has so many meanings that following them takes long, tokens of several bytes may be
// left out.
class GrammarConstraint : public TokenConstraint {
 public:
  // `stop_ids` end the text. Throws Error if there are none, if one is no id of the vocabulary, and
  // if no text of the grammar can be written with the vocabulary.
  GrammarConstraint(std::shared_ptr<const Grammar> grammar, std::shared_ptr<const TokenTrie> trie,
                    std::vector<int32_t> stop_ids);

  void allowed(std::span<uint64_t> bits) override;
  void accept(int32_t id) override;

  // Whether `text`, a part of a token, may follow. Names that are used already are not looked at.
  bool takes(std::string_view text);
  // The text goes on with `text`, which takes() allows.
  void accept_text(std::string_view text);
  // Whether the text may end here.
  bool can_end() const { return ended_ || recognizer_.can_end(config_); }
  // Back to the beginning of a text.
  void restart();

 private:
  // The tokens that stay above a stack or end just on it, and where the others leave it.
  struct Part {
    std::vector<uint64_t> bits;  // empty if there are few ids
    std::vector<int32_t> ids;
    std::vector<uint32_t> leaving;  // nodes of the trie
    bool cut = false;               // some were left out
  };

  // Both return whether the work that a mask may cost left tokens out.
  bool add_tokens(std::span<uint64_t> bits);
  bool add_single_bytes(std::span<uint64_t> bits, int64_t most_work);
  void take_away(std::span<uint64_t> bits);
  const Part& part_of(Recognizer::Config detached);
  // Tokens below `node` of the trie (itself left out) that `config` takes. `leaving`, if not null,
  // gets the nodes at which it can end. Subtrees of levels below `settled` are passed over. Returns
  // whether tokens were left out for want of credit.
  bool walk(uint32_t node, Recognizer::Config config, int settled, std::span<uint64_t> bits,
            std::vector<uint32_t>* leaving);
  void add_stop(std::span<uint64_t> bits) const;

  std::shared_ptr<const TokenTrie> trie_;
  std::vector<int32_t> stop_ids_;
  Recognizer recognizer_;
  Recognizer::Config config_;
  NameGuard guard_;
  bool ended_ = false;
  int64_t credit_;          // work that the next mask may cost
  int64_t mask_begin_ = 0;  // recognizer_.work() before the current one
  std::unordered_map<Recognizer::Config, Part> parts_;
  std::vector<Recognizer::Config> path_;  // scratch of walk(), by depth
};

}  // namespace minke
