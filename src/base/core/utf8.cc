#include "base/core/utf8.h"

#include "base/core/check.h"
#include "base/core/error.h"

namespace minke {
namespace {

// What a lead byte asks for: the length of its sequence and the range its second byte must lie in
// (RFC 3629, section 4).
struct Lead {
  size_t length;
  unsigned char low, high;
};

Lead lead_of(unsigned char byte) {
  if (byte < 0x80) return {1, 0, 0};
  if (byte >= 0xc2 && byte <= 0xdf) return {2, 0x80, 0xbf};
  if (byte == 0xe0) return {3, 0xa0, 0xbf};
  if (byte == 0xed) return {3, 0x80, 0x9f};
  if (byte >= 0xe1 && byte <= 0xef) return {3, 0x80, 0xbf};
  if (byte == 0xf0) return {4, 0x90, 0xbf};
  if (byte >= 0xf1 && byte <= 0xf3) return {4, 0x80, 0xbf};
  if (byte == 0xf4) return {4, 0x80, 0x8f};
  return {0, 0, 0};
}

// Length of the longest prefix of `text` that could start a sequence, and whether that prefix is a
// whole one.
struct Scan {
  size_t length;
  bool whole;
};

Scan scan(std::string_view text) {
  if (text.empty()) return {0, false};
  const Lead lead = lead_of(static_cast<unsigned char>(text[0]));
  if (lead.length == 0) return {0, false};
  for (size_t i = 1; i < lead.length; ++i) {
    if (i == text.size()) return {i, false};
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool fits =
        i == 1 ? (byte >= lead.low && byte <= lead.high) : (byte >= 0x80 && byte <= 0xbf);
    if (!fits) return {i, false};
  }
  return {lead.length, true};
}

// Length of the longest prefix of `text` that is valid.
size_t valid_bytes(std::string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    const Scan s = scan(text.substr(i));
    if (!s.whole) break;
    i += s.length;
  }
  return i;
}

}  // namespace

size_t utf8_sequence_length(std::string_view text) {
  const Scan s = scan(text);
  return s.whole ? s.length : 0;
}

size_t utf8_complete_prefix(std::string_view text) {
  for (size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const size_t start = text.size() - back;
    const Scan s = scan(text.substr(start));
    if (s.whole) return text.size();
    if (s.length == back) return start;
  }
  return text.size();
}

bool utf8_valid(std::string_view text) {
  return valid_bytes(text) == text.size();
}

void require_utf8(std::string_view text, std::string_view where) {
  const size_t valid = valid_bytes(text);
  if (valid == text.size()) return;
  fail(where, "expected UTF-8 text, found byte 0x{:02x} at offset {}",
       static_cast<unsigned char>(text[valid]), valid);
}

std::string utf8_sanitized(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  size_t i = 0;
  while (i < text.size()) {
    const Scan s = scan(text.substr(i));
    if (s.whole) {
      out.append(text.substr(i, s.length));
      i += s.length;
    } else {
      out += "\xef\xbf\xbd";
      i += s.length > 0 ? s.length : 1;
    }
  }
  return out;
}

char32_t utf8_decode(std::string_view text) {
  const size_t length = utf8_sequence_length(text);
  CHECK(length > 0);
  const auto byte = [&](size_t i) {
    return static_cast<char32_t>(static_cast<unsigned char>(text[i]));
  };
  if (length == 1) return byte(0);
  char32_t value = byte(0) & (0xffu >> (length + 1));
  for (size_t i = 1; i < length; ++i) value = value << 6 | (byte(i) & 0x3f);
  return value;
}

void utf8_append(std::string& out, char32_t c) {
  const auto put = [&](char32_t byte) { out += static_cast<char>(byte); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xc0 | c >> 6), put(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    put(0xe0 | c >> 12), put(0x80 | (c >> 6 & 0x3f)), put(0x80 | (c & 0x3f));
  } else {
    put(0xf0 | c >> 18), put(0x80 | (c >> 12 & 0x3f)), put(0x80 | (c >> 6 & 0x3f));
    put(0x80 | (c & 0x3f));
  }
}

}  // namespace minke
