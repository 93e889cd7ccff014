#include "apps/arguments/options.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <limits>
#include <random>

#include "base/core/utf8.h"
#include "model/families/shapes.h"

namespace minke {
namespace {

constexpr int kMostThreads = 1024;
constexpr double kMostTemperature = 100;
constexpr double kLeastTopP = 1e-6;

struct KvTypeName {
  std::string_view name;
  DType type;
};
constexpr KvTypeName kKvTypes[] = {
    {"f32", DType::kF32}, {"bf16", DType::kBF16}, {"q8", DType::kQ8_0}};

template <typename T>
std::optional<T> parse_whole(const std::string& text) {
  T value{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

[[noreturn]] void refuse(const std::string& option, const std::string& expected,
                         const std::string& found) {
  throw CLI::ValidationError(option,
                             fmt::format("expected {}, found \"{}\"", expected, printable(found)));
}

std::string type_names() {
  std::string names;
  for (int i = 0; i < kDTypeCount; ++i) {
    const DTypeInfo& info = dtype_info(static_cast<DType>(i));
    if (info.ggml_id >= 0) names += (names.empty() ? "" : ", ") + std::string(info.name);
  }
  return names;
}

std::string all_shapes() {
  std::string names;
  for (const auto name : shape_names()) names += (names.empty() ? "" : ", ") + std::string(name);
  return names;
}

// The type that the user means by --type.
DType stored_type(const std::string& text) {
  const auto found = dtype_from_name(text);
  if (!found || dtype_info(*found).ggml_id < 0) refuse("--type", "one of " + type_names(), text);
  return *found;
}

}  // namespace

int64_t parse_integer(const std::string& option, const std::string& text, int64_t low,
                      int64_t high) {
  const auto value = parse_whole<int64_t>(text);
  if (value && *value >= low && *value <= high) return *value;
  const bool open = high == std::numeric_limits<int64_t>::max();
  refuse(option,
         open ? fmt::format("a whole number of {} or more", low)
              : fmt::format("a whole number from {} to {}", low, high),
         text);
}

double parse_number(const std::string& option, const std::string& text, double low, double high) {
  const auto value = parse_whole<double>(text);
  if (value && *value >= low && *value <= high) return *value;
  refuse(option, fmt::format("a number from {} to {}", low, high), text);
}

void add_number(CLI::App& verb, const std::string& flags, std::optional<double>& value, double low,
                double high, const std::string& help) {
  const std::string option = flags.substr(flags.rfind(',') + 1);
  const auto set = [&value, option, low, high](const std::string& text) {
    value = parse_number(option, text, low, high);
  };
  verb.add_option_function<std::string>(flags, set, help)->type_name("X");
}

void add_model(CLI::App& verb, std::string& model, bool required) {
  verb.add_option("MODEL", model,
                  "a GGUF file, a Hugging Face folder, or a name in the folder of models")
      ->required(required)
      ->type_name("");
}

void add_threads(CLI::App& verb, int& threads) {
  add_integer(verb, "--threads", threads, 1, kMostThreads, "threads to compute with [all cores]");
}

void warn_of_threads(int threads, int cores, Console& console) {
  if (threads <= 2 * cores) return;
  console.note(fmt::format("--threads: {} are far more than the {} usable cores here, and slower",
                           threads, cores));
}

CLI::Option* add_text(CLI::App& verb, const std::string& flags,
                      const std::function<void(std::string)>& set, const std::string& help) {
  const std::string option = flags.substr(flags.rfind(',') + 1);
  const auto checked = [set, option](const std::string& text) {
    try {
      require_utf8(text, option);
    } catch (const Error& error) {
      throw UsageError(error.what());
    }
    set(text);
  };
  return verb.add_option_function<std::string>(flags, checked, help)->type_name("TEXT");
}

void add_context(CLI::App& verb, int64_t& context, const std::string& fallback) {
  add_integer(verb, "--context", context, 1, int64_t{1} << 30,
              "most tokens of prompt and reply together [" + fallback + "]");
}

void add_kv_type(CLI::App& verb, DType& type) {
  const auto set = [&type](const std::string& text) {
    const auto* found = std::ranges::find(kKvTypes, text, &KvTypeName::name);
    if (found == std::end(kKvTypes)) refuse("--kv-type", "f32, bf16 or q8", text);
    type = found->type;
  };
  const auto* name = std::ranges::find(kKvTypes, type, &KvTypeName::type);
  verb.add_option_function<std::string>(
          "--kv-type", set,
          fmt::format("how keys and values are cached: f32, bf16 or q8 [{}]", name->name))
      ->type_name("TYPE");
}

void add_json(CLI::App& verb, bool& json) {
  verb.add_flag("--json", json, "print one JSON object on standard output");
}

CLI::Option* add_shape(CLI::App& verb, std::string& shape) {
  const auto set = [&shape](const std::string& text) {
    for (const auto name : shape_names()) {
      if (name == text) shape = text;
    }
    if (shape != text || text.empty()) refuse("--shape", "one of " + all_shapes(), text);
  };
  return verb
      .add_option_function<std::string>(
          "--shape", set, "random weights in the shape of a known model: " + all_shapes())
      ->type_name("NAME");
}

void require_layers(const std::string& shape, std::optional<int64_t> layers) {
  if (shape.empty() || !layers) return;
  const int64_t most = named_shape(shape).metadata().integer("num_hidden_layers").value();
  if (*layers <= most) return;
  throw UsageError(
      fmt::format("--layers: expected 1 to {} for {}, found {}", most, shape, *layers));
}

CLI::Option* add_type(CLI::App& verb, DType& type) {
  const auto set = [&type](const std::string& text) { type = stored_type(text); };
  return verb
      .add_option_function<std::string>(
          "--type", set,
          fmt::format("how the weights are stored: {} [{}]", type_names(), dtype_name(type)))
      ->type_name("TYPE");
}

CLI::Option* add_wanted_type(CLI::App& verb, std::optional<DType>& type, const std::string& help) {
  const auto set = [&type](const std::string& text) { type = stored_type(text); };
  return verb.add_option_function<std::string>("--type", set, help + ": " + type_names())
      ->type_name("TYPE");
}

void add_sampling(CLI::App& verb, SamplingFlags& flags, const std::string& fallback) {
  constexpr auto kMost = std::numeric_limits<int64_t>::max();
  add_number(
      verb, "--temp", flags.temperature, 0, kMostTemperature,
      "temperature; 0 always takes the likeliest token [the model's own, else " + fallback + "]");
  add_integer(verb, "--top-k", flags.top_k, 0, std::numeric_limits<int>::max(),
              "draw from the K likeliest tokens; 0: from all");
  add_number(verb, "--top-p", flags.top_p, kLeastTopP, 1,
             "draw from the likeliest tokens that hold this probability together");
  add_number(verb, "--min-p", flags.min_p, 0, 1,
             "leave out tokens below this share of the likeliest one's probability");
  add_integer(verb, "--seed", flags.seed, 0, kMost,
              "the same seed draws the same reply [from the system]");
}

SamplingOptions chosen_sampling(const SamplingFlags& flags, const GenerationDefaults& defaults,
                                const SamplingFallback& fallback) {
  SamplingOptions options;
  options.temperature = static_cast<float>(
      flags.temperature.value_or(defaults.temperature.value_or(fallback.temperature)));
  options.min_p = static_cast<float>(flags.min_p.value_or(0));
  if (options.temperature > 0) {
    options.top_p =
        static_cast<float>(flags.top_p.value_or(defaults.top_p.value_or(fallback.top_p)));
    const int64_t top_k = flags.top_k.value_or(defaults.top_k.value_or(0));
    if (top_k < 0 || top_k > std::numeric_limits<int>::max()) {
      fail("generation defaults", "top_k: expected 0 or more, found {}", top_k);
    }
    options.top_k = static_cast<int>(top_k);
  }
  options.seed = flags.seed ? static_cast<uint64_t>(*flags.seed) : uint64_t{std::random_device{}()};
  check_sampling(options);
  return options;
}

}  // namespace minke
