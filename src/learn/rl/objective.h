#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "learn/train/recipe/recipe.h"

namespace minke {

// Group-relative policy optimization (GRPO; Shao et al., DeepSeekMath, arXiv 2402.03300, section
// 4.1), with the choices of DAPO (Yu et al., arXiv 2503.14476) and Dr. GRPO (Liu et al., arXiv
// 2503.20783) as settings. To a question q a group of G replies o_i is sampled from the policy that
// is, pi_old, and rewarded with R_i. What is minimized is
//
//   -1/Z sum_i sum_t  z_i [ min(r A_i, clip(r, 1 - low, 1 + high) A_i) - beta D ],
//
//   r = pi(o_it | q, o_i<t) / pi_old(o_it | q, o_i<t),
//   D = e^d - d - 1,  d = ln pi_ref(o_it | ...) - ln pi(o_it | ...),
//
// where D estimates the divergence from the first model (Schulman 2020, "k3"), and
//
//   advantage "mean"                A_i = R_i - mean(R)                  (Dr. GRPO, section 3.2)
//             "mean-and-deviation"  A_i = (R_i - mean(R)) / sd(R)       (GRPO)
//   normalizer "constant"  z_i = 1, Z = prompts * group * reply_tokens / updates, as the recipe has
//                          them, however many replies teach    (Dr. GRPO, section 3.2)
//              "tokens"    z_i = 1, Z = sum_i |o_i|              (DAPO, equation 12)
//              "reply"     z_i = 1 / |o_i|, Z = replies          (GRPO, equation 3)
//
// where i runs over the replies of an update that are not masked. With one update for the replies
// of a step pi is pi_old, to the bit: r = 1, and nothing is clipped.

// A_i of the rewards of a group. Replies that are masked get 0 and do not count in the mean. All
// are 0 if the rewards that count are equal: such a group has no signal.
std::vector<double> advantages(std::span<const double> rewards, const std::vector<bool>& masked,
                               AdvantageKind kind);

// z_i / Z for each reply of an update that is not masked, from the numbers of their tokens.
std::vector<double> token_weights(std::span<const int64_t> tokens, const GrpoRecipe& recipe);

// One token of a reply.
struct TokenTerm {
  double weight = 0;      // that -ln pi has in a loss of the same gradient
  double divergence = 0;  // D; 0 without a reference
  bool clipped = false;
};

// `now`, `sampled`, `reference`: ln of the token's probability by pi, pi_old, and pi_ref if beta is
// above 0. d/d(ln pi) of the bracket above is r A where the minimum is not the clipped term, and
// -beta (1 - e^d).
TokenTerm token_term(double advantage, double now, double sampled, std::optional<double> reference,
                     const GrpoRecipe& recipe);

}  // namespace minke
