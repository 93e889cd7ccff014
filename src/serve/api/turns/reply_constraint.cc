#include "serve/api/turns/reply_constraint.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/core/check.h"
#include "serve/api/turns/bound_text.h"
#include "serve/api/turns/free_text.h"

namespace minke {
namespace {

bool has(std::span<const uint64_t> bits, int32_t id) {
  return (bits[static_cast<size_t>(id) / 64] >> (id % 64) & 1) != 0;
}

// A text of one of several grammars: of all that fit what was written.
class OneOf {
 public:
  void add(std::unique_ptr<BoundText> text) { texts_.push_back({std::move(text), {}}); }
  bool empty() const { return texts_.empty(); }

  void allowed(std::span<uint64_t> bits) {
    for (Text& text : texts_) {
      text.mask.assign(bits.size(), 0);
      text.bound->allowed(text.mask);
      for (size_t i = 0; i < bits.size(); ++i) bits[i] |= text.mask[i];
    }
  }
  // To be called behind allowed().
  void accept(int32_t id) {
    if (texts_.size() > 1) {
      std::erase_if(texts_, [&](const Text& text) { return !has(text.mask, id); });
    }
    CHECK(!texts_.empty());
    for (Text& text : texts_) text.bound->accept(id);
  }
  bool takes(std::string_view part) {
    return std::any_of(texts_.begin(), texts_.end(),
                       [&](const Text& text) { return text.bound->takes(part); });
  }
  void accept_text(std::string_view part) {
    std::erase_if(texts_, [&](const Text& text) { return !text.bound->takes(part); });
    CHECK(!texts_.empty());
    for (Text& text : texts_) text.bound->accept_text(part);
  }

 private:
  struct Text {
    std::unique_ptr<BoundText> bound;
    std::vector<uint64_t> mask;  // of the last allowed()
  };
  std::vector<Text> texts_;
};

class ReplyConstraint final : public TokenConstraint {
 public:
  explicit ReplyConstraint(std::shared_ptr<const ReplyRules> rules)
      : rules_(std::move(rules)),
        stage_(rules_->starts_in_thinking ? Stage::kThinking : Stage::kAnswer),
        thinking_(*rules_->vocabulary, marker_set(Marker::kThinkEnd)),
        free_(*rules_->vocabulary, marker_set(Marker::kCallBegin)) {
    using Plain = BoundText::Plain;
    const auto bound = [&](const std::shared_ptr<const Grammar>& grammar, Plain plain) {
      return std::make_unique<BoundText>(grammar, rules_->vocabulary, rules_->stop_ids, plain);
    };
    if (rules_->format) {
      const Plain plain = rules_->format_is_json ? Plain::kStrings : Plain::kEverywhere;
      answer_.add(bound(rules_->format, plain));
    }
    if (rules_->calls) answer_.add(bound(rules_->calls, Plain::kStrings));
    if (rules_->inside) call_ = bound(rules_->inside, Plain::kStrings);
    CHECK(answer_.empty() == (call_ != nullptr));
  }

  void allowed(std::span<uint64_t> bits) override {
    switch (stage_) {
      case Stage::kThinking:
        thinking_.allowed(bits, [&](std::string_view rest) { return answer_takes(rest); });
        clear_stops(bits);
        return;
      case Stage::kAnswer:
        if (call_ == nullptr) {
          answer_.allowed(bits);
        } else {
          free_.allowed(bits, [&](std::string_view rest) { return call_->takes(rest); });
        }
        break;
      case Stage::kCall:
        call_->allowed(bits);
        break;
    }
    if (rules_->ignore_stop || drawn_ < rules_->min_tokens) put_off_stops(bits);
  }

  void accept(int32_t id) override {
    ++drawn_;
    switch (stage_) {
      case Stage::kThinking:
        if (const auto rest = thinking_.accept(id)) begin_answer(*rest);
        break;
      case Stage::kAnswer:
        if (call_ == nullptr) {
          answer_.accept(id);
        } else if (const auto rest = free_.accept(id)) {
          begin_call(*rest);
        }
        break;
      case Stage::kCall:
        call_->accept(id);
        end_call();
    }
  }

 private:
  enum class Stage { kThinking, kAnswer, kCall };  // kCall: inside a call of a free reply

  bool answer_takes(std::string_view rest) {
    if (call_ == nullptr) return answer_.takes(rest);
    FreeText copy = free_;
    const auto inside = copy.accept_text(rest);
    return !inside || call_->takes(*inside);
  }

  void begin_answer(std::string_view rest) {
    stage_ = Stage::kAnswer;
    if (rest.empty()) return;
    if (call_ == nullptr) {
      answer_.accept_text(rest);
    } else if (const auto inside = free_.accept_text(rest)) {
      begin_call(*inside);
    }
  }

  void begin_call(std::string_view rest) {
    stage_ = Stage::kCall;
    call_->accept_text(rest);
    end_call();
  }

  void end_call() {
    if (!call_->can_end()) return;
    call_->restart();
    stage_ = Stage::kAnswer;
  }

  void clear_stops(std::span<uint64_t> bits) const {
    for (const int32_t id : rules_->stop_ids) {
      bits[static_cast<size_t>(id) / 64] &= ~(uint64_t{1} << (id % 64));
    }
  }

  // Where nothing but the end may follow, the reply ends.
  void put_off_stops(std::span<uint64_t> bits) {
    saved_.assign(bits.begin(), bits.end());
    clear_stops(bits);
    const auto none = [](uint64_t word) { return word == 0; };
    if (std::all_of(bits.begin(), bits.end(), none)) {
      std::copy(saved_.begin(), saved_.end(), bits.begin());
    }
  }

  std::shared_ptr<const ReplyRules> rules_;
  Stage stage_;
  FreeText thinking_, free_;
  OneOf answer_;                     // empty: the answer is free
  std::unique_ptr<BoundText> call_;  // of a free answer; at its beginning outside calls
  int64_t drawn_ = 0;
  std::vector<uint64_t> saved_;  // scratch of put_off_stops()
};

}  // namespace

std::unique_ptr<TokenConstraint> reply_constraint(std::shared_ptr<const ReplyRules> rules) {
  return std::make_unique<ReplyConstraint>(std::move(rules));
}

}  // namespace minke
