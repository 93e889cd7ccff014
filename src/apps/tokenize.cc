#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/arguments/model_path.h"
#include "apps/verbs.h"
#include "base/core/json.h"
#include "base/core/utf8.h"

namespace minke {
namespace {

struct TokenizeOptions {
  std::string model;
  std::optional<std::string> text;
  bool special = false, bos = false, json = false, lines = false;
};

std::vector<int32_t> encode(const TokenizeOptions& options, const Tokenizer& tokenizer,
                            std::string_view text) {
  const auto special = options.special ? Tokenizer::Special::kAll : Tokenizer::Special::kNone;
  return options.bos ? tokenizer.encode_prompt(text, special) : tokenizer.encode(text, special);
}

// Each line of standard input is a JSON string; each line of standard output a JSON array.
void tokenize_lines(const TokenizeOptions& options, const Tokenizer& tokenizer, Console& console) {
  LineReader reader;
  std::string line;
  for (int64_t number = 1; reader.next(line); ++number) {
    const auto where = fmt::format("standard input, line {}", number);
    const JsonDocument document = JsonDocument::parse(line, where);
    if (!document.root().is_string()) fail(where, "expected a JSON string");
    const std::string_view text = document.root().get_string().value_unsafe();
    console.write(fmt::format("[{}]\n", fmt::join(encode(options, tokenizer, text), ",")));
  }
}

int tokenize(const TokenizeOptions& options, Console& console) {
  const auto tokenizer = load_tokenizer(find_model(options.model));
  if (options.lines) {
    tokenize_lines(options, *tokenizer, console);
    return 0;
  }
  const std::string text = options.text ? *options.text : read_standard_input();
  require_utf8(text, "standard input");
  const auto ids = encode(options, *tokenizer, text);
  if (options.json) {
    console.write_json({{"tokens", ids}, {"count", ids.size()}});
  } else {
    console.write(fmt::format("{}\n", fmt::join(ids, " ")));
  }
  return 0;
}

}  // namespace

void add_tokenize(CLI::App& app, Action& action) {
  const auto o = std::make_shared<TokenizeOptions>();
  CLI::App& verb = add_verb(app, action, "tokenize", "text to token ids", o, tokenize);
  add_model(verb, o->model);
  CLI::Option* text = add_text(
      verb, "-p,--prompt", [o](std::string t) { o->text = std::move(t); },
      "the text [all of standard input]");
  verb.add_flag("--special", o->special, "recognise special tokens in the text");
  verb.add_flag("--bos", o->bos, "with the begin and end tokens that the model's prompts have");
  add_json(verb, o->json);
  verb.add_flag("--lines", o->lines,
                "each line of standard input is a JSON string; print one JSON array for each")
      ->excludes("--json")
      ->excludes(text);
}

}  // namespace minke
