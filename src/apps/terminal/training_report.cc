#include "apps/terminal/training_report.h"

#include <algorithm>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "apps/about.h"
#include "apps/measure/peaks.h"
#include "apps/terminal/stop_signal.h"

namespace minke {
namespace {

std::string duration(double seconds) {
  const auto minutes = static_cast<int64_t>(seconds / 60);
  if (minutes < 60) return fmt::format("{} min", minutes);
  return fmt::format("{} h {:02} min", minutes / 60, minutes % 60);
}

// What a step says of learning: the reward of reinforcement, or the loss.
std::string in_words(const StepRecord& r) {
  const auto reward = r.values.find("reward");
  if (reward == r.values.end()) {
    std::string text = fmt::format("loss {:.4f}, {:.0f} tokens/s", r.loss, r.tokens_per_second);
    if (r.percent_of_peak) text += fmt::format(" ({:.0f} % of peak)", *r.percent_of_peak);
    if (!r.expert_load.empty()) {
      text += fmt::format(", load {:.2f}",
                          *std::max_element(r.expert_load.begin(), r.expert_load.end()));
    }
    return text;
  }
  return fmt::format(
      "reward {:.3f}, {:.1f} % right, {:.0f} tokens, {:.0f} % without signal, {:.1f} s",
      reward->second, 100 * r.values.at("accuracy"), r.values.at("tokens"),
      100 * r.values.at("no_signal"), r.seconds);
}

}  // namespace

TrainingReport::TrainingReport(const char* name, bool quiet, Console& console)
    : quiet_(quiet), console_(console), progress_(console, name) {}

void TrainingReport::begin(const Plan& plan) {
  plan_ = plan;
  last_.step = plan.done;
  start_ = told_ = Clock::now();
  note(fmt::format("{} parameters, {} active, {} threads, {:.1f} MFLOP a token; steps {} to {}",
                   human_count(plan.sitting.parameters),
                   human_count(plan.sitting.active_parameters), plan.sitting.threads,
                   plan.sitting.flops_per_token / 1e6, plan.done + 1, plan.steps));
}

void TrainingReport::step(const StepRecord& r) {
  last_ = r;
  const double spent = std::chrono::duration<double>(Clock::now() - start_).count();
  const double left =
      spent / static_cast<double>(r.step - plan_.done) * static_cast<double>(plan_.steps - r.step);
  const std::string text = fmt::format("{}, {} left", in_words(r), duration(left));
  progress_.show(r.step, plan_.steps, text);
  constexpr auto kEvery = std::chrono::seconds(30);
  if (console_.error_is_terminal() || Clock::now() - told_ < kEvery) return;
  told_ = Clock::now();
  note(fmt::format("step {} of {}: {}", r.step, plan_.steps, text));
}

void TrainingReport::evaluation(const EvaluationRecord& r) {
  evaluated_ = r;
  const auto accuracy = r.values.find("accuracy");
  if (accuracy == r.values.end()) {
    note(fmt::format("step {}: held-out loss {:.4f}", r.step, r.values.at("loss")));
  } else {
    note(fmt::format("step {}: {:.1f} % of held-out problems right", r.step,
                     100 * accuracy->second));
  }
}

void TrainingReport::note(const std::string& text) {
  if (quiet_) return;
  progress_.clear();
  console_.note(text);
}

bool TrainingReport::go_on() {
  return stop_signal() == 0;
}

void TrainingReport::finish(TrainingEnd end, bool json) {
  progress_.clear();
  if (json) {
    nlohmann::ordered_json object = {
        {"done", end == TrainingEnd::kDone}, {"step", last_.step}, {"steps", plan_.steps}};
    if (last_.step > plan_.done) object["tokens"] = last_.tokens;
    if (last_.values.contains("reward")) {
      object["reward"] = last_.values.at("reward");
    } else if (last_.step > plan_.done) {
      object["loss"] = last_.loss;
    }
    for (const auto& [name, value] : evaluated_.values) object["held_out_" + name] = value;
    console_.write_json(object);
  }
  if (end == TrainingEnd::kStopped) {
    note(fmt::format("stopped after step {} of {}; the same command goes on", last_.step,
                     plan_.steps));
  }
}

TrainerOptions trainer_options(const std::string& output) {
  TrainerOptions options;
  options.isa = chosen_isa();
  options.output = output;
  options.describe_machine = [isa = options.isa](int64_t threads) {
    MachineFacts machine;
    const Peaks peaks = measure_peaks(isa, static_cast<int>(threads));
    if (const auto& peak = peaks.bf16 ? peaks.bf16 : peaks.f32) {
      machine.peak_flops = peak->operations_per_second;
    }
    machine.name = fmt::format("{} threads, {}", threads, isa_name(isa));
    return machine;
  };
  return options;
}

}  // namespace minke
