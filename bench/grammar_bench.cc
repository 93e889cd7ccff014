#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "model/families/bundle.h"
#include "text/grammar/grammar.h"
#include "text/grammar/grammar_constraint.h"

// How long the mask of a grammar takes, token by token: random texts of several grammars over the
// vocabulary of a real model. The first text of a constraint fills what the later ones find, and
// every reply has a constraint of its own, so each text here gets a fresh one.

namespace minke {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kTexts = 40;
constexpr int kTokens = 120;  // of a text at most

struct Case {
  const char* name;
  std::shared_ptr<const Grammar> grammar;
};

std::vector<Case> cases() {
  return {
      {"any object", compile_json_object()},
      {"call of a tool", compile_json_schema(R"({"type":"object","properties":{
           "city":{"type":"string","minLength":1,"maxLength":40},
           "unit":{"enum":["celsius","fahrenheit"]},
           "days":{"type":"integer","minimum":1,"maximum":14},
           "tags":{"type":"array","items":{"type":"string","pattern":"^[a-z0-9-]{1,20}$"}}},
           "required":["city","days"],"additionalProperties":false})")},
      {"tree", compile_json_schema(R"({"$defs":{"t":{"type":"object","properties":{
           "name":{"type":"string"},"children":{"type":"array","items":{"$ref":"#/$defs/t"}}},
           "required":["name"],"additionalProperties":{"type":"number"}}},"$ref":"#/$defs/t"})")},
      {"alternatives", compile_json_schema(R"({"type":"array","items":{"anyOf":[
           {"type":"string","format":"date"},{"type":"number","minimum":-90,"maximum":90},
           {"type":"object","properties":{"kind":{"const":"a"},"text":{"type":"string"}},
            "required":["kind"]},{"type":"null"}]}})")},
      {"long strings", compile_json_schema(R"({"type":"array","items":{"type":"string",
           "minLength":50,"maxLength":2000}})")},
      {"EBNF",
       compile_ebnf("root ::= line+\nline ::= [A-Z] [a-z ]{0,60} (\",\" [a-z ]+)? \".\\n\"")},
  };
}

int32_t draw(const std::vector<uint64_t>& bits, std::mt19937_64& rng) {
  std::vector<int32_t> ids;
  for (size_t id = 0; id < bits.size() * 64; ++id) {
    if ((bits[id / 64] >> (id % 64) & 1) != 0) ids.push_back(static_cast<int32_t>(id));
  }
  return ids[rng() % ids.size()];
}

// Microseconds of each mask of one text.
void one_text(const Case& one, const std::shared_ptr<const TokenTrie>& trie, int32_t stop,
              std::mt19937_64& rng, std::vector<double>& times) {
  GrammarConstraint constraint(one.grammar, trie, {stop});
  const size_t words = std::max(trie->words(), static_cast<size_t>(stop) / 64 + 1);
  for (int i = 0; i < kTokens; ++i) {
    std::vector<uint64_t> bits(words);
    const auto begun = Clock::now();
    constraint.allowed(bits);
    times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - begun).count());
    const int32_t id = draw(bits, rng);
    if (id == stop) return;
    constraint.accept(id);
  }
}

void run(const char* model) {
  const std::unique_ptr<Tokenizer> tokenizer = load_tokenizer(model);
  const auto trie = std::make_shared<const TokenTrie>(*tokenizer);
  // Any id that is no text of the grammar's serves to end texts: the one behind all others.
  const int32_t stop = trie->size() - 1;
  std::mt19937_64 rng(3);
  std::printf("%d ids; microseconds a mask\n%-16s %7s %8s %8s %8s %9s\n", trie->size(), "grammar",
              "masks", "mean", "p50", "p99", "most");
  for (const Case& one : cases()) {
    std::vector<double> times;
    for (int text = 0; text < kTexts; ++text) one_text(one, trie, stop, rng, times);
    const double mean =
        std::accumulate(times.begin(), times.end(), 0.0) / static_cast<double>(times.size());
    std::sort(times.begin(), times.end());
    std::printf("%-16s %7zu %8.1f %8.1f %8.1f %9.1f\n", one.name, times.size(), mean,
                times[times.size() / 2], times[times.size() * 99 / 100], times.back());
  }
}

}  // namespace
}  // namespace minke

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: grammar_bench MODEL\n");
    return 1;
  }
  try {
    minke::run(argv[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
