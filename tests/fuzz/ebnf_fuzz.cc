// Choices and an EBNF grammar, with a zero byte between: an Error, or texts of which all that was
// drawn is a beginning.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/core/check.h"
#include "base/core/error.h"
#include "grammar_drawing.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t end = std::min(input.find('\0'), size);
  const std::string_view choices = input.substr(0, std::min<size_t>(end, 100));
  try {
    const auto grammar =
        minke::compile_ebnf(input.substr(std::min(end + 1, size)), minke::fuzz_limits());
    const std::string text = minke::draw(grammar, choices);
    minke::Recognizer recognizer(grammar, minke::ByteSet().set());
    minke::Recognizer::Config config = recognizer.start();
    for (const char c : text) {
      config = recognizer.step(config, static_cast<uint8_t>(c));
      CHECK(config != minke::Recognizer::kDead);
    }
    CHECK(text.empty() || recognizer.can_end(config));
  } catch (const minke::Error&) {
  }
  return 0;
}
