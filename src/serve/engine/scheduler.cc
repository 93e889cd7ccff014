#include "serve/engine/scheduler.h"

#include <algorithm>
#include <exception>
#include <map>
#include <string_view>

#include <fmt/core.h>

#include "base/core/check.h"
#include "base/core/error.h"
#include "base/cpu/topology.h"
#include "serve/engine/limits.h"

namespace minke {
namespace {

// Rows of logits that scoring a prompt takes at a time: 64 MiB for the largest vocabularies.
constexpr int64_t kScoredRows = 64;
// Fewest tokens of prompts in a pass: fewer would waste the reading of the weights.
constexpr int64_t kFewestPromptTokens = 32;
// Tokens of a common beginning that one sequence computes while the other waits.
constexpr int64_t kWorthWaiting = 16;
// How long a pass of prompts may take where nobody waits for generated tokens: what a cancelled
// request is waited for.
constexpr double kLongestPass = 1.0;
// The same, in passes of generated tokens, where somebody does.
constexpr double kPromptShare = 1.5;

}  // namespace

Scheduler::Scheduler(const Model& model, const EngineOptions& options)
    : model_(model),
      sequences_(options.sequences),
      context_tokens_(chosen_context(model, options.session.context)),
      chunk_(options.session.prefill_chunk),
      interactive_(options.interactive),
      generated_phase_(options.generated_phase),
      pool_(options.session.threads > 0 ? options.session.threads : usable_cores()),
      kernels_(select_kernels(options.session.isa)),
      context_(pool_, kernels_),
      prompts_(model, options, context_tokens_) {
  CHECK(sequences_ > 0 && chunk_ > 0);
  // Every token takes products of panels, for many passes between two changes of the weights.
  if (generated_phase_ == Phase::kPrefill) context_.set_packed_weights(&packed_weights_);
}

Scheduler::~Scheduler() = default;

void Scheduler::weights_changed() {
  prompts_.forget();
  packed_weights_.clear();
}

void Scheduler::check(const EngineRequest& request) const {
  if (request.prompt.empty()) fail("prompt", "expected at least one token, found none");
  if (static_cast<int64_t>(request.prompt.size()) > context_tokens_) {
    fail("prompt", "{} tokens do not fit into a context of {}", request.prompt.size(),
         context_tokens_);
  }
  require_in_vocabulary(model_, request.prompt);
  check_sampling(request.options.sampling);
  for (const auto& [id, bias] : request.options.sampling.logit_bias) {
    require_in_vocabulary(model_, std::span(&id, 1), "logit_bias");
  }
}

void Scheduler::submit(int64_t number, EngineRequest request,
                       std::shared_ptr<EngineListener> listener) {
  try {
    waiting_.push_back(std::make_unique<Sequence>(number, std::move(request), listener));
  } catch (const std::exception& error) {
    listener->failed(error.what());
  }
}

void Scheduler::cancel(int64_t number) {
  const auto is_it = [&](const auto& sequence) { return sequence->number == number; };
  if (const auto it = std::find_if(running_.begin(), running_.end(), is_it); it != running_.end()) {
    (*it)->reason = FinishReason::kCancelled;
    return;
  }
  const auto it = std::find_if(waiting_.begin(), waiting_.end(), is_it);
  if (it == waiting_.end()) return;
  (*it)->reason = FinishReason::kCancelled;
  end(**it);
  waiting_.erase(it);
}

void Scheduler::cancel_all() {
  for (const auto& sequence : running_) sequence->reason = FinishReason::kCancelled;
  remove_ended();
  for (const auto& sequence : waiting_) {
    sequence->reason = FinishReason::kCancelled;
    end(*sequence);
  }
  waiting_.clear();
}

// Whether much of what is not known of the prompt is being computed for another sequence right now:
// it is worth waiting for, and will be found in the cache.
bool Scheduler::awaits_prefix(const Sequence& sequence) const {
  if (sequence.request.score_prompt) return false;  // computed whole in any case
  const auto& mine = sequence.request.prompt;
  std::optional<int64_t> known;  // looked up if need be
  return std::any_of(running_.begin(), running_.end(), [&](const auto& other) {
    const auto& theirs = other->request.prompt;
    if (!other->in_prompt() || other->request.owner != sequence.request.owner) return false;
    const auto [end, unused] =
        std::mismatch(mine.begin(), mine.end(), theirs.begin(), theirs.end());
    const int64_t common = end - mine.begin();
    if (common < kWorthWaiting || common * 2 < sequence.prompt_tokens()) return false;
    if (!known) known = prompts_.known(sequence.request);
    return common - *known >= kWorthWaiting &&
           (common - *known) * 2 >= sequence.prompt_tokens() - *known;
  });
}

// The first of those whose caller has fewest sequences running.
std::optional<size_t> Scheduler::next_to_admit() const {
  std::map<std::string_view, int> places;
  for (const auto& sequence : running_) ++places[sequence->request.caller];
  std::optional<size_t> best;
  for (size_t i = 0; i < waiting_.size(); ++i) {
    const Sequence& sequence = *waiting_[i];
    if (best && places[sequence.request.caller] >= places[waiting_[*best]->request.caller])
      continue;
    if (!awaits_prefix(sequence)) best = i;
  }
  return best;
}

// A cache with pages for what is to be computed at once: a place is worth nothing without them.
// False if there are none, which an engine with nothing else to do takes for a failure.
bool Scheduler::open(Sequence& sequence) {
  try {
    sequence.cache = prompts_.open(sequence.request);
    if (prompts_.reserve(*sequence.cache, sequence.tokens())) return true;
    if (running_.empty()) {
      sequence.failure = fmt::format("cache: no pages for {} tokens", sequence.tokens());
    }
  } catch (const std::exception& error) {
    sequence.failure = error.what();
  }
  sequence.cache.reset();
  return false;
}

void Scheduler::admit() {
  while (running() < sequences_) {
    const std::optional<size_t> index = next_to_admit();
    if (!index) return;
    Sequence& sequence = *waiting_[*index];
    if (open(sequence)) {
      place(*index);
    } else if (sequence.ended()) {
      end(sequence);
      waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(*index));
    } else {
      return;
    }
  }
}

