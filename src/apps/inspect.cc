#include <algorithm>
#include <map>
#include <optional>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "apps/about.h"
#include "apps/arguments/model_path.h"
#include "apps/verbs.h"
#include "model/families/active_bytes.h"
#include "model/families/gguf_config.h"
#include "model/formats/open_checkpoint.h"
#include "text/chat/chat.h"

namespace minke {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct InspectOptions {
  std::string model;
  bool tensors = false, json = false;
  DType kv_type = kDefaultKvType;
};

// Everything below is collected as JSON once; the text is another view of it.

Json value_json(const MetaValue& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag;
  if (const auto* number = std::get_if<int64_t>(&value)) return *number;
  if (const auto* number = std::get_if<uint64_t>(&value)) return *number;
  if (const auto* number = std::get_if<double>(&value)) return *number;
  if (const auto* text = std::get_if<std::string>(&value)) return printable(*text, 200);
  return describe(value);
}

Json values_json(const Metadata& metadata) {
  Json all = Json::object();
  for (const auto& [key, value] : metadata.values()) {
    const auto* object = std::get_if<MetaObject>(&value);
    // Members are values of their own.
    if (object == nullptr || object->members == 0) all[printable(key)] = value_json(value);
  }
  return all;
}

// Counts and bytes of the tensors of each type, most bytes first.
Json types_json(const Checkpoint& checkpoint) {
  struct Total {
    int64_t count = 0, bytes = 0;
  };
  std::map<DType, Total> totals;
  for (const auto& [name, tensor] : checkpoint.tensors()) {
    Total& total = totals[tensor.type];
    ++total.count;
    total.bytes += tensor.bytes();
  }
  std::vector<std::pair<DType, Total>> order(totals.begin(), totals.end());
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.second.bytes > b.second.bytes; });
  Json types = Json::array();
  for (const auto& [type, total] : order) {
    types.push_back({{"type", dtype_name(type)}, {"count", total.count}, {"bytes", total.bytes}});
  }
  return types;
}

Json tensors_json(const Checkpoint& checkpoint) {
  Json tensors = Json::array();
  for (const auto& [name, tensor] : checkpoint.tensors()) {
    Json shape = Json::array();
    for (int i = 0; i < tensor.shape.rank(); ++i) shape.push_back(tensor.shape[i]);
    tensors.push_back({{"name", printable(name, 200)},
                       {"type", dtype_name(tensor.type)},
                       {"shape", shape},
                       {"bytes", tensor.bytes()}});
  }
  return tensors;
}

// Weights and cache at several lengths of the context.
Json memory_json(const Bundle& bundle, DType kv_type) {
  const ModelFacts& facts = bundle.model->facts();
  const int64_t per_token = facts.kv.stored_as(kv_type).bytes_per_token();
  Json contexts = Json::array();
  int64_t before = 0;
  for (const int64_t wanted : {int64_t{4096}, int64_t{32768}, facts.context_length}) {
    const int64_t tokens = std::min(wanted, facts.context_length);
    if (tokens <= before) continue;
    contexts.push_back({{"tokens", tokens}, {"bytes", bundle.weight_bytes() + tokens * per_token}});
    before = tokens;
  }
  return {{"weight_bytes", bundle.weight_bytes()},
          {"active_weight_bytes", active_weight_bytes(*bundle.model)},
          {"kv_type", dtype_name(kv_type)},
          {"cache_bytes_per_token", per_token},
          {"contexts", contexts}};
}

Json token_json(const Tokenizer& tokenizer, std::optional<int32_t> id) {
  if (!id) return nullptr;
  return {{"id", *id}, {"text", printable(tokenizer.bytes(*id, /*show_special=*/true))}};
}

Json tokenizer_json(const Tokenizer& tokenizer) {
  const TokenizerSpec& spec = tokenizer.spec();
  int64_t tokens = 0, specials = 0;
  for (int32_t id = 0; id < tokenizer.size(); ++id) {
    tokens += tokenizer.is_token(id) ? 1 : 0;
    specials += tokenizer.is_special(id) ? 1 : 0;
  }
  return {{"ids", tokenizer.size()},
          {"tokens", tokens},
          {"special_tokens", specials},
          {"pre_tokenizer_stages", spec.stages.size()},
          {"bos", token_json(tokenizer, tokenizer.bos())},
          {"eos", token_json(tokenizer, tokenizer.eos())},
          {"adds_bos", spec.add_bos},
          {"adds_eos", spec.add_eos}};
}

