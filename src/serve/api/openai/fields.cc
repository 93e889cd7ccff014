#include "serve/api/openai/fields.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include <fmt/core.h>

#include "base/core/error.h"
#include "serve/api/api_errors.h"

namespace minke {
namespace {

constexpr size_t kMostStops = 16, kMostStopBytes = 256;
constexpr size_t kMostBiases = 1024;
constexpr size_t kMostNameBytes = 512;

float number_or(JsonObject& request, std::string_view name, double least, double most,
                float fallback) {
  const auto field = request.get(name);
  return field ? static_cast<float>(field->number(least, most)) : fallback;
}

float read_top_p(JsonObject& request, float fallback) {
  const float top_p = number_or(request, "top_p", 0, 1, fallback);
  // OpenAI allows 0, which leaves the most likely token.
  return std::max(top_p, std::numeric_limits<float>::min());
}

int read_top_k(JsonObject& request, int fallback) {
  const auto field = request.get("top_k");
  if (!field) return fallback;
  // -1 is a common way to say: all.
  return static_cast<int>(
      std::max<int64_t>(field->integer(-1, std::numeric_limits<int32_t>::max()), 0));
}

float read_repetition_penalty(JsonObject& request) {
  constexpr double kLeast = 0.01, kMost = 10;
  const float repeat = number_or(request, "repeat_penalty", kLeast, kMost, 1);
  return number_or(request, "repetition_penalty", kLeast, kMost, repeat);
}

int32_t token_id(std::string_view name, const JsonField& field) {
  int32_t id = -1;
  const char* const end = name.data() + name.size();
  const auto result = std::from_chars(name.data(), end, id);
  const bool plain = name == "0" || !name.starts_with('0');
  if (result.ec != std::errc() || result.ptr != end || id < 0 || !plain) {
    throw ApiFailure(api_error(422,
                               fmt::format("logit_bias: expected ids of tokens as names, found "
                                           "\"{}\"",
                                           printable(name)),
                               field.path()));
  }
  return id;
}

std::vector<std::pair<int32_t, float>> read_biases(JsonObject& request) {
  const auto field = request.get("logit_bias");
  if (!field) return {};
  IgnoredFields none;
  JsonObject object(*field, none);
  const auto members = object.all();
  if (members.size() > kMostBiases) {
    throw ApiFailure(api_error(422,
                               fmt::format("logit_bias: expected at most {} tokens, found {}",
                                           kMostBiases, members.size()),
                               "logit_bias"));
  }
  std::vector<std::pair<int32_t, float>> biases;
  for (const auto& [name, bias] : members) {
    biases.emplace_back(token_id(name, bias), static_cast<float>(bias.number(-100, 100)));
  }
  return biases;
}

std::string stop_text(const JsonField& field) {
  std::string text = field.text(kMostStopBytes);
  if (text.empty()) field.invalid("a stop string of at least one byte");
  return text;
}

}  // namespace

SamplingOptions read_sampling(JsonObject& request, const OpenAiOptions& options) {
  SamplingOptions sampling;
  sampling.temperature = number_or(request, "temperature", 0, 2, options.temperature);
  sampling.top_p = read_top_p(request, options.top_p);
  sampling.top_k = read_top_k(request, options.top_k);
  sampling.min_p = number_or(request, "min_p", 0, 1, options.min_p);
  sampling.presence_penalty = number_or(request, "presence_penalty", -2, 2, 0);
  sampling.frequency_penalty = number_or(request, "frequency_penalty", -2, 2, 0);
  sampling.repetition_penalty = read_repetition_penalty(request);
  sampling.logit_bias = read_biases(request);
  const auto seed = request.get("seed");
  sampling.seed = seed ? seed->seed() : options.sources.random();
  return sampling;
}

std::vector<std::string> read_stops(JsonObject& request) {
  const auto field = request.get("stop");
  if (!field) return {};
  if (field->is_string()) return {stop_text(*field)};
  if (!field->is_array()) field->expected("a string or an array of strings");
  std::vector<std::string> stops;
  for (const JsonField& item : field->items(kMostStops)) stops.push_back(stop_text(item));
  return stops;
}

int read_choices(JsonObject& request) {
  const auto field = request.get("n");
  return field ? static_cast<int>(field->integer(1, kMostChoices)) : 1;
}

StreamFields read_stream(JsonObject& request, IgnoredFields& ignored) {
  StreamFields fields;
  fields.stream = request.boolean_or("stream", false);
  if (const auto field = request.get("stream_options")) {
    JsonObject options(*field, ignored);
    fields.include_usage = options.boolean_or("include_usage", false);
    if (const auto obfuscation = options.get("include_obfuscation")) {
      if (obfuscation->boolean()) obfuscation->refused("this server pads no chunks");
    }
    options.close();
  }
  return fields;
}

void check_model(std::string_view name, std::string_view model_name, const OpenAiOptions& options) {
  const bool known =
      name == model_name || std::ranges::find(options.aliases, name) != options.aliases.end();
  if (!known && !options.any_model) {
    throw ApiFailure(api_error(
        404, fmt::format("model: expected \"{}\", found \"{}\"", model_name, printable(name)),
        "model", "model_not_found"));
  }
}

std::string read_model(JsonObject& request, std::string_view model_name,
                       const OpenAiOptions& options) {
  const auto field = request.get("model");
  if (!field) return {};
  std::string name = field->text(kMostNameBytes);
  check_model(name, model_name, options);
  return name;
}

std::string read_owner(JsonObject& request, std::string_view caller) {
  std::string user;
  // All are read, so that none is taken for unknown; the more particular name comes first.
  for (const std::string_view name : {"user_id", "safety_identifier", "user"}) {
    const auto field = request.get(name);
    std::string given = field ? field->text(kMostNameBytes) : "";
    if (user.empty()) user = std::move(given);
  }
  const auto salt_field = request.get("cache_salt");
  const std::string salt = salt_field ? salt_field->text(kMostNameBytes) : "";
  return wire_owner(caller, user, salt);
}

int64_t read_count(JsonObject& request, std::string_view name, int64_t least, int64_t fallback) {
  const auto field = request.get(name);
  return field ? field->integer(least, std::numeric_limits<int32_t>::max()) : fallback;
}

LengthFields read_lengths(JsonObject& request) {
  LengthFields fields;
  fields.min_tokens = read_count(request, "min_tokens", 0, 0);
  fields.ignore_stop = request.boolean_or("ignore_eos", false);
  return fields;
}

}  // namespace minke
