#include "learn/train/report/report.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/core/error.h"
#include "base/core/mapped_file.h"
#include "learn/train/report/html_page.h"
#include "learn/train/report/svg_chart.h"

namespace minke {
namespace {

constexpr const char* kStyle =
    R"(figcaption{font-weight:600}
.charts{display:grid;gap:1.5rem;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr))}
td,th{text-align:left;padding:.15rem 1rem .15rem 0}pre{overflow-x:auto}
)";

// The sitting that a step was made in; null if the log does not say.
const SittingRecord* sitting_of(const RunRecords& records, const StepRecord& step) {
  const SittingRecord* found = nullptr;
  for (const SittingRecord& sitting : records.sittings) {
    if (sitting.step < step.step) found = &sitting;
  }
  return found;
}

std::string row(std::string_view name, const std::string& value) {
  return fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td></tr>\n", name, html_escape(value));
}

std::string duration(double seconds) {
  if (seconds < 120) return fmt::format("{:.1f} s", seconds);
  if (seconds < 7200) return fmt::format("{:.1f} min", seconds / 60);
  return fmt::format("{:.2f} h", seconds / 3600);
}

std::string summary_table(const RunRecords& records, const ReportOptions& options) {
  const RunSummary summary = summarize(records);
  std::string rows = row("steps", short_number(static_cast<double>(summary.steps)));
  rows += row("tokens", short_number(static_cast<double>(summary.tokens)));
  if (summary.train_loss) {
    rows += row("loss of the last steps", short_number(*summary.train_loss) + " nats a token");
  }
  rows += row("time", duration(summary.seconds));
  rows += row("core-hours", short_number(summary.core_hours));
  rows += row("computed", short_number(summary.flops) + " FLOP");
  if (summary.seconds > 0) {
    rows +=
        row("tokens a second", short_number(static_cast<double>(summary.tokens) / summary.seconds));
  }
  if (summary.percent_of_peak) {
    rows += row("share of the peak", fmt::format("{:.1f} %", *summary.percent_of_peak));
  }
  if (summary.kilowatt_hours) rows += row("energy", short_number(*summary.kilowatt_hours) + " kWh");
  if (const auto price = options.price_per_core_hour) {
    rows += row("price", fmt::format("{:.2f}, at {} a core-hour", *price * summary.core_hours,
                                     short_number(*price)));
  }
  if (!records.sittings.empty()) {
    const SittingRecord& last = records.sittings.back();
    rows +=
        row("parameters", fmt::format("{}, {} of them at work on a token",
                                      short_number(static_cast<double>(last.parameters)),
                                      short_number(static_cast<double>(last.active_parameters))));
    rows += row("machine", fmt::format("{} ({} threads)", last.machine, last.threads));
    rows += row("sittings", std::to_string(records.sittings.size()));
  }
  return "<table><tbody>\n" + rows + "</tbody></table>\n";
}

// A curve over the steps; `value` gives the y of a record.
template <typename Records, typename Value>
Series curve(std::string name, const Records& records, const Value& value) {
  Series series{std::move(name), {}};
  for (const auto& record : records) {
    series.points.push_back({static_cast<double>(record.step), value(record)});
  }
  return series;
}

template <typename Record>
double value_named(const Record& record, const std::string& name) {
  const auto found = record.values.find(name);
  return found == record.values.end() ? std::nan("") : found->second;
}

// The names of all values that evaluations have, in order.
std::vector<std::string> evaluated_names(const RunRecords& records) {
  std::map<std::string, int> names;
  for (const EvaluationRecord& record : records.evaluations) {
    for (const auto& [name, value] : record.values) ++names[name];
  }
  std::vector<std::string> list;
  for (const auto& [name, count] : names) list.push_back(name);
  return list;
}

std::vector<Mark> stage_marks(const RunRecords& records) {
  std::vector<Mark> marks;
  for (size_t i = 1; i < records.steps.size(); ++i) {
    if (records.steps[i].stage == records.steps[i - 1].stage) continue;
    marks.push_back({static_cast<double>(records.steps[i].step),
                     fmt::format("stage {}", records.steps[i].stage + 1)});
  }
  return marks;
}

bool reinforces(const RunRecords& records) {
  return std::ranges::any_of(records.steps,
                             [](const StepRecord& s) { return s.values.contains("reward"); });
}

