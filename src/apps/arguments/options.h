#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "apps/terminal/console.h"
#include "base/core/error.h"
#include "math/tensor/dtype.h"
#include "model/families/bundle.h"
#include "serve/sampling/sampler.h"

namespace minke {

// Options that verbs share, each declared here once. A value that is wrong ends the parse with an
// error that reads `--option: expected ..., found "..."`.

// Wrong usage that only shows when options are looked at together: what is wrong whatever a model's
// files hold. Ends with exit code 2.
class UsageError : public Error {
 public:
  using Error::Error;
};

// A whole number, or a finite number, in [low, high]; anything else is a CLI::ValidationError.
int64_t parse_integer(const std::string& option, const std::string& text, int64_t low,
                      int64_t high);
double parse_number(const std::string& option, const std::string& text, double low, double high);

// T: int, int64_t, uint64_t, or std::optional of one.
template <typename T>
CLI::Option* add_integer(CLI::App& verb, const std::string& flags, T& value, int64_t low,
                         int64_t high, const std::string& help) {
  const std::string option = flags.substr(flags.rfind(',') + 1);
  const auto set = [&value, option, low, high](const std::string& text) {
    value = static_cast<T>(parse_integer(option, text, low, high));
  };
  return verb.add_option_function<std::string>(flags, set, help)->type_name("N");
}

void add_number(CLI::App& verb, const std::string& flags, std::optional<double>& value, double low,
                double high, const std::string& help);

void add_model(CLI::App& verb, std::string& model, bool required = true);
void add_threads(CLI::App& verb, int& threads);
// One line on standard error if `threads` are more than twice the `cores` that compute well here:
// beyond the two threads of a core they only wait for each other.
void warn_of_threads(int threads, int cores, Console& console);
void add_context(CLI::App& verb, int64_t& context, const std::string& fallback);
// --kv-type: F32, BF16 or Q8_0.
void add_kv_type(CLI::App& verb, DType& type);
// A text that must be UTF-8.
CLI::Option* add_text(CLI::App& verb, const std::string& flags,
                      const std::function<void(std::string)>& set, const std::string& help);
void add_json(CLI::App& verb, bool& json);
// --shape and --type of models with random weights.
CLI::Option* add_shape(CLI::App& verb, std::string& shape);
// Throws UsageError if --layers is more than the shape has. An empty shape is none.
void require_layers(const std::string& shape, std::optional<int64_t> layers);
CLI::Option* add_type(CLI::App& verb, DType& type);
// --type without a default; the names of all types follow `help`.
CLI::Option* add_wanted_type(CLI::App& verb, std::optional<DType>& type, const std::string& help);

// How tokens are to be drawn, as far as the user said.
struct SamplingFlags {
  std::optional<double> temperature, top_p, min_p;
  std::optional<int64_t> top_k, seed;
};
void add_sampling(CLI::App& verb, SamplingFlags& flags, const std::string& fallback);

// What a verb does where neither the user nor the model's publisher says how to sample.
struct SamplingFallback {
  double temperature;
  double top_p;
};
// The user's word, else the publisher's, else the fallback. The publisher's top_p and top_k, and
// the fallback's top_p, count only for draws (temperature above 0). Without a seed one is taken
// from the system. Throws Error if the publisher's values are out of range.
SamplingOptions chosen_sampling(const SamplingFlags& flags, const GenerationDefaults& defaults,
                                const SamplingFallback& fallback);

}  // namespace minke
