#include "text/grammar/grammar_constraint.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/core/check.h"
#include "base/core/error.h"

namespace minke {
namespace {

// Of 16 KiB each for a vocabulary of 128k.
constexpr size_t kManyParts = 512;
// A grammar may have so many meanings at a place that each byte takes long to follow. So that a
// mask takes milliseconds at most, it has no more tokens of several bytes once it has cost
// kWorkForLong (Recognizer::work()), and none at all after kWorkForAny. Texts can then still be
// written, byte by byte.
constexpr int64_t kWorkForLong = 10'000, kWorkForAny = 100'000;

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
  add_allowed(bits);
  const auto none = [](uint64_t word) { return word == 0; };
  if (passed_over_ && std::all_of(bits.begin(), bits.end(), none)) {
    parts_.clear();
    bounded_ = false;
    add_allowed(bits);
    bounded_ = true;
  }
  // A vocabulary may lack the bytes for one more name: then the text cannot go on.
  if (recognizer_.can_end(config_) || std::all_of(bits.begin(), bits.end(), none)) add_stop(bits);
}

// The tokens that may follow, without those that end the text.
void GrammarConstraint::add_allowed(std::span<uint64_t> bits) {
  mask_begin_ = recognizer_.work();
  passed_over_ = false;
  Recognizer::Items items = recognizer_.items(config_);
  std::sort(items.begin(), items.end(), [](const auto& a, const auto& b) {
    return std::pair(a.node, a.state) < std::pair(b.node, b.state);
  });
  // Items on one stack are looked at together. What happens above the stack does not depend on it.
  for (size_t begin = 0, end = 0; begin < items.size(); begin = end) {
    const int32_t node = items[begin].node;
    while (end < items.size() && items[end].node == node) ++end;
    const Part& part = part_of(recognizer_.detached(std::span(items).subspan(begin, end - begin)));
    for (size_t i = 0; i < part.bits.size(); ++i) bits[i] |= part.bits[i];
    for (const int32_t id : part.ids) set_bit(bits, id);
    if (part.leaving.empty()) continue;
    const Recognizer::Config below = recognizer_.resume(node);
    if (below == Recognizer::kDead) continue;
    for (const uint32_t at : part.leaving) walk(at, below, 0, bits, nullptr);
  }
  if (recognizer_.grammar().unique_names()) guard_.forbid(*trie_, bits);
  for (const int32_t id : stop_ids_) {
    bits[static_cast<size_t>(id) / 64] &= ~(uint64_t{1} << (id % 64));  // may be text, too
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
  for (const Recognizer::Item& item : recognizer_.items(detached)) {
    run = std::max(run, recognizer_.plain_run(item.state));
    most = std::max(most, recognizer_.plain_most(item.state));
  }
  if (run > 0) {
    part.bits = trie_->slice(static_cast<size_t>(run) - 1);
  } else {
    part.bits.resize(trie_->words());
  }
  // How many characters the tokens may have of which no more needs to be known.
  const int settled = most <= run ? TokenTrie::kLevels : run;
  walk(0, detached, settled, part.bits, &part.leaving);
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

void GrammarConstraint::walk(uint32_t node, Recognizer::Config config, int settled,
                             std::span<uint64_t> bits, std::vector<uint32_t>* leaving) {
  const std::vector<TokenTrie::Node>& nodes = trie_->nodes();
  const uint32_t end = nodes[node].end;
  path_[nodes[node].depth] = config;
  for (uint32_t i = node + 1; i < end;) {
    const TokenTrie::Node& at = nodes[i];
    if (at.level < settled || too_dear(at.depth)) {
      i = at.end;
      continue;
    }
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
}

bool GrammarConstraint::too_dear(uint16_t depth) {
  const int64_t cost = recognizer_.work() - mask_begin_;
  const bool dear = bounded_ && cost > (depth > 1 ? kWorkForLong : kWorkForAny);
  passed_over_ = passed_over_ || dear;
  return dear;
}

void GrammarConstraint::add_stop(std::span<uint64_t> bits) const {
  for (const int32_t id : stop_ids_) set_bit(bits, id);
}

}  // namespace minke
