#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace minke {

// Records of a run's log.jsonl: one JSON object a line, of one of three kinds. Numbers that are
// not finite are null there.

// Written when a sitting begins: what the costs of its steps are figured with.
struct SittingRecord {
  int64_t step = 0;  // done before
  int64_t threads = 0;
  int64_t parameters = 0;
  int64_t active_parameters = 0;  // of one token
  double flops_per_token = 0;     // forward and backward
  double peak_flops = 0;          // of the threads a second; 0: not known
  std::string machine = {};
};

struct StepRecord {
  int64_t step = 0;
  int64_t stage = 0;
  int64_t tokens = 0;  // of the run so far
  double loss = 0;     // mean of the step, nats a token
  double learning_rate = 0;
  double gradient_norm = 0;  // before clipping
  double seconds = 0;        // of the step
  double tokens_per_second = 0;
  std::optional<double> percent_of_peak = {};
  std::optional<double> joules = {};     // of the step, where the machine tells
  std::vector<double> expert_load = {};  // of each layer with experts: most tokens over mean
  // What only some runs have; those of reinforcement stand in learn/rl/grpo.h.
  std::map<std::string, double> values = {};
};

struct EvaluationRecord {
  int64_t step = 0;
  int64_t tokens = 0;
  std::map<std::string, double> values = {};  // "loss", "accuracy", "accuracy.sums"
};

struct RunRecords {
  std::vector<SittingRecord> sittings;
  std::vector<StepRecord> steps;
  std::vector<EvaluationRecord> evaluations;
};

// Reads a log. A last line that was cut off is passed over; any other line that is not a record
// throws Error with file, line and field.
RunRecords read_run_log(const std::filesystem::path& path);

// Appends to a log. A record is handed to the system whole when append() returns, so that it
// outlives the process; sync() brings all to the disk and belongs before a checkpoint, so that no
// checkpoint is ahead of the log when the machine stops.
class RunLog {
 public:
  // Takes up the log at `path`, or begins one. What comes after `step` is taken away, and so is a
  // line that is no record with all behind it, unless a record of `step` or before it follows: then
  // that line is an Error, as is a file that cannot be used.
  RunLog(const std::filesystem::path& path, int64_t step);
  ~RunLog();
  RunLog(const RunLog&) = delete;
  RunLog& operator=(const RunLog&) = delete;

  // Those that the log holds, in order.
  const std::vector<EvaluationRecord>& evaluations() const { return evaluations_; }

  // Throw Error if the system refuses.
  void append(const SittingRecord& record);
  void append(const StepRecord& record);
  void append(const EvaluationRecord& record);
  void sync();

 private:
  void append_line(const std::string& line);

  std::string name_;
  std::vector<EvaluationRecord> evaluations_;
  int fd_ = -1;
};

}  // namespace minke
