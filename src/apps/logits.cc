#include <algorithm>
#include <bit>
#include <cmath>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "apps/arguments/model_path.h"
#include "apps/arguments/output_file.h"
#include "apps/arguments/token_ids.h"
#include "apps/terminal/progress.h"
#include "apps/terminal/stop_signal.h"
#include "apps/verbs.h"
#include "base/core/atomic_file.h"
#include "base/core/mapped_file.h"
#include "base/cpu/isa.h"
#include "model/formats/open_checkpoint.h"
#include "serve/engine/session.h"

namespace minke {
namespace {

struct LogitsOptions {
  std::string model, token_file, output, phase = "prefill";
  std::vector<int32_t> tokens;
  int threads = 0;
  DType kv_type = kDefaultKvType;
  bool json = false;
};

std::vector<int32_t> required_ids(const std::string& text, const std::string& where) {
  auto ids = parse_token_ids(text, where);
  if (ids.empty()) fail(where, "expected at least one token id, found none");
  return ids;
}

// The value of --tokens: ids, or @ and the name of a file with ids, which is read later.
void set_tokens(const std::string& text, LogitsOptions& options) {
  if (text.starts_with('@')) {
    options.token_file = text.substr(1);
    if (options.token_file.empty()) {
      throw UsageError("--tokens: expected the name of a file behind @, found none");
    }
    return;
  }
  try {
    options.tokens = required_ids(text, "--tokens");
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
}

int logits(const LogitsOptions& options, Console& console) {
  static_assert(std::endian::native == std::endian::little);
  const Isa isa = chosen_isa();
  require_replaceable(options.output);
  const auto tokens = options.token_file.empty()
                          ? options.tokens
                          : required_ids(read_text_file(options.token_file), options.token_file);
  const auto count = static_cast<int64_t>(tokens.size());
  const auto path = find_model(options.model);
  require_another_file(options.output, path);
  const Checkpoint checkpoint = open_checkpoint(path);
  const auto model = load_model(checkpoint);
  if (count > model->facts().context_length) {
    fail("--tokens", "{} tokens do not fit into the model's context of {}", count,
         model->facts().context_length);
  }
  Session session(
      *model,
      {.threads = options.threads, .isa = isa, .context = count, .kv_type = options.kv_type});
  AtomicFile file(options.output);
  Progress progress(console, "logits");
  const auto phase = options.phase == "decode" ? Phase::kDecode : Phase::kPrefill;
  session.score(tokens, phase, [&](int64_t index, std::span<const float> row) {
    throw_if_stopped();
    if (!std::all_of(row.begin(), row.end(), [](float v) { return std::isfinite(v); })) {
      fail(path.string(), "the model gave unusable logits; its weights may be damaged");
    }
    file.write({reinterpret_cast<const uint8_t*>(row.data()), row.size_bytes()});
    progress.show(index + 1, count);
  });
  file.commit();
  progress.clear();
  if (options.json) {
    console.write_json({{"tokens", count},
                        {"vocab", model->facts().vocab},
                        {"output", options.output},
                        {"phase", options.phase},
                        {"isa", isa_name(isa)},
                        {"threads", session.threads()}});
  }
  return 0;
}

}  // namespace

void add_logits(CLI::App& app, Action& action) {
  const auto o = std::make_shared<LogitsOptions>();
  CLI::App& verb = add_verb(app, action, "logits", "logits after each token, as a file", o, logits);
  add_model(verb, o->model);
  verb.add_option_function<std::string>(
          "--tokens", [o](const std::string& text) { set_tokens(text, *o); },
          "ids, as 1,2,3; or @FILE with ids in it")
      ->required()
      ->type_name("IDS");
  verb.add_option("-o,--output", o->output, "where to write them")->required()->type_name("FILE");
  verb.add_option("--phase", o->phase,
                  "compute as for a prompt or for generated tokens: prefill or decode")
      ->check([](const std::string& phase) {
        return phase == "prefill" || phase == "decode"
                   ? std::string()
                   : "expected prefill or decode, found \"" + printable(phase) + "\"";
      })
      ->type_name("FORM");
  add_threads(verb, o->threads);
  add_kv_type(verb, o->kv_type);
  add_json(verb, o->json);
  verb.footer("FILE gets float32 values, little-endian, [tokens, vocabulary].");
}

}  // namespace minke