void Scheduler::place(size_t index) {
  Sequence& sequence = *waiting_[index];
  if (!sequence.started) {
    sequence.started = true;
    sequence.first_pass = EngineClock::now();
    sequence.receipt.queue_seconds = seconds_between(sequence.submitted, sequence.first_pass);
    sequence.receipt.cached_tokens = sequence.fed();
    totals_.cached_tokens += sequence.fed();
    sequence.listener->started(sequence.fed());
  }
  running_.push_back(std::move(waiting_[index]));
  waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(index));
}

// Pages for one more token, from the sequences that came later if need be.
void Scheduler::make_room(Sequence& sequence) {
  try {
    while (sequence.cache && !prompts_.reserve(*sequence.cache, sequence.fed() + 1)) {
      size_t last = running_.size() - 1;
      while (!running_[last]->cache) --last;
      preempt(last);
    }
  } catch (const std::exception& error) {
    sequence.failure = error.what();
  }
}

void Scheduler::preempt(size_t index) {
  Sequence& sequence = *running_[index];
  sequence.cache.reset();
  sequence.scores.clear();
  ++totals_.preempted;
}

int64_t Scheduler::prompt_budget(bool others_decode) const {
  if (!interactive_) return chunk_;
  if (prompt_rate_ == 0) return std::min<int64_t>(chunk_, 128);
  const double seconds = others_decode ? kPromptShare * decode_pass_ : kLongestPass;
  return std::clamp(static_cast<int64_t>(prompt_rate_ * seconds), kFewestPromptTokens,
                    std::max(chunk_, kFewestPromptTokens));
}