Chart load_chart(const RunRecords& records) {
  Chart chart{.id = "load", .title = "Balance of the experts", .y_label = "most over mean"};
  size_t layers = 0;
  for (const StepRecord& s : records.steps) layers = std::max(layers, s.expert_load.size());
  for (size_t layer = 0; layer < layers; ++layer) {
    chart.series.push_back(
        curve(fmt::format("layer {}", layer + 1), records.steps, [layer](const StepRecord& s) {
          return layer < s.expert_load.size() ? s.expert_load[layer] : std::nan("");
        }));
  }
  return chart;
}

// A line of a chart: a value that steps have, or evaluations.
struct ValueLine {
  const char* name;   // for readers
  const char* value;  // in the records
  bool held_out = false;
};

// What runs of reinforcement tell besides (learn/rl/grpo.h).
struct ValueChart {
  const char *id, *title, *y_label;
  std::vector<ValueLine> lines;
};

std::vector<Chart> value_charts(const RunRecords& records) {
  const std::vector<ValueChart> wanted = {
      {"reward",
       "Reward of sampled replies",
       "mean",
       {{"reward", "reward"}, {"right", "accuracy"}, {"well-formed", "format"}}},
      {"languages",
       "Held-out problems solved, by language",
       "share",
       {{"ar", "accuracy.ar", true},
        {"zh", "accuracy.zh", true},
        {"en", "accuracy.en", true},
        {"de", "accuracy.de", true},
        {"hi", "accuracy.hi", true},
        {"id", "accuracy.id", true}}},
      {"length",
       "Length of replies",
       "tokens",
       {{"all", "tokens"},
        {"right", "tokens_right"},
        {"wrong", "tokens_wrong"},
        {"held out", "tokens", true}}},
      {"entropy", "Entropy of the policy", "nats a token", {{"entropy", "entropy"}}},
      {"kl", "Divergence from the first model", "nats a token", {{"divergence", "kl"}}},
      {"language",
       "Thinking in the question's language",
       "share",
       {{"right replies", "language"}, {"held out", "language", true}}},
      {"signal",
       "Questions that teach nothing, replies that were cut",
       "share",
       {{"no signal", "no_signal"}, {"cut", "cut"}, {"clipped tokens", "clipped"}}},
      {"difference",
       "Log-probabilities: trainer against engine",
       "largest difference",
       {{"difference", "log_probability_difference"}}},
      {"time",
       "Time of a step",
       "seconds",
       {{"replies", "rollout_seconds"}, {"update", "update_seconds"}}},
  };
  std::vector<Chart> charts;
  for (const ValueChart& w : wanted) {
    Chart chart{.id = w.id, .title = w.title, .y_label = w.y_label};
    for (const ValueLine& line : w.lines) {
      const auto value = [&](const auto& record) { return value_named(record, line.value); };
      chart.series.push_back(line.held_out ? curve(line.name, records.evaluations, value)
                                           : curve(line.name, records.steps, value));
    }
    charts.push_back(std::move(chart));
  }
  return charts;
}

std::string charts(const RunRecords& records) {
  const auto loss = [](const EvaluationRecord& e) { return value_named(e, "loss"); };
  const auto accuracy = [](const EvaluationRecord& e) { return value_named(e, "accuracy"); };
  std::vector<Chart> all(5);
  all[0] = {.id = "loss",
            .title = "Loss",
            .y_label = "nats a token",
            .series = {curve("training", records.steps, [](const StepRecord& s) { return s.loss; }),
                       curve("held out", records.evaluations, loss)}};
  // That of reinforcement says nothing: its gradient counts, not its value.
  if (reinforces(records)) all[0].series.clear();
  all[1] = {.id = "accuracy",
            .title = "Held-out problems solved",
            .y_label = "share",
            .series = {curve("solved", records.evaluations, accuracy)}};
  all[2] = {.id = "rate",
            .title = "Learning rate",
            .y_label = "learning rate",
            .series = {curve("learning rate", records.steps,
                             [](const StepRecord& s) { return s.learning_rate; })}};
  all[3] = {.id = "norm",
            .title = "Norm of the gradients",
            .y_label = "norm",
            .log_y = true,
            .series = {
                curve("norm", records.steps, [](const StepRecord& s) { return s.gradient_norm; })}};
  all[4] = {.id = "speed",
            .title = "Throughput",
            .y_label = "tokens a second",
            .series = {curve("throughput", records.steps,
                             [](const StepRecord& s) { return s.tokens_per_second; })}};
  all.push_back(load_chart(records));
  for (Chart& chart : value_charts(records)) all.push_back(std::move(chart));
  std::string html;
  for (Chart& chart : all) {
    chart.x_label = "step";
    chart.marks = stage_marks(records);
    std::erase_if(chart.series, [](const Series& s) {
      return std::ranges::none_of(s.points, [](const auto& at) { return std::isfinite(at[1]); });
    });
    html += svg_chart(chart);
  }
  return "<div class=\"charts\">\n" + html + "</div>\n";
}

