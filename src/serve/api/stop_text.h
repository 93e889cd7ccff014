#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace minke {

// Looks for stop strings in text that comes in pieces, and gives on what cannot be part of one. The
// first stop string that is complete ends the text; of those that become complete with the same
// byte, the longest. So nothing depends on where the pieces end. What it gives is whole UTF-8 if
// the pieces and the stop strings are. Takes time in proportion to the bytes times the strings.
class StopText {
 public:
  // `stops` holds no empty strings; it may itself be empty.
  explicit StopText(const std::vector<std::string>& stops);

  // The text that has become certain with `piece`: before the stop string if one is complete.
  // Nothing once stopped().
  std::string add(std::string_view piece);
  // What was held back, when no more comes.
  std::string finish();

  bool stopped() const { return found_ != nullptr; }
  // The stop string that was found, "" if none was.
  const std::string& found() const;

 private:
  struct Stop {
    std::string text;
    std::vector<size_t> border;  // of each prefix: its longest proper prefix that also ends it
    size_t matched = 0;          // bytes of `text` that the text so far ends with
  };
  // True if `stop` is complete with `byte`.
  static bool advance(Stop& stop, char byte);

  std::vector<Stop> stops_;
  std::string held_;
  const Stop* found_ = nullptr;
};

}  // namespace minke
