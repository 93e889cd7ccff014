#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "serve/api/turns/reply_vocabulary.h"
#include "text/grammar/grammar_constraint.h"

namespace minke {

// A part of a reply that is kept to a grammar, and in which no call can be forged: a marker of
// calls that is spelled within its text would be taken for one by those who read the reply.
class BoundText {
 public:
  // Where the grammar's text is only text: in the strings of its JSON, or anywhere. The markers of
  // the call that a grammar describes stand outside its strings.
  enum class Plain { kStrings, kEverywhere };

  // Throws Error as GrammarConstraint does.
  BoundText(std::shared_ptr<const Grammar> grammar,
            const std::shared_ptr<const ReplyVocabulary>& vocabulary,
            const std::vector<int32_t>& stop_ids, Plain plain);

  // As TokenConstraint has them.
  void allowed(std::span<uint64_t> bits);
  void accept(int32_t id);

  // As GrammarConstraint has them.
  bool takes(std::string_view text) { return grammar_.takes(text); }
  void accept_text(std::string_view text);
  bool can_end() const { return grammar_.can_end(); }
  void restart();

 private:
  void follow(std::string_view text);
  void forbid_forgery(std::span<uint64_t> bits);
  bool forges(std::string_view token) const;
  bool is_plain() const { return plain_ == Plain::kEverywhere || in_string_; }

  std::shared_ptr<const ReplyVocabulary> vocabulary_;
  GrammarConstraint grammar_;
  Plain plain_;
  std::string tail_;  // what may be the start of a spelled marker
  bool in_string_ = false, escaped_ = false;
  std::vector<int32_t> forged_;  // scratch of forbid_forgery()
};

}  // namespace minke
