#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "apps/about.h"
#include "apps/arguments/model_path.h"
#include "apps/arguments/output_file.h"
#include "apps/conversion.h"
#include "apps/terminal/progress.h"
#include "apps/terminal/stop_signal.h"

namespace minke {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

void require_free(const ConversionOptions& options, const fs::path& source) {
  const fs::path destination = options.destination;
  require_another_file(destination, source);
  if (source.extension() == ".safetensors") require_another_file(destination, source.parent_path());
  std::error_code ignored;
  const bool there = fs::exists(destination, ignored);
  if (is_gguf_name(destination)) {
    require_replaceable(destination);
  } else if (there && !fs::is_directory(destination, ignored)) {
    fail(printable(options.destination), "expected NAME.gguf or a folder, found a file");
  }
  const bool empty = fs::is_directory(destination, ignored) && fs::is_empty(destination, ignored);
  if (there && !empty && !options.force) {
    fail(printable(options.destination), "is there already; --force replaces it");
  }
}

Json as_json(const ConversionOptions& options, const fs::path& source, const Converted& done) {
  Json types = Json::array();
  for (const auto& [type, total] : done.types) {
    types.push_back({{"type", dtype_name(type)}, {"count", total.tensors}, {"bytes", total.bytes}});
  }
  return {{"source", source.string()},
          {"output", options.destination},
          {"format", done.gguf ? "GGUF" : "Hugging Face"},
          {"type", options.type ? Json(dtype_name(*options.type)) : Json()},
          {"parameters", done.parameters},
          {"bytes", done.bytes},
          {"tensor_types", types},
          {"merged", done.merged},
          {"notes", done.notes}};
}

}  // namespace

void add_conversion(CLI::App& verb, ConversionOptions& options) {
  verb.add_option("SRC", options.source, "a GGUF file, a Hugging Face folder, or a model's name")
      ->required();
  verb.add_option("DST", options.destination,
                  "what to write: NAME.gguf, else a Hugging Face folder")
      ->required();
  add_threads(verb, options.threads);
  verb.add_flag("--force", options.force, "write over DST if it is there");
  add_json(verb, options.json);
}

int run_conversion(const ConversionOptions& options, Console& console) {
  const fs::path source = find_model(options.source);
  require_free(options, source);
  Conversion conversion;
  conversion.source = source;
  conversion.destination = options.destination;
  conversion.name = model_name(source);
  conversion.type = options.type;
  if (!options.adapter.empty()) conversion.adapter = options.adapter;
  ThreadPool pool(options.threads > 0 ? options.threads : usable_cores());
  Progress progress(console, "writing " + conversion.name);
  const Converted done = convert(conversion, pool, [&](int64_t bytes, int64_t total) {
    throw_if_stopped();
    progress.show(bytes, total, human_bytes(bytes) + " of " + human_bytes(total));
  });
  progress.clear();
  if (options.json) {
    console.write_json(as_json(options, source, done));
    return 0;
  }
  for (const std::string& note : done.notes) console.note(note);
  if (done.merged > 0) console.note(fmt::format("{} matrices of the adapter merged", done.merged));
  std::string types;
  for (const auto& [type, total] : done.types) {
    types += fmt::format("{}{} of {}", types.empty() ? "" : ", ", total.tensors, dtype_name(type));
  }
  console.note(fmt::format("{}: {} parameters, {} (tensors: {})", options.destination,
                           human_count(done.parameters), human_bytes(done.bytes), types));
  return 0;
}

void add_convert(CLI::App& app, Action& action) {
  const auto o = std::make_shared<ConversionOptions>();
  CLI::App& verb =
      add_verb(app, action, "convert", "write a model in another format", o, run_conversion);
  add_conversion(verb, *o);
  add_wanted_type(verb, o->type, "how matrices are stored, if not as in SRC");
  verb.add_option("--adapter", o->adapter, "merge this LoRA adapter (a PEFT folder)")
      ->type_name("DIR");
  verb.footer("Layers of multi-token prediction are left out.");
}

}  // namespace minke
