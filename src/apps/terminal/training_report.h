#pragma once

#include <chrono>

#include "apps/terminal/progress.h"
#include "learn/train/trainer.h"

namespace minke {

// Says how far a training run has come: on a terminal in one line that is kept up to date,
// elsewhere in a line now and then.
class TrainingReport : public TrainingObserver {
 public:
  // `name` stands before the progress; `quiet`: nothing but errors. `console` must outlive it.
  TrainingReport(const char* name, bool quiet, Console& console);

  void begin(const Plan& plan) override;
  void step(const StepRecord& record) override;
  void evaluation(const EvaluationRecord& record) override;
  void note(const std::string& text) override;
  bool go_on() override;

  // Behind the run; `json`: writes what came of it as an object.
  void finish(TrainingEnd end, bool json);

 private:
  using Clock = std::chrono::steady_clock;

  bool quiet_;
  Console& console_;
  Progress progress_;
  Plan plan_;
  StepRecord last_;
  EvaluationRecord evaluated_;
  Clock::time_point start_, told_;
};

// What a run is computed with on this machine, which is measured when the run begins; `output` as
// TrainerOptions has it.
TrainerOptions trainer_options(const std::string& output);

}  // namespace minke
