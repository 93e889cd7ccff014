#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/core/error.h"
#include "base/core/rng.h"
#include "text/grammar/grammar_constraint.h"
#include "text/tokenizer/tokenizer.h"

// Times of masks: for each grammar texts are drawn at random, and every call of allowed() is timed,
// by the processor's time, which other programs do not add to. Without a tokenizer a made-up
// vocabulary of 128k tokens is used, which has the lengths, the scripts and the runs of punctuation
// of real ones.

namespace minke {
namespace {

// This thread's time on a processor, in microseconds.
double now_us() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

std::string random_word(Rng& rng) {
  static const char* const kCyrillic[] = {"\u0430", "\u0435", "\u0438", "\u043e",
                                          "\u0440", "\u0441", "\u0442", "\u043a"};
  static const char* const kHan[] = {"\u4e2d", "\u56fd", "\u4eba", "\u5927",
                                     "\u7684", "\u662f", "\u5b66", "\u6587"};
  static const char* const kCode[] = {"\"", "{", "}", "[", "]", ":", ",",  ";",  "(",  ")",
                                      " ",  "=", "'", "<", ">", "/", "\\", "\n", "\t", "."};
  const uint64_t kind = rng.below(20);
  std::string out = kind < 11 && rng.below(2) == 0 ? " " : "";
  const uint64_t length = kind < 14 ? 2 + rng.below(9) : 1 + rng.below(5);
  for (uint64_t i = 0; i < length; ++i) {
    if (kind < 11) {
      // Letters as uneven as those of words.
      out += static_cast<char>('a' + std::min(rng.below(26), rng.below(26)));
    } else if (kind < 14) {
      out += kCyrillic[rng.below(std::size(kCyrillic))];
    } else if (kind < 16) {
      out += kHan[rng.below(std::size(kHan))];
    } else {
      out += kCode[rng.below(std::size(kCode))];
    }
  }
  if (kind == 13) out.pop_back();  // cut inside a character, as byte-level BPE does
  return out;
}

std::vector<std::string> made_up_vocabulary() {
  constexpr size_t kTokens = 128'000;
  std::vector<std::string> out;
  std::unordered_set<std::string> known;
  const auto add = [&](std::string token) {
    if (known.insert(token).second) out.push_back(std::move(token));
  };
  for (int byte = 0; byte < 256; ++byte) add(std::string(1, static_cast<char>(byte)));
  for (int i = 0; i < 1000; ++i) add(fmt::format("{:03}", i));
  Rng rng(1);
  while (out.size() + 1 < kTokens) add(random_word(rng));
  out.emplace_back();  // ends a text
  return out;
}

struct Case {
  std::string name;
  std::shared_ptr<const Grammar> grammar;
  double compile_us = 0;
};

void add_case(std::vector<Case>& cases, const std::string& name, std::string_view schema) {
  const double begin = now_us();
  auto grammar = compile_json_schema(schema);
  cases.push_back({name, std::move(grammar), now_us() - begin});
}

std::vector<Case> all_cases() {
  std::vector<Case> out;
  double begin = now_us();
  auto object = compile_json_object();
  out.push_back({"any object", std::move(object), now_us() - begin});
  add_case(out, "record", R"({"type":"object","properties":{
      "name":{"type":"string"},"age":{"type":"integer","minimum":0,"maximum":150},
      "email":{"type":"string","format":"email"},"tags":{"type":"array","items":{"type":"string"}},
      "score":{"type":"number","minimum":0,"maximum":1},"kind":{"enum":["a","b","other"]}},
      "required":["name","age"],"additionalProperties":false})");
  add_case(out, "patterns", R"({"type":"array","items":{"anyOf":[
      {"type":"string","pattern":"^[A-Z][a-z]+( [A-Z][a-z]+)*$"},
      {"type":"string","format":"date-time"},{"type":"string","format":"uri"},
      {"type":"string","pattern":"^\\w+\\s\\d+$"}]}})");
  add_case(out, "lengths", R"({"type":"array","items":{"type":"string","minLength":10,
      "maxLength":400}})");
  add_case(out, "recursive", R"({"$defs":{"node":{"type":"object","properties":{
      "value":{"type":"string"},"children":{"type":"array","items":{"$ref":"#/$defs/node"}}},
      "required":["value"],"additionalProperties":false}},"$ref":"#/$defs/node"})");
  begin = now_us();
  auto ebnf = compile_ebnf(
      "root ::= statement+\n"
      "statement ::= name \" = \" expression \";\\n\"\n"
      "expression ::= term ((\" + \" | \" - \" | \" * \") term)*\n"
      "term ::= name | [0-9]+ | \"(\" expression \")\" | \"\\\"\" [^\"\\n]* \"\\\"\"\n"
      "name ::= [a-z_] [a-z0-9_]*\n");
  out.push_back({"EBNF", std::move(ebnf), now_us() - begin});
  // Thousands of meanings for each byte.
  std::string optional = "root ::=";
  for (int i = 0; i < 300; ++i) optional += " ([a-z]{1,9} \" \"?)?";
  begin = now_us();
  ebnf = compile_ebnf(optional);
  out.push_back({"ambiguous", std::move(ebnf), now_us() - begin});
  return out;
}

