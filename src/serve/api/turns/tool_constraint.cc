#include "serve/api/turns/tool_constraint.h"

#include <algorithm>

#include "base/core/check.h"
#include "text/grammar/grammar_constraint.h"

namespace minke {
namespace {

// Arguments that no tool has, to find where they stand.
constexpr std::string_view kMark = R"({"minke-arguments":0})";

void set_bit(std::span<uint64_t> bits, int32_t id) {
  bits[static_cast<size_t>(id) / 64] |= uint64_t{1} << (id % 64);
}

bool is_blank(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

std::string without_blanks(std::string_view text) {
  std::string out;
  std::copy_if(text.begin(), text.end(), std::back_inserter(out),
               [](char c) { return !is_blank(c); });
  return out;
}

}  // namespace

CallFrame call_frame(const ChatRenderer& renderer, const Tokenizer& tokenizer,
                     const std::string& name, std::shared_ptr<const Grammar> arguments) {
  Message call;
  call.role = Role::kAssistant;
  call.tool_calls.push_back({name, std::string(kMark)});
  const std::vector<int32_t> ids = renderer.render_reply(call, false);
  const std::string text = tokenizer.decode(ids, true);
  // Renderers may write the mark with blanks of their own.
  const size_t begin = text.find("{\"minke-arguments\"");
  CHECK(begin != std::string::npos);
  const size_t end = text.find('}', begin) + 1;

  CallFrame frame;
  frame.arguments = std::move(arguments);
  size_t at = 0;
  for (const int32_t id : ids) {
    const std::string_view bytes = tokenizer.bytes(id, true);
    const size_t next = at + bytes.size();
    const auto add_part = [&](std::vector<int32_t>& to, size_t from, size_t until) {
      if (from == at && until == next) {
        to.push_back(id);
      } else if (from < until) {
        // The token reaches into the arguments; what is left of it is encoded anew.
        const auto part = tokenizer.encode(bytes.substr(from - at, until - from));
        to.insert(to.end(), part.begin(), part.end());
      }
    };
    add_part(frame.before, at, std::min(next, begin));
    if (next > end || (next == at && at >= end)) add_part(frame.after, std::max(at, end), next);
    at = next;
  }
  CHECK(!frame.before.empty() && !frame.after.empty());
  return frame;
}

CallArguments::CallArguments(const CallFrame& frame, const std::shared_ptr<const TokenTrie>& trie)
    : end_(frame.after.front()),
      stop_(frame.after.back()),
      grammar_(std::make_unique<GrammarConstraint>(frame.arguments, trie,
                                                   std::vector<int32_t>{stop_})) {}

void CallArguments::allowed(std::span<uint64_t> bits) {
  grammar_->allowed(bits);
  uint64_t& word = bits[static_cast<size_t>(stop_) / 64];
  const uint64_t stop = uint64_t{1} << (stop_ % 64);
  may_end_ = (word & stop) != 0;
  word &= ~stop;
  if (may_end_) set_bit(bits, end_);
}

bool CallArguments::ends_with(int32_t id) {
  // Behind a closed object come no more than blanks, which no format has next to a call's end.
  if (may_end_ && id == end_) return true;
  grammar_->accept(id);
  return false;
}

RequiredCall::RequiredCall(std::vector<CallFrame> frames, std::shared_ptr<const TokenTrie> trie)
    : frames_(std::move(frames)), trie_(std::move(trie)) {
  CHECK(!frames_.empty());
}

void RequiredCall::allowed(std::span<uint64_t> bits) {
  if (arguments_) return arguments_->allowed(bits);
  for (const CallFrame& frame : frames_) {
    const auto& ids = behind_arguments_ ? frame.after : frame.before;
    set_bit(bits, ids[std::min(position_, ids.size() - 1)]);
  }
}

void RequiredCall::accept(int32_t id) {
  if (arguments_) {
    if (!arguments_->ends_with(id)) return;
    arguments_.reset();
    behind_arguments_ = true;
    position_ = 1;
    return;
  }
  if (behind_arguments_) {
    ++position_;
    return;
  }
  std::erase_if(frames_, [&](const CallFrame& frame) {
    return position_ >= frame.before.size() || frame.before[position_] != id;
  });
  CHECK(!frames_.empty());
  ++position_;
  const auto whole = std::find_if(frames_.begin(), frames_.end(), [&](const CallFrame& frame) {
    return frame.before.size() == position_;
  });
  if (whole == frames_.end()) return;
  frames_ = {*whole};
  arguments_.emplace(frames_.front(), trie_);
}

CheckedCalls::CheckedCalls(std::vector<CallFrame> frames, std::shared_ptr<const TokenTrie> trie,
                           const Tokenizer& tokenizer)
    : frames_(std::move(frames)), trie_(std::move(trie)), tokenizer_(tokenizer) {
  for (const CallFrame& frame : frames_) {
    openings_.push_back(without_blanks(tokenizer.decode(frame.before, true)));
    longest_ = std::max(longest_, openings_.back().size());
  }
}

void CheckedCalls::allowed(std::span<uint64_t> bits) {
  if (arguments_) return arguments_->allowed(bits);
  std::fill(bits.begin(), bits.end(), ~uint64_t{0});
}

void CheckedCalls::accept(int32_t id) {
  if (arguments_) {
    if (!arguments_->ends_with(id)) return;
    arguments_.reset();
    text_.clear();
    return;
  }
  text_ += without_blanks(tokenizer_.bytes(id, true));
  if (text_.size() > 4 * longest_) text_.erase(0, text_.size() - 2 * longest_);
  for (size_t i = 0; i < frames_.size(); ++i) {
    if (!text_.ends_with(openings_[i])) continue;
    arguments_.emplace(frames_[i], trie_);
    return;
  }
}

}  // namespace minke