std::string evaluation_table(const RunRecords& records) {
  if (records.evaluations.empty()) return "";
  std::string html =
      "<h2>Evaluations</h2>\n<div class=\"wide\"><table><thead><tr><th scope=\"col\">value</th>"
      "<th scope=\"col\">first</th><th scope=\"col\">last</th><th scope=\"col\">lowest</th>"
      "<th scope=\"col\">highest</th></tr></thead><tbody>\n";
  for (const std::string& name : evaluated_names(records)) {
    std::vector<double> values;
    for (const EvaluationRecord& record : records.evaluations) {
      const double value = value_named(record, name);
      if (std::isfinite(value)) values.push_back(value);
    }
    if (values.empty()) continue;
    html += fmt::format(
        "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td>"
        "<td>{}</td></tr>\n",
        html_escape(name), short_number(values.front()), short_number(values.back()),
        short_number(std::ranges::min(values)), short_number(std::ranges::max(values)));
  }
  return html + "</tbody></table></div>\n";
}

std::optional<double> last_losses(const std::vector<StepRecord>& steps) {
  double sum = 0;
  int64_t count = 0;
  for (size_t i = steps.size() - (steps.size() + 19) / 20; i < steps.size(); ++i) {
    if (!std::isfinite(steps[i].loss)) continue;
    sum += steps[i].loss;
    ++count;
  }
  if (count == 0) return std::nullopt;
  return sum / static_cast<double>(count);
}

}  // namespace

RunSummary summarize(const RunRecords& records) {
  RunSummary summary;
  double joules = 0, possible = 0;
  bool all_joules = !records.steps.empty(), all_peaks = !records.steps.empty();
  int64_t tokens_before = 0;
  for (const StepRecord& step : records.steps) {
    const double seconds = std::isfinite(step.seconds) ? step.seconds : 0;
    const auto tokens = static_cast<double>(step.tokens - tokens_before);
    tokens_before = step.tokens;
    summary.seconds += seconds;
    const SittingRecord* sitting = sitting_of(records, step);
    if (sitting != nullptr) {
      summary.core_hours += seconds * static_cast<double>(sitting->threads) / 3600;
      summary.flops += tokens * sitting->flops_per_token;
      possible += seconds * sitting->peak_flops;
    }
    all_peaks &= sitting != nullptr && sitting->peak_flops > 0;
    all_joules &= step.joules.has_value() && std::isfinite(*step.joules);
    if (all_joules) joules += *step.joules;
  }
  summary.steps = records.steps.empty() ? 0 : records.steps.back().step;
  summary.tokens = tokens_before;
  if (!reinforces(records)) summary.train_loss = last_losses(records.steps);
  if (all_joules) summary.kilowatt_hours = joules / 3.6e6;
  if (all_peaks && possible > 0) summary.percent_of_peak = 100 * summary.flops / possible;
  return summary;
}

std::string report_page(const RunRecords& records, const ReportOptions& options) {
  std::string html = summary_table(records, options);
  html += "<h2>Curves</h2>\n" + charts(records) + evaluation_table(records);
  if (!options.recipe.empty()) {
    html += "<h2>Recipe</h2>\n<details><summary>recipe.toml</summary><pre>" +
            html_escape(options.recipe) + "</pre></details>\n";
  }
  return html_page(options.title, fmt::format("{}{}", kStyle, chart_style()), html);
}

std::string report_of_run(const std::filesystem::path& run, std::optional<double> price) {
  const std::filesystem::path log = run / "log.jsonl";
  std::error_code error;
  if (!std::filesystem::is_regular_file(log, error)) {
    fail(printable(run.string()),
         "expected the folder of a training run, found no log.jsonl in it");
  }
  ReportOptions options;
  options.price_per_core_hour = price;
  const std::filesystem::path whole = std::filesystem::weakly_canonical(run, error);
  options.title =
      "Training run " + (whole.has_filename() ? whole : whole.parent_path()).filename().string();
  if (std::filesystem::exists(run / "recipe.toml", error)) {
    options.recipe = read_text_file(run / "recipe.toml");
  }
  return report_page(read_run_log(log), options);
}

}  // namespace minke
