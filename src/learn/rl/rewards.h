#pragma once

#include <cstdint>

#include "learn/eval/questions.h"
#include "learn/eval/reply.h"
#include "learn/train/recipe/recipe.h"

namespace minke {

// What a reply earns, by rules that a program can check.
struct Rewards {
  double accuracy = 0;  // 1 for a well-formed reply whose answer is right
  double format = 0;    // 1 for a well-formed reply
  double language = 0;  // of a right reply: the share of its thinking in the question's language
                        // (language_share()), 0 without a word that tells; wrong ones earn
                        // nothing by talking
  double length = 0;    // DAPO's soft punishment (arXiv 2503.14476, equation 13): 0 for as many as
                        // four fifths of the limit's tokens, from there down to -1 at the limit

  double total(const RewardWeights& weights) const {
    return weights.accuracy * accuracy + weights.format * format + weights.language * language +
           weights.length * length;
  }
};

// Whether a reply is what a reader was promised: it ends by itself; it thinks first, with at least
// one letter or digit; and what follows the thinking has one \boxed{} and no mark of thinking.
bool well_formed(const Reply& reply);

// `limit`: most tokens of a reply. Never throws, whatever the bytes.
Rewards judge(const Question& question, const Reply& reply, int64_t limit);

}  // namespace minke
