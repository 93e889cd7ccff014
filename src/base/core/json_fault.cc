#include "base/core/json_fault.h"

#include <charconv>

#include <simdjson.h>

#include "base/core/error.h"
#include "base/core/utf8.h"

namespace minke {
namespace {

constexpr size_t kMostLevels = simdjson::DEFAULT_MAX_DEPTH;
constexpr size_t kShown = 20;  // bytes of the text in a message

// Each step reads one token and returns whether it was right; fault_ says what was wrong.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  std::optional<JsonFault> run() {
    bool right = true;
    while (right) {
      skip_space();
      if (want_ == Want::kEnd && at_ == text_.size()) return std::nullopt;
      right = step();
    }
    return fault_;
  }

 private:
  enum class Want { kValue, kFirstItem, kFirstKey, kKey, kColon, kMore, kEnd };

  char now() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool is_digit() const { return now() >= '0' && now() <= '9'; }
  void skip_space() {
    while (at_ < text_.size() &&
           std::string_view(" \t\r\n").find(now()) != std::string_view::npos) {
      ++at_;
    }
  }

  bool wrong(std::string expected, std::string found) {
    fault_ = {at_, std::move(expected), std::move(found)};
    return false;
  }
  bool wrong(std::string expected) {
    if (at_ == text_.size()) return wrong(std::move(expected), "the end of the text");
    const std::string_view rest = text_.substr(at_);
    const size_t length = std::min(rest.find_first_of(" \t\r\n,:[]{}", 1), rest.size());
    return wrong(std::move(expected),
                 fmt::format("\"{}\"", printable(rest.substr(0, length), kShown)));
  }

  bool step() {
    switch (want_) {
      case Want::kFirstItem:
        return now() == ']' ? close() : value();
      case Want::kValue:
        return value();
      case Want::kFirstKey:
        return now() == '}' ? close() : key("a name in quotes or '}'");
      case Want::kKey:
        return key("a name in quotes");
      case Want::kColon:
        return take(':', Want::kValue, "':'");
      case Want::kMore:
        return more();
      case Want::kEnd:
        return wrong("the end of the text");
    }
    return false;
  }

  bool take(char c, Want next, const char* expected) {
    if (now() != c) return wrong(expected);
    ++at_;
    want_ = next;
    return true;
  }

  bool key(const char* expected) {
    if (now() != '"') return wrong(expected);
    if (!string()) return false;
    want_ = Want::kColon;
    return true;
  }

  bool more() {
    const bool in_object = levels_.back() == '{';
    if (now() == (in_object ? '}' : ']')) return close();
    return take(',', in_object ? Want::kKey : Want::kValue,
                in_object ? "',' or '}'" : "',' or ']'");
  }

  bool open() {
    if (levels_.size() + 1 >= kMostLevels) {
      return wrong(fmt::format("at most {} levels of lists and objects", kMostLevels - 1),
                   "one more");
    }
    levels_ += now();
    want_ = now() == '{' ? Want::kFirstKey : Want::kFirstItem;
    ++at_;
    return true;
  }

  bool close() {
    ++at_;
    levels_.pop_back();
    return done();
  }

  // A value ends here.
  bool done() {
    want_ = levels_.empty() ? Want::kEnd : Want::kMore;
    return true;
  }

  bool value() {
    if (now() == '{' || now() == '[') return open();
    if (now() == '"') return string() && done();
    if (now() == '-' || is_digit()) return number() && done();
    for (const std::string_view word : {"true", "false", "null"}) {
      if (text_.substr(at_).starts_with(word)) {
        at_ += word.size();
        return done();
      }
    }
    return wrong("a value");
  }

  bool string() {
    ++at_;
    while (now() != '"') {
      if (at_ == text_.size()) return wrong("'\"' behind the text");
      if (static_cast<unsigned char>(now()) < 0x20) {
        return wrong("no control character in quotes",
                     fmt::format("byte 0x{:02x}", static_cast<unsigned char>(now())));
      }
      const size_t length = utf8_sequence_length(text_.substr(at_));
      if (length == 0) {
        return wrong("UTF-8", fmt::format("byte 0x{:02x}", static_cast<unsigned char>(now())));
      }
      if (now() != '\\') {
        at_ += length;
      } else if (!escape()) {
        return false;
      }
    }
    ++at_;
    return true;
  }

  bool escape() {
    ++at_;
    if (at_ < text_.size() &&
        std::string_view("\"\\/bfnrt").find(now()) != std::string_view::npos) {
      ++at_;
      return true;
    }
    if (now() != 'u') return wrong("one of \"\\/bfnrtu behind '\\'");
    uint32_t high = 0, low = 0;
    if (!hex(high)) return false;
    if (high < 0xd800 || high > 0xdfff) return true;
    constexpr const char* kPair = "a pair of surrogates";
    if (high > 0xdbff || !text_.substr(at_).starts_with("\\u")) return wrong(kPair);
    ++at_;
    return hex(low) && ((low >= 0xdc00 && low <= 0xdfff) || wrong(kPair));
  }

  // The digits behind \u.
  bool hex(uint32_t& value) {
    ++at_;
    const std::string_view digits = text_.substr(at_, 4);
    const char* const end = digits.data() + digits.size();
    const auto result = std::from_chars(digits.data(), end, value, 16);
    if (digits.size() < 4 || result.ptr != end) return wrong("four hexadecimal digits behind \\u");
    at_ += 4;
    return true;
  }

  bool digits() {
    if (!is_digit()) return wrong("a digit");
    while (is_digit()) ++at_;
    return true;
  }

  bool number() {
    const size_t start = at_;
    if (now() == '-') ++at_;
    if (now() == '0') {
      ++at_;
      if (is_digit()) return wrong("no digit behind a leading 0");
    } else if (!digits()) {
      return false;
    }
    const bool whole = now() != '.' && now() != 'e' && now() != 'E';
    if (now() == '.') {
      ++at_;
      if (!digits()) return false;
    }
    if (now() == 'e' || now() == 'E') {
      ++at_;
      if (now() == '+' || now() == '-') ++at_;
      if (!digits()) return false;
    }
    // simdjson decides: it takes reals too small for a double as 0, which from_chars() would not.
    std::string real(text_.substr(start, at_ - start));
    if (real.size() <= kShown && real.find_first_of("eE") == std::string::npos) return true;
    if (whole) real += ".0";
    if (parser_.parse(real).error() == simdjson::SUCCESS) return true;
    at_ = start;
    return wrong("a number that fits a double");
  }

  std::string_view text_;
  size_t at_ = 0;
  Want want_ = Want::kValue;
  std::string levels_;  // the brackets that are open
  JsonFault fault_{};
  simdjson::dom::parser parser_;
};

}  // namespace

std::optional<JsonFault> find_json_fault(std::string_view text) {
  return Scanner(text).run();
}

}  // namespace minke
