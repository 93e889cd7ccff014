#include "learn/train/run_log.h"

#include <cerrno>
#include <cstring>
#include <limits>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "base/core/error.h"
#include "base/core/json.h"
#include "base/core/mapped_file.h"

namespace minke {
namespace {

using Json = nlohmann::ordered_json;
using simdjson::dom::element;

// The members of one line. Those that are absent keep the value they have: logs of other versions
// may have fewer.
class Line {
 public:
  explicit Line(const JsonDocument& document) : where_(document.name()) {
    if (document.root().get(object_) != simdjson::SUCCESS) {
      fail(where_, "expected a JSON object, found {}", describe_json(document.root()));
    }
  }

  void member(std::string_view key, int64_t& value) const {
    element found;
    if (object_[key].get(found) != simdjson::SUCCESS) return;
    if (found.get(value) != simdjson::SUCCESS || value < 0) {
      refuse(key, "a whole number of 0 or more", found);
    }
  }
  void member(std::string_view key, double& value) const {
    element found;
    if (object_[key].get(found) == simdjson::SUCCESS) value = number(key, found);
  }
  void member(std::string_view key, std::optional<double>& value) const {
    element found;
    if (object_[key].get(found) == simdjson::SUCCESS) value = number(key, found);
  }
  void member(std::string_view key, std::string& value) const {
    element found;
    if (object_[key].get(found) != simdjson::SUCCESS) return;
    std::string_view text;
    if (found.get(text) != simdjson::SUCCESS) refuse(key, "text", found);
    value = text;
  }
  void member(std::string_view key, std::vector<double>& values) const {
    element found;
    if (object_[key].get(found) != simdjson::SUCCESS) return;
    simdjson::dom::array list;
    if (found.get(list) != simdjson::SUCCESS) refuse(key, "a list", found);
    for (const element item : list) values.push_back(number(key, item));
  }
  void member(std::string_view key, std::map<std::string, double>& values) const {
    element found;
    if (object_[key].get(found) != simdjson::SUCCESS) return;
    simdjson::dom::object object;
    if (found.get(object) != simdjson::SUCCESS) refuse(key, "an object", found);
    for (const auto& [name, item] : object) values[std::string(name)] = number(name, item);
  }
  [[noreturn]] void fail_with_kind(const std::string& kind) const {
    fail(where_, "kind: expected sitting, step or evaluation, found \"{}\"", printable(kind));
  }

 private:
  double number(std::string_view key, element found) const {
    double value = 0;
    if (found.is_null()) return std::numeric_limits<double>::quiet_NaN();
    if (found.get(value) != simdjson::SUCCESS) refuse(key, "a number", found);
    return value;
  }
  [[noreturn]] void refuse(std::string_view key, std::string_view expected, element found) const {
    fail(where_, "{}: expected {}, found {}", printable(key), expected, describe_json(found));
  }

  std::string where_;
  simdjson::dom::object object_;
};

// The fields of each kind, once for reading and writing. Visitor::member(name, value).
template <typename Visitor, typename Record>
void visit_sitting(Visitor& v, Record& r) {
  v.member("step", r.step);
  v.member("threads", r.threads);
  v.member("parameters", r.parameters);
  v.member("active_parameters", r.active_parameters);
  v.member("flops_per_token", r.flops_per_token);
  v.member("peak_flops", r.peak_flops);
  v.member("machine", r.machine);
}

template <typename Visitor, typename Record>
void visit_step(Visitor& v, Record& r) {
  v.member("step", r.step);
  v.member("stage", r.stage);
  v.member("tokens", r.tokens);
  v.member("loss", r.loss);
  v.member("lr", r.learning_rate);
  v.member("gradient_norm", r.gradient_norm);
  v.member("seconds", r.seconds);
  v.member("tokens_per_second", r.tokens_per_second);
  v.member("percent_of_peak", r.percent_of_peak);
  v.member("joules", r.joules);
  v.member("expert_load", r.expert_load);
  v.member("values", r.values);
}

template <typename Visitor, typename Record>
void visit_evaluation(Visitor& v, Record& r) {
  v.member("step", r.step);
  v.member("tokens", r.tokens);
  v.member("values", r.values);
}

// Collects the members of a record; its member() takes a value from it.
class LineWriter {
 public:
  explicit LineWriter(const char* kind) : json_{{"kind", kind}} {}

