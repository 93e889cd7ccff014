#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/chat/formats.h"

namespace minke {

// What divides a reply into parts.
enum class Marker {
  kThinkBegin,
  kThinkEnd,
  kCallsBegin,
  kCallsEnd,
  kCallBegin,
  kCallSeparator,
  kCallEnd,
};

// A set of markers, as bits.
using MarkerSet = uint32_t;
template <typename... M>
constexpr MarkerSet marker_set(M... markers) {
  return ((MarkerSet{1} << static_cast<int>(markers)) | ... | MarkerSet{0});
}
// What has a meaning behind the thinking.
inline constexpr MarkerSet kCallMarkers =
    marker_set(Marker::kCallsBegin, Marker::kCallsEnd, Marker::kCallBegin, Marker::kCallSeparator,
               Marker::kCallEnd);

// The markers of a format in a vocabulary. A marker that has a token is that token alone: the same
// text in ordinary tokens is text, as it is in prompts. A marker without one is its text.
// DeepSeek's tool markers are also known with "_" for U+2581, which models write in ordinary
// tokens.
class Markers {
 public:
  Markers(const FormatRules& rules, const Tokenizer& tokenizer);

  std::optional<Marker> of(int32_t id) const;
  // The token of `marker`; nullopt if there is none.
  std::optional<int32_t> id(Marker marker) const;
  // The text of `marker` as the format spells it.
  std::string_view spelling(Marker marker) const;

  struct Found {
    Marker marker;
    size_t begin, end;
  };
  // The first marker of `set` that is spelled in `text`.
  std::optional<Found> find(std::string_view text, MarkerSet set) const;
  // Bytes at the end of `text` that may be the start of a spelled marker of `set`.
  size_t unfinished(std::string_view text, MarkerSet set) const;
  // What would complete the spelled markers of `set` that `text` ends with the start of. The views
  // hold as long as this object.
  std::vector<std::string_view> completions(std::string_view text, MarkerSet set) const;
  // Whether `text` is the end of a spelled marker, but not all of it.
  bool ends_spelled(std::string_view text) const;

 private:
  struct Entry {
    Marker marker;
    std::string text;
    std::optional<int32_t> id;
    std::vector<std::string> spelled;  // as ordinary tokens
  };
  std::vector<Entry> entries_;
};

}  // namespace minke
