#include <algorithm>
#include <chrono>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "apps/about.h"
#include "apps/measure/peaks.h"
#include "apps/terminal/progress.h"
#include "apps/terminal/stop_signal.h"
#include "apps/verbs.h"
#include "base/cpu/topology.h"
#include "learn/train/trainer.h"

namespace minke {
namespace {

struct TrainOptions {
  std::string recipe, output;
  bool quiet = false, json = false;
};

using Clock = std::chrono::steady_clock;

std::string duration(double seconds) {
  const auto minutes = static_cast<int64_t>(seconds / 60);
  if (minutes < 60) return fmt::format("{} min", minutes);
  return fmt::format("{} h {:02} min", minutes / 60, minutes % 60);
}

// Says how far a run has come: on a terminal in one line that is kept up to date, elsewhere in a
// line now and then.
class TrainingReport : public TrainingObserver {
 public:
  TrainingReport(const TrainOptions& options, Console& console)
      : options_(options), console_(console), progress_(console, "training") {}

  void begin(const Plan& plan) override {
    plan_ = plan;
    start_ = told_ = Clock::now();
    note(fmt::format("{} parameters, {} active, {} threads, {:.1f} MFLOP a token; steps {} to {}",
                     human_count(plan.sitting.parameters),
                     human_count(plan.sitting.active_parameters), plan.sitting.threads,
                     plan.sitting.flops_per_token / 1e6, plan.done + 1, plan.steps));
  }

  void step(const StepRecord& r) override {
    last_ = r;
    const double spent = std::chrono::duration<double>(Clock::now() - start_).count();
    const double left = spent / static_cast<double>(r.step - plan_.done) *
                        static_cast<double>(plan_.steps - r.step);
    std::string text = fmt::format("loss {:.4f}, {:.0f} tokens/s", r.loss, r.tokens_per_second);
    if (r.percent_of_peak) text += fmt::format(" ({:.0f} % of peak)", *r.percent_of_peak);
    if (!r.expert_load.empty()) {
      text += fmt::format(", load {:.2f}",
                          *std::max_element(r.expert_load.begin(), r.expert_load.end()));
    }
    text += fmt::format(", {} left", duration(left));
    progress_.show(r.step, plan_.steps, text);
    constexpr auto kEvery = std::chrono::seconds(30);
    if (console_.error_is_terminal() || Clock::now() - told_ < kEvery) return;
    told_ = Clock::now();
    note(fmt::format("step {} of {}: {}", r.step, plan_.steps, text));
  }

  void evaluation(const EvaluationRecord& r) override {
    held_out_ = r.values.at("loss");
    note(fmt::format("step {}: held-out loss {:.4f}", r.step, held_out_));
  }

  void note(const std::string& text) override {
    if (options_.quiet) return;
    progress_.clear();
    console_.note(text);
  }

  bool go_on() override { return stop_signal() == 0; }

  void finish(TrainingEnd end) {
    progress_.clear();
    if (options_.json) {
      nlohmann::ordered_json json = {{"done", end == TrainingEnd::kDone},
                                     {"step", last_.step},
                                     {"steps", plan_.steps},
                                     {"tokens", last_.tokens},
                                     {"loss", last_.loss}};
      if (held_out_ > 0) json["held_out_loss"] = held_out_;
      console_.write_json(json);
    }
    if (end == TrainingEnd::kStopped) {
      note(fmt::format("stopped after step {} of {}; the same command goes on", last_.step,
                       plan_.steps));
    }
  }

 private:
  const TrainOptions& options_;
  Console& console_;
  Progress progress_;
  Plan plan_;
  StepRecord last_;
  double held_out_ = 0;
  Clock::time_point start_, told_;
};

int train_verb(const TrainOptions& options, Console& console) {
  TrainerOptions trainer;
  trainer.isa = chosen_isa();
  trainer.output = options.output;
  const Peaks peaks = measure_peaks(trainer.isa, usable_cores());
  if (const auto& peak = peaks.bf16 ? peaks.bf16 : peaks.f32) {
    trainer.peak_flops = peak->operations_per_second;
  }
  trainer.machine = fmt::format("{} threads, {}", usable_cores(), isa_name(trainer.isa));
  TrainingReport report(options, console);
  const TrainingEnd end = train(options.recipe, trainer, report);
  report.finish(end);
  throw_if_stopped();
  return 0;
}

}  // namespace

void add_train(CLI::App& app, Action& action) {
  const auto o = std::make_shared<TrainOptions>();
  CLI::App& verb =
      add_verb(app, action, "train", "train a model by a recipe, or go on with it", o, train_verb);
  verb.add_option("RECIPE", o->recipe, "a TOML file; docs/recipes.md has its fields")
      ->required()
      ->type_name("");
  verb.add_option("-o,--output", o->output, "the folder of the run, in place of the recipe's")
      ->type_name("DIR");
  verb.add_flag("-q,--quiet", o->quiet, "say nothing but errors");
  add_json(verb, o->json);
  verb.footer(
      "Ctrl-C or SIGTERM writes a checkpoint and ends; the same command goes on with it, to the\n"
      "same weights as without the pause. The model is RUN/model in the end.");
}

}  // namespace minke
