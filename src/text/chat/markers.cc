#include "text/chat/markers.h"

#include <algorithm>

namespace minke {
namespace {

std::string with_underscores(std::string_view text) {
  constexpr std::string_view kBlock = "▁";
  std::string out;
  while (!text.empty()) {
    const size_t size = text.starts_with(kBlock) ? kBlock.size() : 1;
    out += size > 1 ? '_' : text.front();
    text.remove_prefix(size);
  }
  return out;
}

}  // namespace

Markers::Markers(const FormatRules& rules, const Tokenizer& tokenizer) {
  const auto add = [&](Marker marker, std::string text) {
    Entry entry{marker, std::move(text), std::nullopt, {}};
    entry.id = tokenizer.special_id(entry.text);
    if (!entry.id) entry.spelled.push_back(entry.text);
    const std::string other = with_underscores(entry.text);
    if (other != entry.text) entry.spelled.push_back(other);
    entries_.push_back(std::move(entry));
  };
  if (rules.thinks) {
    add(Marker::kThinkBegin, "<think>");
    add(Marker::kThinkEnd, "</think>");
  }
  if (rules.tools == ToolStyle::kDeepSeek) {
    add(Marker::kCallsBegin, "<｜tool▁calls▁begin｜>");
    add(Marker::kCallsEnd, "<｜tool▁calls▁end｜>");
    add(Marker::kCallBegin, "<｜tool▁call▁begin｜>");
    add(Marker::kCallSeparator, "<｜tool▁sep｜>");
    add(Marker::kCallEnd, "<｜tool▁call▁end｜>");
  }
  if (rules.tools == ToolStyle::kJson) {
    add(Marker::kCallBegin, "<tool_call>");
    add(Marker::kCallEnd, "</tool_call>");
  }
}

std::optional<Marker> Markers::of(int32_t id) const {
  for (const Entry& entry : entries_) {
    if (entry.id == id) return entry.marker;
  }
  return std::nullopt;
}

std::optional<int32_t> Markers::id(Marker marker) const {
  for (const Entry& entry : entries_) {
    if (entry.marker == marker) return entry.id;
  }
  return std::nullopt;
}

std::string_view Markers::spelling(Marker marker) const {
  for (const Entry& entry : entries_) {
    if (entry.marker == marker) return entry.text;
  }
  return {};
}

std::optional<Markers::Found> Markers::find(std::string_view text, MarkerSet set) const {
  std::optional<Found> first;
  for (const Entry& entry : entries_) {
    if ((set & marker_set(entry.marker)) == 0) continue;
    for (const std::string& spelled : entry.spelled) {
      const size_t at = text.find(spelled);
      if (at != std::string_view::npos && (!first || at < first->begin)) {
        first = Found{entry.marker, at, at + spelled.size()};
      }
    }
  }
  return first;
}

size_t Markers::unfinished(std::string_view text, MarkerSet set) const {
  size_t longest = 0;
  for (const Entry& entry : entries_) {
    if ((set & marker_set(entry.marker)) == 0) continue;
    for (const std::string& spelled : entry.spelled) {
      for (size_t size = std::min(text.size(), spelled.size() - 1); size > longest; --size) {
        if (text.ends_with(std::string_view(spelled).substr(0, size))) longest = size;
      }
    }
  }
  return longest;
}

std::vector<std::string_view> Markers::completions(std::string_view text, MarkerSet set) const {
  std::vector<std::string_view> out;
  for (const Entry& entry : entries_) {
    if ((set & marker_set(entry.marker)) == 0) continue;
    for (const std::string_view spelled : entry.spelled) {
      for (size_t size = std::min(text.size(), spelled.size() - 1); size > 0; --size) {
        if (text.ends_with(spelled.substr(0, size))) out.push_back(spelled.substr(size));
      }
    }
  }
  return out;
}

bool Markers::ends_spelled(std::string_view text) const {
  for (const Entry& entry : entries_) {
    for (const std::string& spelled : entry.spelled) {
      if (spelled.size() > text.size() && spelled.ends_with(text)) return true;
    }
  }
  return false;
}

}  // namespace minke
