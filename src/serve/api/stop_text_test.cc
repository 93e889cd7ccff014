#include "serve/api/stop_text.h"

#include <gtest/gtest.h>

#include "base/core/rng.h"
#include "base/core/utf8.h"

namespace minke {
namespace {

struct Outcome {
  std::string text, found;
  bool operator==(const Outcome&) const = default;
};

// The first end of a stop string decides, among those with this end the longest string.
Outcome naive(const std::string& text, const std::vector<std::string>& stops) {
  for (size_t end = 1; end <= text.size(); ++end) {
    const std::string so_far = text.substr(0, end);
    std::string best;
    for (const std::string& stop : stops) {
      if (so_far.ends_with(stop) && stop.size() > best.size()) best = stop;
    }
    if (!best.empty()) return {so_far.substr(0, end - best.size()), best};
  }
  return {text, ""};
}

Outcome in_pieces(const std::string& text, const std::vector<std::string>& stops, Rng& rng) {
  StopText matcher(stops);
  std::string out;
  for (size_t at = 0; at < text.size();) {
    size_t size = 1 + rng.below(4);
    while (at + size < text.size() &&
           (static_cast<unsigned char>(text[at + size]) & 0xc0) == 0x80) {
      ++size;
    }
    const std::string given = matcher.add(text.substr(at, size));
    EXPECT_TRUE(utf8_valid(given));
    out += given;
    at += size;
  }
  if (!matcher.stopped()) out += matcher.finish();
  return {out, matcher.found()};
}

TEST(StopText, finds_what_a_plain_search_finds_however_the_text_is_cut) {
  Rng rng(7);
  const std::vector<std::string> letters = {"a", "b", "é", "語", "😀"};
  const auto random_text = [&](uint64_t most) {
    std::string text;
    for (uint64_t i = rng.below(most) + 1; i > 0; --i) text += letters[rng.below(letters.size())];
    return text;
  };
  int found = 0;
  for (int round = 0; round < 3000; ++round) {
    std::vector<std::string> stops;
    for (uint64_t i = rng.below(4) + 1; i > 0; --i) stops.push_back(random_text(4));
    const std::string text = random_text(24);
    const Outcome expected = naive(text, stops);
    EXPECT_EQ(in_pieces(text, stops, rng), expected);
    found += expected.found.empty() ? 0 : 1;
  }
  EXPECT_GT(found, 1000);
  EXPECT_LT(found, 2900);
}

TEST(StopText, holds_back_only_what_may_begin_a_stop_string) {
  StopText matcher({"\nUser:", "END"});
  EXPECT_EQ(matcher.add("Hello E"), "Hello ");
  EXPECT_EQ(matcher.add("N"), "");
  EXPECT_EQ(matcher.add("d\n"), "ENd");
  EXPECT_EQ(matcher.add("\n"), "\n");
  EXPECT_EQ(matcher.add("User"), "");
  EXPECT_FALSE(matcher.stopped());
  EXPECT_EQ(matcher.add(": more"), "");
  EXPECT_TRUE(matcher.stopped());
  EXPECT_EQ(matcher.found(), "\nUser:");
  EXPECT_EQ(matcher.add("text"), "");
  EXPECT_EQ(matcher.finish(), "");
}

TEST(StopText, gives_what_it_held_when_the_text_ends) {
  StopText matcher({"abc"});
  EXPECT_EQ(matcher.add("xab"), "x");
  EXPECT_EQ(matcher.finish(), "ab");
  EXPECT_EQ(matcher.found(), "");
}

TEST(StopText, without_stop_strings_gives_all) {
  StopText matcher({});
  EXPECT_EQ(matcher.add("anything"), "anything");
  EXPECT_EQ(matcher.finish(), "");
}

}  // namespace
}  // namespace minke
