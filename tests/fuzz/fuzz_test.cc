// Every fuzz target, with changed copies of some seeds: a short look at what clang's fuzzer, where
// it is there, looks at for longer. A finding ends the program, which says which input it was.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "base/core/mapped_file.h"
#include "base/core/rng.h"

// targets.inc, which cmake/tests.cmake writes, has a line FUZZ_TARGET(name) for each target.
#define FUZZ_TARGET(name) extern "C" int name(const uint8_t* data, size_t size);
#include "targets.inc"
#undef FUZZ_TARGET

namespace minke {
namespace {

constexpr int kInputs = 20'000;
constexpr int kFewest = 6;
constexpr std::chrono::milliseconds kMost{400};
constexpr uintmax_t kLargestSeed = 64'000;

struct Target {
  std::string_view name;
  int (*run)(const uint8_t* data, size_t size);
};

#define FUZZ_TARGET(name) Target{#name, &::name},
constexpr Target kTargets[] = {
#include "targets.inc"
};
#undef FUZZ_TARGET

// A GGUF file of version 3 without tensors: one number, "a" = 7.
std::string small_gguf() {
  const auto number = [](uint64_t value, int bytes) {
    std::string out;
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
    return out;
  };
  return "GGUF" + number(3, 4) + number(0, 8) + number(1, 8) + number(1, 8) + "a" + number(4, 4) +
         number(7, 4);
}

// Something of what each target reads, in the same order on every machine.
const std::vector<std::string>& seeds() {
  static const std::vector<std::string> all = [] {
    std::vector<std::string> made = {
        "",
        std::string(64, '\0'),
        "\001{\"model\":\"m\",\"prompt\":[\"a\",\"b\"],\"n\":2,\"stop\":[\"x\"],\"echo\":true}",
        std::string(1, '\0') +
            "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"n\":2,"
            "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}],"
            "\"logit_bias\":{\"5\":-1},\"seed\":7,\"stream\":true}",
        "\004POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}",
        "\001GET /health HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
        "chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "abc" + std::string(1, '\0') +
            "root ::= \"a\" (b | [0-9]{1,3})*\nb ::= \"x\" root? \"y\"\n",
        "abc" + std::string(1, '\0') +
            R"({"type":"object","properties":{"a":{"type":"string","pattern":"^[a-z]+$"},
               "b":{"type":"array","items":{"type":"integer","minimum":3},"maxItems":4}}})",
        "total = 0\nfor i in range(3):\n    total += i * 2\nprint(total)\n",
        "<think>so</think>\\boxed{12 + 3}",
        "\\p{L}+|[^\\s\\p{N}]?" + std::string(1, '\0') + "ein Wort 12 中文",
    };
    made.push_back(small_gguf());
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(MINKE_GOLDEN_DIR)) {
      const std::string name = entry.path().filename().string();
      const bool wanted = name == "config.json" || name == "tokenizer_config.json" ||
                          name == "tokenizer.json" || entry.path().extension() == ".safetensors";
      if (wanted && entry.file_size() <= kLargestSeed) files.push_back(entry.path());
    }
    std::ranges::sort(files);
    for (const auto& file : files) made.push_back(read_text_file(file));
    return made;
  }();
  return all;
}

// A seed with some bytes changed, taken out, doubled or cut off.
std::string changed_seed(Rng& rng) {
  std::string text = seeds()[rng.below(seeds().size())];
  const uint64_t changes = rng.below(6);
  for (uint64_t i = 0; i < changes && !text.empty(); ++i) {
    const size_t at = rng.below(text.size());
    const size_t length = rng.below(std::min<size_t>(text.size() - at, 40) + 1);
    switch (rng.below(5)) {
      case 0:
        text[at] = static_cast<char>(rng.below(256));
        break;
      case 1:
        text.erase(at, length);
        break;
      case 2:
        text.insert(at, text.substr(at, length));
        break;
      case 3:
        text.resize(at);
        break;
      default:
        text.insert(at, 1, "\0\"{}[]\\,:\n\xff\x80"[rng.below(12)]);
        break;
    }
  }
  return text;
}

class FuzzTarget : public ::testing::TestWithParam<size_t> {};

// The input that is being tried.
std::string_view current_target;
int current_input = 0;

void tell_input(int) {
  std::fprintf(stderr, "%s: input %d\n", current_target.data(), current_input);
}

TEST_P(FuzzTarget, takes_changed_seeds) {
  const Target& target = kTargets[GetParam()];
  current_target = target.name;
  std::signal(SIGABRT, tell_input);
  Rng rng(GetParam());
  const auto begin = std::chrono::steady_clock::now();
  const auto in_time = [&] { return std::chrono::steady_clock::now() - begin < kMost; };
  for (current_input = 0; current_input < kFewest || (current_input < kInputs && in_time());
       ++current_input) {
    const std::string text = changed_seed(rng);
    EXPECT_EQ(target.run(reinterpret_cast<const uint8_t*>(text.data()), text.size()), 0);
  }
  std::signal(SIGABRT, SIG_DFL);
}

INSTANTIATE_TEST_SUITE_P(Fuzz, FuzzTarget, ::testing::Range<size_t>(0, std::size(kTargets)),
                         [](const auto& target) {
                           return std::string(kTargets[target.param].name);
                         });

}  // namespace
}  // namespace minke
