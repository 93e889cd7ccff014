#include "serve/access/batch/batch_input.h"

#include "base/core/error.h"
#include "base/core/json.h"

namespace minke {

using simdjson::dom::element;

void BatchInput::feed(std::string_view bytes, const Each& each) {
  while (!stopped_ && !bytes.empty()) {
    const size_t newline = bytes.find('\n');
    const std::string_view part = bytes.substr(0, newline);
    if (open_.size() + part.size() > static_cast<size_t>(limits_.line_bytes)) {
      ++number_;
      blame("line_too_long",
            fmt::format("expected at most {} bytes, found more", limits_.line_bytes));
      stopped_ = true;
      return;
    }
    open_ += part;
    if (newline == std::string_view::npos) return;
    const std::string line = std::move(open_);
    open_.clear();
    take_line(line, each);
    bytes.remove_prefix(newline + 1);
  }
}

void BatchInput::finish(const Each& each) {
  if (stopped_) return;
  if (!open_.empty()) take_line(open_, each);
  if (ids_.empty() && faults_.empty()) {
    number_ = 0;
    blame("empty_file", "expected at least one line, found none");
  }
}

void BatchInput::take_line(std::string_view text, const Each& each) {
  ++number_;
  if (text.find_first_not_of(" \t\r") == std::string_view::npos) {
    if (empty_ == 0) empty_ = number_;
    return;
  }
  if (empty_ != 0) {
    const int64_t here = number_;
    number_ = empty_;
    blame("invalid_json_line", "expected a JSON object, found an empty line");
    number_ = here;
    empty_ = 0;
  }
  if (number_ > limits_.lines) {
    blame("too_many_lines", fmt::format("expected at most {} lines, found more", limits_.lines));
    stopped_ = true;
    return;
  }
  BatchInputLine line;
  line.number = number_;
  if (read_line(text, line)) each(line);
}

bool BatchInput::read_line(std::string_view text, BatchInputLine& line) {
  const size_t before = faults_.size();
  try {
    const JsonDocument document = JsonDocument::parse(text, "line");
    simdjson::dom::object object;
    if (document.root().get(object) != simdjson::SUCCESS) {
      blame("invalid_json_line",
            "expected a JSON object, found " + printable(describe_json(document.root())));
      return false;
    }
    const auto text_of = [&](const char* field) {
      std::string_view value;
      element found;
      if (object[field].get(found) != simdjson::SUCCESS) {
        blame("missing_required_parameter", fmt::format("expected {}, found none", field), field);
      } else if (found.get(value) != simdjson::SUCCESS) {
        blame("invalid_type",
              fmt::format("expected text, found {}", printable(describe_json(found))), field);
      }
      return value;
    };
    const std::string_view id = text_of("custom_id");
    const std::string_view method = text_of("method");
    const std::string_view url = text_of("url");
    simdjson::dom::object body;
    if (object["body"].get(body) != simdjson::SUCCESS) {
      blame("invalid_body", "expected an object in body", "body");
    }
    if (faults_.size() > before) return false;
    if (method != "POST") {
      blame("invalid_method", fmt::format("expected POST, found \"{}\"", printable(method)),
            "method");
    }
    if (url != endpoint_) {
      blame(
          "invalid_url",
          fmt::format("expected the batch's endpoint {}, found \"{}\"", endpoint_, printable(url)),
          "url");
    }
    line.custom_id = id;
    line.body = simdjson::minify(body);
  } catch (const Error& error) {
    blame("invalid_json_line", error.what());
    return false;
  }
  if (line.custom_id.empty() || line.custom_id.size() > kMostIdBytes) {
    blame("invalid_custom_id",
          fmt::format("expected 1 to {} bytes, found {}", kMostIdBytes, line.custom_id.size()),
          "custom_id");
  } else if (!ids_.insert(line.custom_id).second) {
    blame("duplicate_custom_id",
          fmt::format("\"{}\" is an earlier line's too", printable(line.custom_id)), "custom_id");
  }
  return faults_.size() == before;
}

void BatchInput::blame(std::string code, std::string message, std::string param) {
  faults_.push_back({std::move(code), number_, std::move(message), std::move(param)});
  if (faults_.size() >= kMostFaults) stopped_ = true;
}

}  // namespace minke