Json chat_json(const Tokenizer& tokenizer) {
  try {
    const ChatRenderer renderer(detect_chat_template(tokenizer.spec()), tokenizer);
    const ChatTemplate& facts = renderer.chat_template();
    return {{"format", chat_format_name(facts.format)},
            {"thinking_switch", !facts.no_thinking_prefix.empty()}};
  } catch (const Error& error) {
    return {{"format", nullptr}, {"why", error.what()}};
  }
}

Json defaults_json(const GenerationDefaults& d) {
  Json defaults = Json::object();
  if (d.temperature) defaults["temperature"] = *d.temperature;
  if (d.top_p) defaults["top_p"] = *d.top_p;
  if (d.top_k) defaults["top_k"] = *d.top_k;
  // Two files of a folder may name the same ones.
  std::vector<int32_t> ids = d.stop_ids;
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  defaults["stop_ids"] = ids;
  return defaults;
}

void add_tokenizer(Json& report, const Tokenizer* tokenizer, const std::string& why_not) {
  if (tokenizer == nullptr) {
    report["tokenizer"] = nullptr;
    report["tokenizer_why_not"] = why_not;
    return;
  }
  report["tokenizer"] = tokenizer_json(*tokenizer);
  report["chat"] = chat_json(*tokenizer);
}

void add_supported(Json& report, const Bundle& bundle) {
  const ModelFacts& facts = bundle.model->facts();
  report["supported"] = true;
  report["family"] = facts.family;
  report["parameters"] = count_parameters(*bundle.model);
  report["context_length"] = facts.context_length;
  report["config"] = values_json(config_fields(
      *bundle.model, bundle.checkpoint.metadata().text("general.name").value_or(report["name"])));
  report["tensor_types"] = types_json(bundle.checkpoint);
  add_tokenizer(report, bundle.tokenizer.get(), "this model comes without a tokenizer");
  report["generation_defaults"] = defaults_json(bundle.defaults);
}

// A file that can be read, of a model that cannot be run: what it says of itself, and why not.
void add_unsupported(Json& report, const Checkpoint& checkpoint, const fs::path& path,
                     const std::string& why_not) {
  report["supported"] = false;
  report["why_not"] = why_not;
  report["metadata"] = values_json(checkpoint.metadata());
  report["tensor_types"] = types_json(checkpoint);
  try {
    add_tokenizer(report, load_tokenizer(path).get(), "");
  } catch (const Error& error) {
    add_tokenizer(report, nullptr, error.what());
  }
}

Json inspected(const InspectOptions& options) {
  const fs::path path = find_model(options.model);
  const Checkpoint checkpoint = open_checkpoint(path);
  const bool gguf = checkpoint.naming() == Naming::kGguf;
  const auto architecture =
      checkpoint.metadata().text(gguf ? "general.architecture" : "model_type");
  Json report = {{"name", model_name(path)},
                 {"path", path.string()},
                 {"format", gguf ? "GGUF" : "Hugging Face"},
                 {"architecture", architecture ? Json(printable(*architecture)) : Json()}};
  std::optional<Bundle> bundle;
  try {
    bundle.emplace(load_bundle(path));
    add_supported(report, *bundle);
  } catch (const Error& error) {
    bundle.reset();
    add_unsupported(report, checkpoint, path, error.what());
  }
  // An option that the model cannot have is an error, not a model that cannot be run.
  if (bundle) report["memory"] = memory_json(*bundle, options.kv_type);
  if (options.tensors) report["tensors"] = tensors_json(checkpoint);
  return report;
}

std::string as_text(const Json& value) {
  if (value.is_number_float()) return fmt::format("{:.6g}", value.get<double>());
  return value.is_string() ? value.get<std::string>() : value.dump();
}

