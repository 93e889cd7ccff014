#include "serve/api/stop_text.h"

#include <algorithm>

#include "base/core/check.h"

namespace minke {

StopText::StopText(const std::vector<std::string>& stops) {
  stops_.reserve(stops.size());
  for (const std::string& text : stops) {
    CHECK(!text.empty());
    Stop& stop = stops_.emplace_back();
    stop.text = text;
    stop.border.assign(text.size() + 1, 0);
    size_t border = 0;
    for (size_t i = 1; i < text.size(); ++i) {
      while (border > 0 && text[i] != text[border]) border = stop.border[border];
      if (text[i] == text[border]) ++border;
      stop.border[i + 1] = border;
    }
  }
}

// Knuth, Morris and Pratt: Fast pattern matching in strings, 1977.
bool StopText::advance(Stop& stop, char byte) {
  while (stop.matched > 0 && stop.text[stop.matched] != byte) {
    stop.matched = stop.border[stop.matched];
  }
  if (stop.text[stop.matched] == byte) ++stop.matched;
  return stop.matched == stop.text.size();
}

std::string StopText::add(std::string_view piece) {
  if (stopped()) return {};
  if (stops_.empty()) return std::string(piece);
  std::string text = std::move(held_);
  held_.clear();
  for (const char byte : piece) {
    text += byte;
    for (Stop& stop : stops_) {
      if (advance(stop, byte) && (!found_ || stop.text.size() > found_->text.size())) {
        found_ = &stop;
      }
    }
    if (found_) {
      text.resize(text.size() - found_->text.size());
      return text;
    }
  }
  size_t hold = 0;
  for (const Stop& stop : stops_) hold = std::max(hold, stop.matched);
  held_ = text.substr(text.size() - hold);
  text.resize(text.size() - hold);
  return text;
}

std::string StopText::finish() {
  std::string text = std::move(held_);
  held_.clear();
  return text;
}

const std::string& StopText::found() const {
  static const std::string kNone;
  return found_ ? found_->text : kNone;
}

}  // namespace minke