// Every second token is drawn among those that are more than plain characters, if there are any:
// else texts would hardly leave their first string.
int32_t draw(const TokenTrie& trie, std::span<const uint64_t> bits, Rng& rng) {
  std::vector<int32_t> ids, marks;
  const std::vector<uint64_t>& plain = trie.slice(TokenTrie::kLevels - 1u);
  for (int32_t id = 0; id < trie.size(); ++id) {
    const auto word = static_cast<size_t>(id) / 64;
    if ((bits[word] >> (id % 64) & 1) == 0) continue;
    ids.push_back(id);
    if ((plain[word] >> (id % 64) & 1) == 0) marks.push_back(id);
  }
  const std::vector<int32_t>& from = marks.empty() || rng.below(2) == 0 ? ids : marks;
  return from[rng.below(from.size())];
}

std::vector<double> mask_times(const Case& c, const std::shared_ptr<const TokenTrie>& trie,
                               int32_t stop, int texts) {
  constexpr int kMostTokens = 200;
  std::vector<double> times;
  std::vector<uint64_t> bits(trie->words());
  Rng rng(2);
  for (int i = 0; i < texts; ++i) {
    GrammarConstraint constraint(c.grammar, trie, {stop});
    for (int step = 0; step < kMostTokens; ++step) {
      std::fill(bits.begin(), bits.end(), 0);
      const double begin = now_us();
      constraint.allowed(bits);
      times.push_back(now_us() - begin);
      const int32_t id = draw(*trie, bits, rng);
      constraint.accept(id);
      if (id == stop) break;
    }
  }
  return times;
}

void print_times(const std::string& name, double compile_us, std::vector<double> times) {
  std::sort(times.begin(), times.end());
  const auto quantile = [&](double q) {
    return times[static_cast<size_t>(q * static_cast<double>(times.size() - 1))];
  };
  double sum = 0;
  for (const double time : times) sum += time;
  std::printf(
      "%-12s compile %8.0f us   mask mean %7.1f  p50 %7.1f  p99 %7.1f  max %7.1f us  (%zu)\n",
      name.c_str(), compile_us, sum / static_cast<double>(times.size()), quantile(0.5),
      quantile(0.99), times.back(), times.size());
}

// All masks of the schemas of a file, one a line, and those of the slowest ones by themselves.
void time_schemas(const std::string& file, const std::shared_ptr<const TokenTrie>& trie,
                  int32_t stop, int texts) {
  std::ifstream lines(file);
  std::vector<double> all;
  struct Slow {
    double p99;
    std::string name;
    std::vector<double> times;
    double compile_us;
  };
  std::vector<Slow> slow;
  int refused = 0, number = 0;
  double compile_us = 0;
  for (std::string line; std::getline(lines, line); ++number) {
    std::vector<Case> one;
    try {
      add_case(one, fmt::format("line {}", number + 1), line);
      std::vector<double> times = mask_times(one.front(), trie, stop, texts);
      all.insert(all.end(), times.begin(), times.end());
      compile_us = std::max(compile_us, one.front().compile_us);
      std::vector<double> sorted = times;
      std::sort(sorted.begin(), sorted.end());
      slow.push_back({sorted[sorted.size() * 99 / 100], one.front().name, std::move(times),
                      one.front().compile_us});
    } catch (const Error&) {
      ++refused;
    }
  }
  if (all.empty()) fail(file, "expected a JSON Schema a line, found none that can be kept to");
  std::printf("%d schemas, %d refused; longest compile time, all masks:\n", number, refused);
  print_times("all", compile_us, all);
  std::sort(slow.begin(), slow.end(), [](const Slow& a, const Slow& b) { return a.p99 > b.p99; });
  slow.resize(std::min<size_t>(slow.size(), 5));
  for (const Slow& one : slow) print_times(one.name, one.compile_us, one.times);
}

void run(const std::string& tokenizer_folder, const std::string& schemas, int texts) {
  std::shared_ptr<const TokenTrie> trie;
  const double begin = now_us();
  int32_t stop = 0;
  if (tokenizer_folder.empty()) {
    trie = std::make_shared<const TokenTrie>(made_up_vocabulary());
    stop = trie->size() - 1;
  } else {
    const Tokenizer tokenizer(read_tokenizer_json(tokenizer_folder));
    trie = std::make_shared<const TokenTrie>(tokenizer);
    stop = tokenizer.eos().value_or(0);
  }
  std::printf("%zu tokens, %zu nodes, made in %.0f ms\n", trie->ids().size(), trie->nodes().size(),
              (now_us() - begin) / 1000);
  if (!schemas.empty()) return time_schemas(schemas, trie, stop, texts);
  for (const Case& c : all_cases()) {
    print_times(c.name, c.compile_us, mask_times(c, trie, stop, texts));
  }
}

}  // namespace
}  // namespace minke

int main(int argc, char** argv) {
  CLI::App app{"Times of token masks"};
  std::string tokenizer, schemas;
  int texts = 50;
  app.add_option("--tokenizer", tokenizer, "folder with a tokenizer.json");
  app.add_option("--schemas", schemas, "file with a JSON Schema a line, instead of a few grammars");
  app.add_option("--texts", texts, "texts to draw for each grammar")->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  try {
    minke::run(tokenizer, schemas, texts);
  } catch (const minke::Error& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
  return 0;
}
