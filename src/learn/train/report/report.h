#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "learn/train/run_log.h"

namespace minke {

struct ReportOptions {
  std::string title;
  std::string recipe = {};                         // the text of recipe.toml; "" leaves it out
  std::optional<double> price_per_core_hour = {};  // in whatever money
};

// What a run took, and how far it came.
struct RunSummary {
  int64_t steps = 0, tokens = 0;
  double seconds = 0, core_hours = 0, flops = 0;
  std::optional<double> kilowatt_hours;   // if every step tells its joules
  std::optional<double> percent_of_peak;  // of all time together, if the peak is known
  std::optional<double> train_loss;       // mean of the last twentieth of the steps
};

// Costs are those of the steps that the log holds: work that was lost with a crash, evaluations and
// checkpoints are not among them.
RunSummary summarize(const RunRecords& records);

// A whole HTML page that needs no network: curves, a table of costs, the last evaluation. All text
// is escaped.
std::string report_page(const RunRecords& records, const ReportOptions& options);

// The page of a run's folder. Throws Error if there is no log in it, or it cannot be read.
std::string report_of_run(const std::filesystem::path& run, std::optional<double> price);

}  // namespace minke
