// Every fuzz target, with changed copies of some seeds: a short look at what clang's fuzzer, where
// it is there, looks at for longer. A finding ends the program.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
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
constexpr std::chrono::milliseconds kMost{1000};
constexpr uintmax_t kLargestSeed = 20'000;

struct Target {
  std::string_view name;
  int (*run)(const uint8_t* data, size_t size);
};

#define FUZZ_TARGET(name) Target{#name, &::name},
constexpr Target kTargets[] = {
#include "targets.inc"
};
#undef FUZZ_TARGET

// Something of what each target reads. Files may come from a folder that has none of them.
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
    const std::filesystem::path golden = MINKE_GOLDEN_DIR;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(golden)) {
      const std::string name = entry.path().filename().string();
      const bool wanted = name == "config.json" || name == "tokenizer_config.json" ||
                          name == "tokenizer.json" || entry.path().extension() == ".gguf";
      if (wanted && entry.is_regular_file() && entry.file_size() <= kLargestSeed) {
        made.push_back(read_text_file(entry.path()));
      }
    }
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
        text.insert(at, 1, "\0\"{}[]\\,:\n\xff\x80"[rng.below(13)]);
        break;
    }
  }
  return text;
}

class FuzzTarget : public ::testing::TestWithParam<size_t> {};

TEST_P(FuzzTarget, takes_changed_seeds) {
  Rng rng(GetParam());
  const auto begin = std::chrono::steady_clock::now();
  int inputs = 0;
  while (inputs < kInputs && std::chrono::steady_clock::now() - begin < kMost) {
    const std::string text = changed_seed(rng);
    kTargets[GetParam()].run(reinterpret_cast<const uint8_t*>(text.data()), text.size());
    ++inputs;
  }
  EXPECT_GT(inputs, 5);
}

INSTANTIATE_TEST_SUITE_P(Fuzz, FuzzTarget, ::testing::Range<size_t>(0, std::size(kTargets)),
                         [](const auto& target) {
                           return std::string(kTargets[target.param].name);
                         });

}  // namespace
}  // namespace minke
