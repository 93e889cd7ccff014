#include "text/grammar/code_points.h"

#include <algorithm>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "base/core/utf8.h"

namespace minke {
namespace {

constexpr char32_t kLast = 0x10ffff, kSurrogates = 0xd800, kBehindSurrogates = 0xe000;
constexpr char32_t kFirstUnescaped = 0x20;

// `c` as an escape of a JSON string; "" if it stands for itself.
std::string escape(char32_t c) {
  switch (c) {
    case '"':
      return "\\\"";
    case '\\':
      return "\\\\";
    case '\b':
      return "\\b";
    case '\f':
      return "\\f";
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      return c < kFirstUnescaped ? fmt::format("\\u{:04x}", static_cast<uint32_t>(c)) : "";
  }
}

std::string utf8_of(char32_t c) {
  std::string out;
  utf8_append(out, c);
  return out;
}

// Adds UTF-8 sequences. Those that end alike share the states of their ends.
class Utf8Sequences {
 public:
  Utf8Sequences(AutomatonBuilder& builder, int32_t from, int32_t to)
      : builder_(builder), from_(from), to_(to) {}

  // The sequences of lo to hi: the range is cut until the sequences of a piece are all of one
  // length, and are all combinations of ranges of bytes.
  void add(char32_t lo, char32_t hi) {
    for (const char32_t last : {0x7f, 0x7ff, 0xffff}) {
      if (lo <= last && hi > last) {
        add(lo, last);
        add(last + 1, hi);
        return;
      }
    }
    const std::string first = utf8_of(lo), second = utf8_of(hi);
    for (size_t i = 1; i < first.size(); ++i) {
      const char32_t low_bits = (char32_t{1} << (6 * i)) - 1;
      if ((lo & ~low_bits) == (hi & ~low_bits)) continue;
      char32_t cut = 0;
      if ((lo & low_bits) != 0) {
        cut = lo | low_bits;
      } else if ((hi & low_bits) != low_bits) {
        cut = (hi & ~low_bits) - 1;
      } else {
        continue;
      }
      add(lo, cut);
      add(cut + 1, hi);
      return;
    }
    int32_t to = to_;
    for (size_t i = first.size(); i-- > 1;) {
      to = before(static_cast<uint8_t>(first[i]), static_cast<uint8_t>(second[i]), to);
    }
    builder_.add_bytes(from_, static_cast<uint8_t>(first[0]), static_cast<uint8_t>(second[0]), to);
  }

 private:
  // A state with this one edge.
  int32_t before(uint8_t lo, uint8_t hi, int32_t to) {
    const auto [it, added] = states_.try_emplace({lo, hi, to});
    if (added) {
      it->second = builder_.add_state();
      builder_.add_bytes(it->second, lo, hi, to);
    }
    return it->second;
  }

  AutomatonBuilder& builder_;
  int32_t from_, to_;
  std::map<std::tuple<uint8_t, uint8_t, int32_t>, int32_t> states_;
};

}  // namespace

CodePointSet CodePointSet::any() {
  return {0, kLast};
}

void CodePointSet::add(char32_t lo, char32_t hi) {
  if (lo < kSurrogates && hi >= kSurrogates) {
    add(lo, kSurrogates - 1);
    lo = kBehindSurrogates;
  }
  if (lo >= kSurrogates) lo = std::max(lo, kBehindSurrogates);
  if (lo > hi) return;
  const bool behind = ranges_.empty() || lo > ranges_.back().second + 1;
  ranges_.emplace_back(lo, hi);
  if (behind) return;
  std::sort(ranges_.begin(), ranges_.end());
  std::vector<std::pair<char32_t, char32_t>> merged;
  for (const auto& [first, last] : ranges_) {
    if (!merged.empty() && first <= merged.back().second + 1) {
      merged.back().second = std::max(merged.back().second, last);
    } else {
      merged.emplace_back(first, last);
    }
  }
  ranges_ = std::move(merged);
}

void CodePointSet::add(const CodePointSet& other) {
  for (const auto& [lo, hi] : other.ranges_) add(lo, hi);
}

CodePointSet CodePointSet::complement() const {
  CodePointSet out;
  char32_t next = 0;
  for (const auto& [lo, hi] : ranges_) {
    if (lo > next) out.add(next, lo - 1);
    next = hi + 1;
  }
  if (next <= kLast) out.add(next, kLast);
  return out;
}

std::string spelled(std::string_view text, Spelling spelling) {
  if (spelling == Spelling::kPlain) return std::string(text);
  std::string out;
  for (const char c : text) {
    const std::string escaped = escape(static_cast<unsigned char>(c));
    if (escaped.empty()) {
      out += c;
    } else {
      out += escaped;
    }
  }
  return out;
}

void add_characters(AutomatonBuilder& builder, int32_t from, int32_t to, const CodePointSet& set,
                    Spelling spelling) {
  Utf8Sequences sequences(builder, from, to);
  for (const auto& [first, last] : set.ranges()) {
    char32_t lo = first;
    if (spelling == Spelling::kJson) {
      for (char32_t c = lo; c <= std::min<char32_t>(last, '\\'); ++c) {
        const std::string escaped = escape(c);
        if (escaped.empty()) continue;
        if (c > lo) sequences.add(lo, c - 1);
        const int32_t before = builder.add_text(from, escaped.substr(0, escaped.size() - 1));
        const auto end = static_cast<uint8_t>(escaped.back());
        builder.add_bytes(before, end, end, to);
        lo = c + 1;
      }
    }
    if (lo <= last) sequences.add(lo, last);
  }
}

}  // namespace minke