Scheduler::Rows Scheduler::prompt_rows() {
  Rows rows;
  const bool others_decode =
      std::any_of(running_.begin(), running_.end(), [](const auto& s) { return !s->in_prompt(); });
  int64_t room = prompt_budget(others_decode);
  for (const auto& sequence : running_) {
    if (room == 0) break;
    if (!sequence->in_prompt()) continue;
    const int64_t rest = sequence->prompt_tokens() - sequence->fed();
    const bool scored = sequence->request.score_prompt && sequence->drawn.empty();
    if (scored && !rows.tokens.empty()) continue;
    const int64_t count = std::min({rest, room, scored ? kScoredRows : rest});
    const bool draws = count == rest && sequence->request.generate && sequence->drawn.empty();
    rows.add(*sequence, count, draws && !scored);
    room -= count;
    if (!scored) continue;
    for (int64_t i = 0; i < count; ++i) {
      // What the last row says is drawn from, or nobody's business.
      if (i + 1 < rest) rows.want(*sequence, i);
    }
    if (draws) rows.want(*sequence, count - 1);
    break;
  }
  return rows;
}

Scheduler::Rows Scheduler::decode_rows() {
  Rows rows;
  for (const auto& sequence : running_) {
    if (sequence->cache && !sequence->in_prompt()) make_room(*sequence);
  }
  for (const auto& sequence : running_) {
    if (!sequence->cache || sequence->ended() || sequence->in_prompt()) continue;
    rows.add(*sequence, 1, sequence->fed() + 1 == sequence->tokens());
  }
  return rows;
}

void Scheduler::end(Sequence& sequence) {
  if (!sequence.failure.empty()) {
    sequence.listener->failed(sequence.failure);
    return;
  }
  sequence.receipt.reason = *sequence.reason;
  sequence.receipt.generated_tokens = static_cast<int64_t>(sequence.drawn.size());
  if (!sequence.drawn.empty()) {
    sequence.receipt.decode_seconds = seconds_between(sequence.first_token, EngineClock::now());
  }
  sequence.listener->finished(sequence.receipt);
}

// Those that ended go; those that were preempted wait again, before all others.
void Scheduler::remove_ended() {
  for (auto it = running_.rbegin(); it != running_.rend(); ++it) {
    if ((*it)->ended()) {
      end(**it);
      it->reset();
    } else if (!(*it)->cache) {
      waiting_.push_front(std::move(*it));
    }
  }
  std::erase_if(running_, [](const auto& sequence) { return sequence == nullptr; });
}

bool Scheduler::step() {
  remove_ended();
  admit();
  if (running_.empty()) return false;
  bool prompts = false, decodes = false;
  for (const auto& sequence : running_) {
    (sequence->in_prompt() ? prompts : decodes) = true;
  }
  const bool prompts_now = prompts && !(interactive_ && decodes && prompts_were_last_);
  prompts_were_last_ = prompts_now;
  const Rows rows = prompts_now ? prompt_rows() : decode_rows();
  // No rows: the only sequence that could go on gave its pages away.
  if (!rows.tokens.empty()) pass(rows, prompts_now);
  remove_ended();
  return true;
}

// A page that several sequences share has the same place in each of them. Looks at what runs, never
// at all that is remembered.
int64_t Scheduler::pages_in_use() const {
  int64_t pages = 0;
  for (auto it = running_.begin(); it != running_.end(); ++it) {
    if (!(*it)->cache) continue;
    const KvCache& mine = *(*it)->cache;
    pages += mine.pages();
    for (int64_t i = 0; i < mine.shared_pages(); ++i) {
      const bool counted = std::any_of(running_.begin(), it, [&](const auto& earlier) {
        const KvCache* const other = earlier->cache.get();
        return other && i < other->shared_pages() && other->shared_page(i) == mine.shared_page(i);
      });
      if (counted) --pages;
    }
  }
  return pages;
}

EngineStats Scheduler::stats() const {
  EngineStats stats = totals_;
  stats.running = running();
  stats.waiting = waiting();
  stats.pages_in_use = pages_in_use();
  prompts_.add_stats(stats);
  return stats;
}

}  // namespace minke
