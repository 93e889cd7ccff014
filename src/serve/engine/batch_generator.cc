#include "serve/engine/batch_generator.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>

#include "base/core/check.h"
#include "base/core/error.h"
#include "base/cpu/topology.h"
#include "serve/engine/limits.h"

namespace minke {

struct BatchGenerator::Sequence {
  Sequence(std::vector<int32_t> ids, const GenerationOptions& options)
      : prompt(std::move(ids)),
        max_tokens(options.max_tokens),
        stop_ids(options.stop_ids),
        sampler(options.sampling, options.allowed) {}

  bool in_prompt() const { return fed < prompt.size(); }

  std::vector<int32_t> prompt;
  int64_t max_tokens;
  std::vector<int32_t> stop_ids;
  Sampler sampler;
  std::unique_ptr<KvCache> cache;
  size_t fed = 0;  // tokens of the prompt in the cache
  bool finished = false;
  GeneratedSequence result;
};

BatchGenerator::BatchGenerator(const Model& model, const BatchOptions& options)
    : model_(model),
      slots_(options.slots),
      capacity_(chosen_context(model, options.session.context)),
      prefill_chunk_(options.session.prefill_chunk),
      kv_type_(options.session.kv_type),
      pool_(options.session.threads > 0 ? options.session.threads : usable_cores()),
      kernels_(select_kernels(options.session.isa)),
      context_(pool_, kernels_) {
  CHECK(slots_ > 0 && prefill_chunk_ > 0);
}

BatchGenerator::~BatchGenerator() = default;

int64_t BatchGenerator::submit(std::vector<int32_t> prompt, const GenerationOptions& options) {
  if (prompt.empty()) fail("prompt", "expected at least one token, found none");
  if (static_cast<int64_t>(prompt.size()) > capacity_) {
    fail("prompt", "{} tokens do not fit into a context of {}", prompt.size(), capacity_);
  }
  require_in_vocabulary(model_, prompt);
  auto sequence = std::make_unique<Sequence>(std::move(prompt), options);
  sequence->result.ticket = next_ticket_;
  waiting_.push_back(std::move(sequence));
  return next_ticket_++;
}

std::unique_ptr<KvCache> BatchGenerator::free_cache() {
  if (free_.empty()) {
    return std::make_unique<KvCache>(model_.facts().kv.stored_as(kv_type_), capacity_);
  }
  auto cache = std::move(free_.back());
  free_.pop_back();
  cache->truncate(0);
  return cache;
}

void BatchGenerator::start_waiting() {
  while (!waiting_.empty() && static_cast<int64_t>(running_.size()) < slots_) {
    waiting_.front()->cache = free_cache();
    running_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
}

void BatchGenerator::Rows::add(Sequence& sequence, std::span<const int32_t> ids, bool draws) {
  const auto first = static_cast<int64_t>(tokens.size());
  const auto position = static_cast<int32_t>(sequence.cache->length());
  segments.push_back({sequence.cache.get(), first, static_cast<int64_t>(ids.size())});
  for (size_t i = 0; i < ids.size(); ++i) {
    tokens.push_back(ids[i]);
    positions.push_back(position + static_cast<int32_t>(i));
  }
  if (!draws) return;
  logit_rows.push_back(static_cast<int32_t>(tokens.size()) - 1);
  drawing.push_back(&sequence);
}

BatchGenerator::Rows BatchGenerator::prompt_rows() {
  Rows rows;
  for (const auto& sequence : running_) {
    const size_t room = static_cast<size_t>(prefill_chunk_) - rows.tokens.size();
    if (room == 0) break;
    if (!sequence->in_prompt()) continue;
    const auto rest = std::span<const int32_t>(sequence->prompt).subspan(sequence->fed);
    const auto now = rest.first(std::min(room, rest.size()));
    rows.add(*sequence, now, now.size() == rest.size());
    sequence->fed += now.size();
  }
  return rows;
}

BatchGenerator::Rows BatchGenerator::decode_rows() {
  Rows rows;
  for (const auto& sequence : running_) {
    rows.add(*sequence, {&sequence->result.tokens.back(), 1}, true);
  }
  return rows;
}

void BatchGenerator::draw(Sequence& sequence, std::span<float> logits) const {
  GeneratedSequence& result = sequence.result;
  const int32_t token = sequence.sampler.sample(logits);
  const float logit = logits[static_cast<size_t>(token)];
  const auto count = static_cast<int64_t>(logits.size());
  const float top = kernels_.max(logits.data(), count);
  // The logits are not needed behind this: exp_sum() works in place.
  const float total = kernels_.exp_sum(logits.data(), count, top);
  result.tokens.push_back(token);
  result.log_probabilities.push_back(logit - top - std::log(total));
  const auto& stops = sequence.stop_ids;
  const bool stopped = std::find(stops.begin(), stops.end(), token) != stops.end();
  const bool full = static_cast<int64_t>(result.tokens.size()) == sequence.max_tokens ||
                    sequence.cache->length() == capacity_;
  sequence.finished = stopped || full;
  result.reason = stopped ? FinishReason::kStop : FinishReason::kLength;
}

void BatchGenerator::pass(const Rows& rows, Phase phase) {
  context_.reset();
  context_.set_phase(phase);
  const Tensor logits =
      model_.forward(context_, {rows.tokens, rows.positions, rows.segments, rows.logit_rows});
  const auto vocab = static_cast<size_t>(model_.facts().vocab);
  std::vector<std::exception_ptr> errors(rows.drawing.size());
  pool_.parallel_for(static_cast<int64_t>(rows.drawing.size()), [&](int64_t i, int) {
    const auto row = static_cast<size_t>(i);
    try {
      draw(*rows.drawing[row], {logits.f32() + row * vocab, vocab});
    } catch (...) {
      errors[row] = std::current_exception();
    }
  });
  for (const std::exception_ptr& error : errors) {
    if (error) std::rethrow_exception(error);
  }
}

std::vector<GeneratedSequence> BatchGenerator::take_finished() {
  std::vector<GeneratedSequence> finished;
  for (const auto& sequence : running_) {
    if (!sequence->finished) continue;
    free_.push_back(std::move(sequence->cache));
    finished.push_back(std::move(sequence->result));
  }
  std::erase_if(running_, [](const auto& sequence) { return sequence->finished; });
  return finished;
}

std::vector<GeneratedSequence> BatchGenerator::step() {
  start_waiting();
  if (running_.empty()) return {};
  const auto start = std::chrono::steady_clock::now();
  const Rows prompts = prompt_rows();
  const bool prefill = !prompts.tokens.empty();
  const Rows rows = prefill ? prompts : decode_rows();
  pass(rows, prefill ? Phase::kPrefill : Phase::kDecode);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  (prefill ? totals_.prefill_seconds : totals_.decode_seconds) += seconds;
  if (prefill) totals_.prompt_tokens += static_cast<int64_t>(rows.tokens.size());
  totals_.generated_tokens += static_cast<int64_t>(rows.drawing.size());
  return take_finished();
}

}  // namespace minke
