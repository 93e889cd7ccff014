#include "serve/engine/session.h"

#include <algorithm>
#include <numeric>

#include "base/core/check.h"
#include "base/core/error.h"
#include "base/cpu/topology.h"
#include "serve/engine/limits.h"

namespace minke {

Session::Session(const Model& model, const SessionOptions& options)
    : model_(model),
      prefill_chunk_(options.prefill_chunk),
      pool_(options.threads > 0 ? options.threads : usable_cores()),
      kernels_(select_kernels(options.isa)),
      context_(pool_, kernels_),
      cache_(model.facts().kv.stored_as(options.kv_type), chosen_context(model, options.context)) {
  CHECK(prefill_chunk_ > 0);
}

void Session::check_tokens(std::span<const int32_t> tokens) const {
  require_in_vocabulary(model_, tokens);
  const auto count = static_cast<int64_t>(tokens.size());
  if (count > capacity() - length()) {
    fail("context", "{} tokens do not fit: {} of {} are in use", count, length(), capacity());
  }
}

Tensor Session::forward(std::span<const int32_t> tokens, Phase phase,
                        std::span<const int32_t> logit_rows) {
  context_.reset();
  context_.set_phase(phase);
  std::vector<int32_t> positions(tokens.size());
  std::iota(positions.begin(), positions.end(), static_cast<int32_t>(length()));
  const Segment segment{&cache_, 0, static_cast<int64_t>(tokens.size())};
  return model_.forward(context_, {tokens, positions, {&segment, 1}, logit_rows});
}

std::span<const float> Session::prefill(std::span<const int32_t> tokens,
                                        const std::function<bool()>& go_on) {
  CHECK(!tokens.empty());
  check_tokens(tokens);
  Tensor logits;
  while (!tokens.empty()) {
    if (go_on && !go_on()) return {};
    const auto count = std::min(tokens.size(), static_cast<size_t>(prefill_chunk_));
    const int32_t last = static_cast<int32_t>(count) - 1;
    const bool wanted = count == tokens.size();
    logits = forward(tokens.first(count), Phase::kPrefill,
                     wanted ? std::span(&last, 1) : std::span<const int32_t>());
    tokens = tokens.subspan(count);
  }
  return {logits.f32(), static_cast<size_t>(logits.columns())};
}

std::span<const float> Session::decode(int32_t token) {
  check_tokens({&token, 1});
  const int32_t row = 0;
  const Tensor logits = forward({&token, 1}, Phase::kDecode, {&row, 1});
  return {logits.f32(), static_cast<size_t>(logits.columns())};
}

void Session::score(std::span<const int32_t> tokens, Phase phase,
                    const std::function<void(int64_t, std::span<const float>)>& visit) {
  // Logits of a chunk take rows * vocab floats; this many rows keep them below 64 MiB for the
  // largest vocabularies.
  constexpr size_t kRows = 64;
  check_tokens(tokens);
  int64_t index = 0;
  std::vector<int32_t> rows(std::min(kRows, static_cast<size_t>(prefill_chunk_)));
  std::iota(rows.begin(), rows.end(), 0);
  while (!tokens.empty()) {
    const size_t count = std::min(tokens.size(), rows.size());
    const Tensor logits = forward(tokens.first(count), phase, std::span(rows).first(count));
    for (size_t m = 0; m < count; ++m) {
      visit(index++, {logits.f32() + static_cast<int64_t>(m) * logits.columns(),
                      static_cast<size_t>(logits.columns())});
    }
    tokens = tokens.subspan(count);
  }
}

}  // namespace minke
