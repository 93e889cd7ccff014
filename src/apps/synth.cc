#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "apps/about.h"
#include "apps/arguments/output_file.h"
#include "apps/measure/random_model.h"
#include "apps/verbs.h"

namespace minke {
namespace {

struct SynthOptions {
  std::string shape, output;
  DType type = DType::kQ4_K;
  int64_t seed = 0;
  std::optional<int64_t> layers;
  bool force = false, json = false;
};

int synth(const SynthOptions& options, Console& console) {
  require_replaceable(options.output);
  std::error_code ignored;
  if (!options.force && std::filesystem::exists(options.output, ignored)) {
    fail(printable(options.output), "is there already; --force replaces it");
  }
  const RandomModel wanted = {options.shape, options.type, options.seed, options.layers};
  const int64_t parameters = write_random_model(wanted, options.output, console);
  const auto bytes = static_cast<int64_t>(std::filesystem::file_size(options.output));
  if (options.json) {
    console.write_json({{"output", options.output},
                        {"shape", options.shape},
                        {"type", dtype_name(options.type)},
                        {"seed", options.seed},
                        {"parameters", parameters},
                        {"bytes", bytes}});
  } else {
    console.note(fmt::format("{}: {} parameters, {}", options.output, human_count(parameters),
                             human_bytes(bytes)));
  }
  return 0;
}

}  // namespace

void add_synth(CLI::App& app, Action& action) {
  const auto o = std::make_shared<SynthOptions>();
  CLI::App& verb =
      add_verb(app, action, "synth", "write a model with random weights, for measuring", o, synth);
  add_shape(verb, o->shape)->required();
  add_type(verb, o->type);
  verb.add_option("-o,--output", o->output, "the GGUF file to write")
      ->required()
      ->type_name("FILE");
  add_integer(verb, "--seed", o->seed, 0, std::numeric_limits<int64_t>::max(),
              "the same seed gives the same file [0]");
  add_integer(verb, "--layers", o->layers, 1, 4096, "only the first N layers [all]");
  verb.add_flag("--force", o->force, "replace FILE if it is there");
  add_json(verb, o->json);
}

}  // namespace minke
