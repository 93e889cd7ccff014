#include "apps/measure/token_speed.h"

#include <algorithm>
#include <chrono>

#include <fmt/core.h>

#include "apps/terminal/stop_signal.h"
#include "base/core/check.h"
#include "base/core/rng.h"

namespace minke {
namespace {

template <typename Work>
double seconds(const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

SessionOptions with_context(SessionOptions options, int64_t context) {
  options.context = context;
  return options;
}

void sort_out(std::vector<int64_t> wanted, int64_t most, std::vector<int64_t>& fitting,
              std::vector<int64_t>& left_out) {
  std::sort(wanted.begin(), wanted.end());
  wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
  for (const int64_t point : wanted) (point <= most ? fitting : left_out).push_back(point);
}

}  // namespace

int64_t SpeedPoints::context() const {
  int64_t most = 0;
  for (const int64_t count : prefill) most = std::max(most, count);
  for (const int64_t depth : depths) most = std::max(most, depth + decode_tokens);
  return most;
}

FittingPoints points_within(const SpeedPoints& wanted, int64_t most) {
  FittingPoints points;
  for (SpeedPoints* p : {&points.fitting, &points.left_out}) {
    p->decode_tokens = wanted.decode_tokens;
    p->repeat = wanted.repeat;
  }
  sort_out(wanted.prefill, most, points.fitting.prefill, points.left_out.prefill);
  sort_out(wanted.depths, most - wanted.decode_tokens, points.fitting.depths,
           points.left_out.depths);
  return points;
}

TokenSpeed::TokenSpeed(const Model& model, const SpeedPoints& points, SessionOptions options,
                       Console& console)
    : model_(model),
      points_(points),
      session_(model_, with_context(options, points.context())),
      progress_(console, "measuring") {
  Rng rng(0);
  tokens_.resize(static_cast<size_t>(session_.capacity()));
  for (int32_t& token : tokens_) {
    token = static_cast<int32_t>(rng.below(static_cast<uint64_t>(model_.facts().vocab)));
  }
}

void TokenSpeed::warm_up() {
  progress_.show("loading the weights");
  fill(std::min<int64_t>(session_.capacity(), 64));
  session_.truncate(0);
  session_.decode(tokens_[0]);
}

double TokenSpeed::prefill(int64_t count) {
  return repeated(fmt::format("prefill of {}", count), [&] {
    session_.truncate(0);
    return static_cast<double>(count) / seconds([&] { fill(count); });
  });
}

double TokenSpeed::decode(int64_t depth) {
  what_ = fmt::format("decode at depth {}", depth);
  session_.truncate(std::min(session_.length(), depth));
  fill(depth);
  return repeated(what_, [&] {
    session_.truncate(depth);
    const double time = seconds([&] {
      for (int64_t i = 0; i < points_.decode_tokens; ++i) {
        throw_if_stopped();
        session_.decode(tokens_[static_cast<size_t>(depth + i)]);
      }
    });
    return static_cast<double>(points_.decode_tokens) / time;
  });
}

void TokenSpeed::fill(int64_t length) {
  const auto rest = std::span(tokens_)
                        .first(static_cast<size_t>(length))
                        .subspan(static_cast<size_t>(session_.length()));
  if (rest.empty()) return;
  session_.prefill(rest, [&] {
    progress_.show(fmt::format("{} ({} of {} tokens)", what_, session_.length(), length));
    throw_if_stopped();
    return true;
  });
}

template <typename Run>
double TokenSpeed::repeated(const std::string& what, const Run& run) {
  what_ = what;
  std::vector<double> speeds;
  for (int64_t i = 0; i < points_.repeat; ++i) {
    progress_.show(fmt::format("{}, {} of {}", what, i + 1, points_.repeat));
    speeds.push_back(run());
  }
  return median(std::move(speeds));
}

double median(std::vector<double> values) {
  CHECK(!values.empty());
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

}  // namespace minke
