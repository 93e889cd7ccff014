#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "serve/api/turns/reply_vocabulary.h"

namespace minke {

// A part of a reply in which everything may be written, until a marker ends it. It finds markers
// where ReplyParser does: both ask Markers.
class FreeText {
 public:
  // Ends at the first marker of `ends`. `vocabulary` must outlive it.
  FreeText(const ReplyVocabulary& vocabulary, MarkerSet ends)
      : vocabulary_(&vocabulary), ends_(ends) {}

  // Whether a text may stand behind the marker.
  using Takes = std::function<bool(std::string_view)>;
  // Sets all bits but those of tokens that spell the marker's end and go on with what `takes`
  // refuses.
  void allowed(std::span<uint64_t> bits, const Takes& takes) const;

  // What `id` has behind the marker that it completes; nullopt if it completes none.
  std::optional<std::string_view> accept(int32_t id);
  // The same for a text, which the result is part of.
  std::optional<std::string_view> accept_text(std::string_view text);

 private:
  const ReplyVocabulary* vocabulary_;
  MarkerSet ends_;
  std::string tail_;  // what may be the start of a spelled marker
};

}  // namespace minke