  template <typename T>
  void member(const char* key, const T& value) {
    json_[key] = value;
  }
  void member(const char* key, const std::optional<double>& value) {
    if (value) json_[key] = *value;
  }
  void member(const char* key, const std::vector<double>& values) {
    if (!values.empty()) json_[key] = values;
  }
  void member(const char* key, const std::map<std::string, double>& values) {
    if (!values.empty()) json_[key] = values;
  }
  std::string text() const {
    return json_.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  }

 private:
  Json json_;
};

// Adds the record of one line; returns its step.
int64_t read_line(std::string_view text, const std::string& where, RunRecords& records) {
  const JsonDocument document = JsonDocument::parse(text, where);
  const Line line(document);
  std::string kind;
  line.member("kind", kind);
  if (kind == "step") {
    visit_step(line, records.steps.emplace_back());
    return records.steps.back().step;
  }
  if (kind == "evaluation") {
    visit_evaluation(line, records.evaluations.emplace_back());
    return records.evaluations.back().step;
  }
  if (kind != "sitting") line.fail_with_kind(kind);
  visit_sitting(line, records.sittings.emplace_back());
  return records.sittings.back().step;
}

// Calls each(line, place for errors, offset) for the whole lines of a log until it gives false;
// returns the offset behind the last one.
template <typename Each>
size_t for_each_line(std::string_view text, const std::string& file, const Each& each) {
  size_t begin = 0;
  for (int64_t number = 1; begin < text.size(); ++number) {
    const size_t end = text.find('\n', begin);
    if (end == std::string_view::npos) break;
    if (!each(text.substr(begin, end - begin), fmt::format("{}: line {}", file, number), begin)) {
      break;
    }
    begin = end + 1;
  }
  return begin;
}

// The part of a log that is kept behind a checkpoint of `step`, in bytes. Adds its evaluations.
// Throws Error as RunLog's constructor.
size_t kept_bytes(std::string_view text, const std::string& file, int64_t step,
                  std::vector<EvaluationRecord>& evaluations) {
  std::optional<size_t> broken_at;
  std::string what;
  const size_t end = for_each_line(
      text, file, [&](std::string_view line, const std::string& where, size_t offset) {
        RunRecords record;
        try {
          if (read_line(line, where, record) > step) return false;
        } catch (const Error& error) {
          if (!broken_at) what = error.what();
          broken_at = broken_at.value_or(offset);
          return true;
        }
        if (broken_at) throw Error(what);
        evaluations.insert(evaluations.end(), record.evaluations.begin(), record.evaluations.end());
        return true;
      });
  return broken_at.value_or(end);
}

}  // namespace

RunRecords read_run_log(const std::filesystem::path& path) {
  RunRecords records;
  for_each_line(read_text_file(path), path.string(),
                [&](std::string_view line, const std::string& where, size_t) {
                  read_line(line, where, records);
                  return true;
                });
  return records;
}

RunLog::RunLog(const std::filesystem::path& path, int64_t step) : name_(path.string()) {
  size_t kept = 0;
  if (std::filesystem::exists(path)) {
    kept = kept_bytes(read_text_file(path), name_, step, evaluations_);
  }
  fd_ = ::open(name_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (fd_ < 0) fail(name_, "cannot open: {}", std::strerror(errno));
  if (::ftruncate(fd_, static_cast<off_t>(kept)) != 0) {
    const int error = errno;
    ::close(fd_);
    fail(name_, "cannot take records away: {}", std::strerror(error));
  }
}

RunLog::~RunLog() {
  ::close(fd_);
}

void RunLog::append(const SittingRecord& record) {
  LineWriter line("sitting");
  visit_sitting(line, record);
  append_line(line.text());
}

void RunLog::append(const StepRecord& record) {
  LineWriter line("step");
  visit_step(line, record);
  append_line(line.text());
}

void RunLog::append(const EvaluationRecord& record) {
  LineWriter line("evaluation");
  visit_evaluation(line, record);
  append_line(line.text());
  evaluations_.push_back(record);
}

void RunLog::append_line(const std::string& line) {
  for (std::string_view rest = line; !rest.empty();) {
    const ssize_t written = ::write(fd_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(name_, "cannot write: {}", std::strerror(errno));
    rest.remove_prefix(static_cast<size_t>(written));
  }
}

void RunLog::sync() {
  if (::fdatasync(fd_) != 0) fail(name_, "cannot bring to disk: {}", std::strerror(errno));
}

}  // namespace minke
