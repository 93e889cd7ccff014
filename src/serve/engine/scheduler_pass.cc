// What a forward pass of the scheduler computes, and what comes of it.
#include <exception>

#include "serve/engine/scheduler.h"

namespace minke {
namespace {

// Moving average of a measured value.
void follow(double& average, double value) {
  average = average == 0 ? value : 0.7 * average + 0.3 * value;
}

}  // namespace

void Scheduler::Rows::want(Sequence& sequence, int64_t row) {
  logit_rows.push_back(static_cast<int32_t>(row));
  readers.push_back(&sequence);
}

void Scheduler::Rows::add(Sequence& sequence, int64_t count, bool wanted) {
  const auto first = static_cast<int64_t>(tokens.size());
  const int64_t position = sequence.fed();
  segments.push_back({sequence.cache.get(), first, count});
  sequences.push_back(&sequence);
  if (count == 1) {
    tokens.push_back(sequence.next());
    positions.push_back(static_cast<int32_t>(position));
  } else {
    for (int64_t i = 0; i < count; ++i) {
      tokens.push_back(sequence.request.prompt[static_cast<size_t>(position + i)]);
      positions.push_back(static_cast<int32_t>(position + i));
    }
  }
  if (wanted) want(sequence, first + count - 1);
}

void Scheduler::pass(const Rows& rows, bool prompts) {
  try {
    compute(rows, prompts);
  } catch (const std::exception& error) {
    // How far each of their caches is filled is not known.
    for (Sequence* sequence : rows.sequences) sequence->failure = error.what();
  }
}

void Scheduler::compute(const Rows& rows, bool prompts) {
  const auto start = EngineClock::now();
  context_.reset();
  context_.set_phase(prompts ? Phase::kPrefill : generated_phase_);
  const Tensor logits =
      model_.forward(context_, {rows.tokens, rows.positions, rows.segments, rows.logit_rows});
  if (prompts) {
    for (Sequence* sequence : rows.sequences) prompts_.keep(sequence->request, *sequence->cache);
  }
  read_logits(rows, logits);
  const double seconds = seconds_between(start, EngineClock::now());
  if (prompts) {
    follow(prompt_rate_, static_cast<double>(rows.tokens.size()) / seconds);
    totals_.prompt_tokens += static_cast<int64_t>(rows.tokens.size());
    totals_.prefill_seconds += seconds;
  } else {
    follow(decode_pass_, seconds);
    totals_.decode_seconds += seconds;
  }
  account(rows, seconds);
}

void Scheduler::read_logits(const Rows& rows, const Tensor& logits) {
  const auto vocab = static_cast<size_t>(model_.facts().vocab);
  const size_t count = rows.readers.size();
  std::vector<DrawnToken> drawn(count);
  std::vector<std::string> failures(count);
  // Rows of one reader come in order; all but its last are scores of its prompt.
  std::vector<bool> scores(count, false);
  for (size_t i = 0; i < count; ++i) {
    const Sequence& reader = *rows.readers[i];
    const bool last = i + 1 == count || rows.readers[i + 1] != &reader;
    const bool draws = last && !reader.in_prompt() && reader.request.generate;
    scores[i] = reader.request.score_prompt && reader.drawn.empty() && !draws;
  }
  const int64_t scored_from =
      rows.sequences.empty() ? 0 : rows.sequences[0]->fed() - rows.segments[0].rows;
  pool_.parallel_for(static_cast<int64_t>(count), [&](int64_t i, int) {
    const auto row = static_cast<size_t>(i);
    Sequence& reader = *rows.readers[row];
    const std::span<float> values{logits.f32() + row * vocab, vocab};
    try {
      if (scores[row]) {
        const auto next = static_cast<size_t>(scored_from + rows.logit_rows[row] + 1);
        drawn[row].token =
            score_token(reader.request.prompt[next], reader.request.top, values, kernels_);
      } else {
        drawn[row] = draw_token(reader, values, kernels_);
      }
    } catch (const std::exception& error) {
      failures[row] = error.what();
    }
  });
  for (size_t i = 0; i < count; ++i) {
    Sequence& reader = *rows.readers[i];
    if (!failures[i].empty()) {
      reader.failure = failures[i];
    } else if (scores[i]) {
      reader.scores.push_back(std::move(drawn[i].token));
    } else {
      tell(reader, std::move(drawn[i]));
    }
  }
  for (Sequence* sequence : rows.sequences) {
    if (sequence->in_prompt()) continue;
    if (sequence->request.score_prompt && !sequence->scores.empty() && sequence->drawn.empty()) {
      sequence->listener->scored(sequence->scores);
      sequence->scores.clear();
    }
    if (!sequence->request.generate && !sequence->ended()) sequence->reason = FinishReason::kLength;
  }
}

void Scheduler::tell(Sequence& sequence, DrawnToken drawn) {
  ++totals_.generated_tokens;
  if (sequence.drawn.empty()) {
    sequence.first_token = EngineClock::now();
    sequence.receipt.prefill_seconds = seconds_between(sequence.first_pass, sequence.first_token);
  }
  if (!sequence.scores.empty()) {
    sequence.listener->scored(sequence.scores);
    sequence.scores.clear();
  }
  if (drawn.stops) {
    sequence.receipt.stop_id = drawn.token.id;
    sequence.receipt.stop_log_probability = drawn.token.log_probability;
    sequence.reason = FinishReason::kStop;
    return;
  }
  sequence.drawn.push_back(drawn.token.id);
  sequence.listener->token(drawn.token);
  const int64_t most = sequence.request.options.max_tokens;
  const bool full = sequence.fed() == context_tokens_;
  if (full || static_cast<int64_t>(sequence.drawn.size()) == most) {
    if (!sequence.reason) sequence.reason = FinishReason::kLength;
  }
}

// Each sequence pays for the tokens that it had in a pass.
void Scheduler::account(const Rows& rows, double seconds) {
  const double share = seconds * pool_.size() / static_cast<double>(rows.tokens.size());
  for (size_t i = 0; i < rows.sequences.size(); ++i) {
    rows.sequences[i]->receipt.cpu_seconds += share * static_cast<double>(rows.segments[i].rows);
  }
}

}  // namespace minke
