#include <nlohmann/json.hpp>

#include "apps/arguments/model_path.h"
#include "apps/arguments/token_ids.h"
#include "apps/verbs.h"
#include "base/core/utf8.h"

namespace minke {
namespace {

struct DetokenizeOptions {
  std::string model;
  bool special = false, json = false;
};

int detokenize(const DetokenizeOptions& options, Console& console) {
  const auto tokenizer = load_tokenizer(find_model(options.model));
  const auto ids = parse_token_ids(read_standard_input(), "standard input");
  for (const int32_t id : ids) {
    if (id >= tokenizer->size()) {
      fail("standard input", "expected ids from 0 to {}, found {}", tokenizer->size() - 1, id);
    }
  }
  const std::string bytes = tokenizer->decode(ids, options.special);
  if (options.json) {
    console.write_json({{"text", utf8_sanitized(bytes)}});
  } else {
    console.write(bytes);
  }
  return 0;
}

}  // namespace

void add_detokenize(CLI::App& app, Action& action) {
  const auto o = std::make_shared<DetokenizeOptions>();
  CLI::App& verb =
      add_verb(app, action, "detokenize", "token ids on standard input to text", o, detokenize);
  add_model(verb, o->model);
  verb.add_flag("--special", o->special, "show special tokens");
  add_json(verb, o->json);
  verb.footer(
      "Ids are separated by white space or commas. The bytes that they stand for are printed as\n"
      "they are; with --json, what is not UTF-8 becomes U+FFFD.");
}

}  // namespace minke