// Lines `title  text`, the title in a column of its own.
class Sheet {
 public:
  void line(std::string_view title, std::string_view text) {
    text_ += fmt::format("{:<15}{}\n", title, text);
  }
  void blank() { text_ += "\n"; }
  // A title, and the members of an object below it.
  void members(std::string_view title, const Json& object) {
    size_t width = 0;
    for (const auto& [key, value] : object.items()) width = std::max(width, key.size());
    blank();
    text_ += fmt::format("{}\n", title);
    for (const auto& [key, value] : object.items()) {
      text_ += fmt::format("  {:<{}}  {}\n", key, width, as_text(value));
    }
  }
  void row(const std::string& row) { text_ += row; }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

void put_memory(Sheet& sheet, const Json& memory) {
  sheet.blank();
  sheet.line("weights", human_bytes(memory["weight_bytes"]) + ", " +
                            human_bytes(memory["active_weight_bytes"]) + " read for a token");
  sheet.line("cache", human_bytes(memory["cache_bytes_per_token"]) + " a token, " +
                          as_text(memory["kv_type"]));
  for (const Json& c : memory["contexts"]) {
    sheet.line("memory", fmt::format("{} with {} tokens of context", human_bytes(c["bytes"]),
                                     c["tokens"].get<int64_t>()));
  }
}

void put_tokenizer(Sheet& sheet, const Json& report) {
  sheet.blank();
  const Json& t = report["tokenizer"];
  if (t.is_null()) {
    sheet.line("tokenizer", "none: " + as_text(report["tokenizer_why_not"]));
    return;
  }
  sheet.line("tokenizer",
             fmt::format("{} tokens, {} of them special; pre-tokenizer stages: {}",
                         t["tokens"].get<int64_t>(), t["special_tokens"].get<int64_t>(),
                         t["pre_tokenizer_stages"].get<int64_t>()));
  for (const char* kind : {"bos", "eos"}) {
    if (t[kind].is_null()) continue;
    const bool added = t[std::string("adds_") + kind];
    sheet.line(kind, fmt::format("{} ({}){}", as_text(t[kind]["text"]), as_text(t[kind]["id"]),
                                 added ? ", part of every prompt" : ""));
  }
  const Json& chat = report["chat"];
  sheet.line("chat",
             chat["format"].is_null() ? "none: " + as_text(chat["why"]) : as_text(chat["format"]));
}

std::string as_sheet(const Json& report) {
  Sheet sheet;
  sheet.line("model", as_text(report["name"]));
  sheet.line("file", fmt::format("{}, {}", as_text(report["path"]), as_text(report["format"])));
  sheet.line("architecture", as_text(report["architecture"]));
  const bool supported = report["supported"];
  if (supported) {
    sheet.line("family", as_text(report["family"]));
    sheet.line("parameters", human_count(report["parameters"]));
    sheet.line("context", as_text(report["context_length"]) + " tokens");
    put_memory(sheet, report["memory"]);
  } else {
    sheet.line("cannot be run", as_text(report["why_not"]));
  }
  put_tokenizer(sheet, report);
  if (supported) sheet.members("generation defaults", report["generation_defaults"]);
  sheet.members(supported ? "configuration" : "metadata",
                report[supported ? "config" : "metadata"]);
  sheet.row("\ntensors\n");
  for (const Json& t : report["tensor_types"]) {
    sheet.row(fmt::format("  {:<8}{:>6}{:>12}\n", as_text(t["type"]), t["count"].get<int64_t>(),
                          human_bytes(t["bytes"])));
  }
  if (report.contains("tensors")) {
    sheet.blank();
    for (const Json& t : report["tensors"]) {
      sheet.row(fmt::format("  {:<56} {:<8} {}\n", as_text(t["name"]), as_text(t["type"]),
                            as_text(t["shape"])));
    }
  }
  return sheet.text();
}

int inspect(const InspectOptions& options, Console& console) {
  const Json report = inspected(options);
  if (options.json) {
    console.write_json(report);
  } else {
    console.write(as_sheet(report));
  }
  return 0;
}

}  // namespace

void add_inspect(CLI::App& app, Action& action) {
  const auto o = std::make_shared<InspectOptions>();
  CLI::App& verb = add_verb(app, action, "inspect", "what a model's files hold", o, inspect);
  add_model(verb, o->model);
  verb.add_flag("--tensors", o->tensors, "list every tensor");
  add_kv_type(verb, o->kv_type);
  add_json(verb, o->json);
  verb.footer("Also tells about models that Minke cannot run, and why it cannot.");
}

}  // namespace minke
