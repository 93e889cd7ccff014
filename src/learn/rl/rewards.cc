#include "learn/rl/rewards.h"

#include <algorithm>

#include <utf8proc.h>

#include "base/core/utf8.h"
#include "learn/tasks/boxed.h"
#include "learn/tasks/language_consistency.h"

namespace minke {
namespace {

// A letter or a digit of any script.
bool says_something(std::string_view text) {
  while (!text.empty()) {
    const size_t length = utf8_sequence_length(text);
    if (length > 0) {
      const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(utf8_decode(text)));
      if (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) return true;
      if (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO) return true;
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return false;
}

bool marks_thinking(std::string_view text) {
  return text.find("<think>") != text.npos || text.find("</think>") != text.npos;
}

double length_reward(int64_t tokens, int64_t limit) {
  const double free = 0.8 * static_cast<double>(limit);
  const double over = static_cast<double>(tokens) - free;
  return over <= 0 ? 0 : -std::min(1.0, over / (static_cast<double>(limit) - free));
}

}  // namespace

bool well_formed(const Reply& reply) {
  return !reply.cut && says_something(reply.reasoning) && !marks_thinking(reply.reasoning) &&
         !marks_thinking(reply.content) && boxed_content(reply.content).has_value();
}

Rewards judge(const Question& question, const Reply& reply, int64_t limit) {
  Rewards rewards;
  rewards.length = length_reward(reply.tokens, limit);
  if (!well_formed(reply)) return rewards;
  rewards.format = 1;
  if (!question.accepts(reply.content)) return rewards;
  rewards.accuracy = 1;
  const LanguageShare words = language_share(reply.reasoning, question.text, question.language);
  if (words.judged > 0) rewards.language = words.share();
  return rewards;
}

}  // namespace minke
