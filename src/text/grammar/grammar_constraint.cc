#include "text/grammar/grammar_constraint.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include "base/core/check.h"
#include "base/core/error.h"

namespace minke {
namespace {

// Of 16 KiB each for a vocabulary of 128k.
constexpr size_t kManyParts = 512;
// Free text is few states: of more it is not looked at, whether plain characters can follow them.
constexpr size_t kManyItems = 64;
// Recognizer::work() that masks may cost: each this much, saved up by those that cost less; the
// first ones, which make what the others look up, have the most that can be saved. A mask that has
// cost more has no further tokens of several bytes. Single bytes, with which any text can be
// written, are then tried one by one, until kWorkOfBytes if some are allowed.
constexpr int64_t kCreditOfMask = 10'000, kMostCredit = 200'000, kWorkOfBytes = 200'000;

void set_bit(std::span<uint64_t> bits, int32_t id) {
  bits[static_cast<size_t>(id) / 64] |= uint64_t{1} << (id % 64);
}

}  // namespace

GrammarConstraint::GrammarConstraint(std::shared_ptr<const Grammar> grammar,
                                     std::shared_ptr<const TokenTrie> trie,
                                     std::vector<int32_t> stop_ids)
    : trie_(std::move(trie)),
      stop_ids_(std::move(stop_ids)),
      recognizer_(std::move(grammar), trie_->single_bytes()),
      config_(recognizer_.start()),
      credit_(kMostCredit),
      path_(trie_->longest() + 1) {
  if (stop_ids_.empty()) fail("grammar", "expected a model with a token that ends a text");
  for (const int32_t id : stop_ids_) {
    if (id < 0 || id >= trie_->size()) {
      fail("grammar", "expected stop tokens below {}, found {}", trie_->size(), id);
    }
  }
  if (config_ == Recognizer::kDead) {
    fail("grammar", "expected a vocabulary that can write its texts, found one without some bytes");
  }
}

void GrammarConstraint::allowed(std::span<uint64_t> bits) {
  CHECK(bits.size() >= trie_->words());
  if (ended_) {
    add_stop(bits);
    return;
  }
  mask_begin_ = recognizer_.work();
  const auto is_empty = [&] {
    return std::ranges::all_of(bits, [](uint64_t word) { return word == 0; });
  };
  const bool cut = add_tokens(bits) && add_single_bytes(bits, kWorkOfBytes);
  take_away(bits);
  if (cut && is_empty()) {
    add_single_bytes(bits, std::numeric_limits<int64_t>::max());
    take_away(bits);
  }
  credit_ += kCreditOfMask - (recognizer_.work() - mask_begin_);
  credit_ = std::clamp(credit_, kCreditOfMask, kMostCredit);
  // A vocabulary may lack the bytes for one more name: then the text cannot go on.
  if (recognizer_.can_end(config_) || is_empty()) add_stop(bits);
}

bool GrammarConstraint::add_tokens(std::span<uint64_t> bits) {
  Recognizer::Items items = recognizer_.items(config_);
  std::sort(items.begin(), items.end(), [](const auto& a, const auto& b) {
    return std::pair(a.node, a.state) < std::pair(b.node, b.state);
  });
  bool cut = false;
  // Items on one stack are looked at together. What happens above the stack does not depend on it.
  for (size_t begin = 0, end = 0; begin < items.size(); begin = end) {
    const int32_t node = items[begin].node;
    while (end < items.size() && items[end].node == node) ++end;
    const Part& part = part_of(recognizer_.detached(std::span(items).subspan(begin, end - begin)));
    cut = cut || part.cut;
    for (size_t i = 0; i < part.bits.size(); ++i) bits[i] |= part.bits[i];
    for (const int32_t id : part.ids) set_bit(bits, id);
    if (part.leaving.empty()) continue;
    const Recognizer::Config below = recognizer_.resume(node);
    if (below == Recognizer::kDead) continue;
    for (const uint32_t at : part.leaving) cut = walk(at, below, 0, bits, nullptr) || cut;
  }
  // What was left out may be found by a later mask.
  if (cut) std::erase_if(parts_, [](const auto& part) { return part.second.cut; });
  return cut;
}

bool GrammarConstraint::add_single_bytes(std::span<uint64_t> bits, int64_t most_work) {
  const std::vector<TokenTrie::Node>& nodes = trie_->nodes();
  const int64_t begin = recognizer_.work();
  for (uint32_t i = 1; i < nodes[0].end; i = nodes[i].end) {
    if (recognizer_.work() - begin > most_work) return true;
    if (recognizer_.step(config_, nodes[i].byte) == Recognizer::kDead) continue;
    for (uint32_t k = nodes[i].first_id; k < nodes[i + 1].first_id; ++k) {
      set_bit(bits, trie_->ids()[k]);
    }
  }
  return false;
}

// Used names, and stop tokens that may be text as well.
void GrammarConstraint::take_away(std::span<uint64_t> bits) {
  if (recognizer_.grammar().unique_names()) guard_.forbid(*trie_, bits);
  for (const int32_t id : stop_ids_) {
    bits[static_cast<size_t>(id) / 64] &= ~(uint64_t{1} << (id % 64));
  }
}

void GrammarConstraint::accept(int32_t id) {
  const bool stops = std::find(stop_ids_.begin(), stop_ids_.end(), id) != stop_ids_.end();
  if (ended_ || stops) {
    CHECK(stops);
    ended_ = true;
    return;
  }
  CHECK(id >= 0 && id < trie_->size() && !trie_->bytes(id).empty());
  accept_text(trie_->bytes(id));
}

bool GrammarConstraint::takes(std::string_view text) {
  if (ended_) return text.empty();
  Recognizer::Config config = config_;
  for (const char c : text) {
    config = recognizer_.step(config, static_cast<uint8_t>(c));
    if (config == Recognizer::kDead) return false;
  }
  return true;
}

void GrammarConstraint::accept_text(std::string_view text) {
  for (const char c : text) {
    config_ = recognizer_.step(config_, static_cast<uint8_t>(c));
    CHECK(config_ != Recognizer::kDead);
  }
  if (recognizer_.grammar().unique_names()) guard_.add(text);
  bool forgot = false;
  config_ = recognizer_.settle(config_, forgot);
  if (forgot || parts_.size() > kManyParts) parts_.clear();
}

void GrammarConstraint::restart() {
  bool forgot = false;
  config_ = recognizer_.settle(recognizer_.start(), forgot);
  if (forgot) parts_.clear();
  guard_ = {};
  ended_ = false;
}

const GrammarConstraint::Part& GrammarConstraint::part_of(Recognizer::Config detached) {
  const auto [it, added] = parts_.try_emplace(detached);
  Part& part = it->second;
  if (!added) return part;
  // Tokens of so many plain characters are allowed whatever they are, longer ones than `most` not.
  int run = 0, most = 0;
  const Recognizer::Items& items = recognizer_.items(detached);
  if (items.size() > kManyItems) {
    most = Recognizer::kManyPlain + 1;
  } else {
    for (const Recognizer::Item& item : items) {
      run = std::max(run, recognizer_.plain_run(item.state));
      most = std::max(most, recognizer_.plain_most(item.state));
    }
  }
  if (run > 0) {
    part.bits = trie_->slice(static_cast<size_t>(run) - 1);
  } else {
    part.bits.resize(trie_->words());
  }
  // How many characters the tokens may have of which no more needs to be known.
  const int settled = most <= run ? TokenTrie::kLevels : run;
  part.cut = walk(0, detached, settled, part.bits, &part.leaving);
  size_t count = 0;
  for (const uint64_t word : part.bits) count += static_cast<size_t>(std::popcount(word));
  if (count <= part.bits.size()) {
    for (size_t i = 0; i < part.bits.size(); ++i) {
      for (uint64_t word = part.bits[i]; word != 0; word &= word - 1) {
        part.ids.push_back(static_cast<int32_t>(i * 64 + std::countr_zero(word)));
      }
    }
    part.bits = {};
  }
  return part;
}

bool GrammarConstraint::walk(uint32_t node, Recognizer::Config config, int settled,
                             std::span<uint64_t> bits, std::vector<uint32_t>* leaving) {
  const std::vector<TokenTrie::Node>& nodes = trie_->nodes();
  const uint32_t end = nodes[node].end;
  path_[nodes[node].depth] = config;
  for (uint32_t i = node + 1; i < end;) {
    const TokenTrie::Node& at = nodes[i];
    if (at.level < settled) {
      i = at.end;
      continue;
    }
    if (recognizer_.work() - mask_begin_ > credit_) return true;
    const Recognizer::Config next = recognizer_.step(path_[at.depth - 1u], at.byte);
    if (next == Recognizer::kDead) {
      i = at.end;
      continue;
    }
    path_[at.depth] = next;
    for (uint32_t k = at.first_id; k < nodes[i + 1].first_id; ++k) set_bit(bits, trie_->ids()[k]);
    if (leaving != nullptr && at.end > i + 1 && recognizer_.can_end(next)) leaving->push_back(i);
    ++i;
  }
  return false;
}

void GrammarConstraint::add_stop(std::span<uint64_t> bits) const {
  for (const int32_t id : stop_ids_) set_bit(bits, id);
}

}  // namespace minke
