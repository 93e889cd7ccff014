#include "apps/measure/former_report.h"

#include <cmath>

#include "base/core/error.h"
#include "base/core/json.h"

namespace minke {
namespace {

using Element = simdjson::dom::element;

// Members of an object of the report, which `where` names in errors.
class Members {
 public:
  Members(Element element, std::string where) : where_(std::move(where)) {
    if (element.get(object_) != simdjson::SUCCESS) refuse("an object");
  }

  std::string text(std::string_view key) const {
    std::string_view value;
    if (object_[key].get(value) != simdjson::SUCCESS) refuse("a text", key);
    return std::string(value);
  }
  int64_t whole(std::string_view key, int64_t low) const {
    int64_t value = 0;
    if (object_[key].get(value) != simdjson::SUCCESS || value < low) {
      refuse(fmt::format("a whole number of {} or more", low), key);
    }
    return value;
  }
  double positive(std::string_view key) const {
    double value = 0;
    if (object_[key].get(value) != simdjson::SUCCESS || !(value > 0) || !std::isfinite(value)) {
      refuse("a number above 0", key);
    }
    return value;
  }
  // tokens_per_second of each row, by the row's member `key`.
  std::map<int64_t, double> speeds(std::string_view list, std::string_view key, int64_t low) const {
    simdjson::dom::array rows;
    if (object_[list].get(rows) != simdjson::SUCCESS) refuse("a list", list);
    std::map<int64_t, double> speeds;
    size_t index = 0;
    for (const Element row : rows) {
      const Members members(row, fmt::format("{}: {}[{}]", where_, list, index++));
      speeds[members.whole(key, low)] = members.positive("tokens_per_second");
    }
    return speeds;
  }

 private:
  [[noreturn]] void refuse(std::string_view expected, std::string_view key = {}) const {
    fail(where_, "expected the output of minke bench --json, with {}{}{}", expected,
         key.empty() ? "" : " as ", key);
  }

  std::string where_;
  simdjson::dom::object object_;
};

}  // namespace

FormerReport read_former_report(const std::filesystem::path& path) {
  const JsonDocument document = JsonDocument::read(path);
  const Members members(document.root(), printable(path.string(), 200));
  FormerReport report;
  report.file = path.string();
  report.model = members.text("model");
  report.type = members.text("type");
  report.isa = members.text("isa");
  report.parameters = members.whole("parameters", 1);
  report.threads = members.whole("threads", 1);
  report.read_gb_per_second = members.positive("read_gb_per_second");
  report.prefill = members.speeds("prefill", "tokens", 1);
  report.decode = members.speeds("decode", "depth", 0);
  return report;
}

void require_same_subject(const FormerReport& former, const std::string& model,
                          const std::string& type, int64_t parameters, int threads) {
  std::string differ;
  const auto compare = [&](std::string_view what, const std::string& here,
                           const std::string& there) {
    if (here == there) return;
    differ += fmt::format("{}expected {} {}, found {}", differ.empty() ? "" : "; ", what,
                          printable(here), printable(there));
  };
  compare("model", model, former.model);
  compare("type", type, former.type);
  compare("parameters", std::to_string(parameters), std::to_string(former.parameters));
  compare("threads", std::to_string(threads), std::to_string(former.threads));
  if (!differ.empty()) fail(printable(former.file, 200), "not comparable: {}", differ);
}

}  // namespace minke
