#include "serve/access/keys.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/verbs.h"
#include "serve/access/clock.h"

namespace minke {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
constexpr int64_t kMostDays = 36500;
constexpr int64_t kDaySeconds = 86400;

void add_file(CLI::App& verb, std::string& file) {
  verb.add_option("--file", file, "the file of keys")->required()->type_name("FILE");
}

void add_name(CLI::App& verb, std::string& name) {
  verb.add_option("NAME", name, "whose key it is")->required()->type_name("");
}

// ---- minke keys add

struct AddOptions {
  std::string file, name;
  std::vector<std::string> roles;
  KeyLimits limits;
  int64_t days = 0;
};

int add(const AddOptions& options, Console& console) {
  ApiKey key;
  key.name = options.name;
  key.limits = options.limits;
  if (!options.roles.empty()) key.roles.clear();
  for (const std::string& role : options.roles) {
    try {
      key.roles.push_back(key_role_named(role, "--role"));
    } catch (const Error& error) {
      throw UsageError(error.what());
    }
  }
  if (options.days > 0) {
    key.expires = static_cast<int64_t>(unix_seconds()) + options.days * kDaySeconds;
  }
  const std::string text = add_key(options.file, key);
  console.write(text + "\n");
  console.flush();
  console.note("this is the only time that the key is shown; the file holds its hash");
  return 0;
}

void add_adding(CLI::App& keys, Action& action) {
  const auto o = std::make_shared<AddOptions>();
  CLI::App& verb = add_verb(keys, action, "add", "make a key, and print it once", o, add);
  add_name(verb, o->name);
  add_file(verb, o->file);
  verb.add_option("--role", o->roles, "user or metrics; may be repeated [user]")->type_name("ROLE");
  KeyLimits& limits = o->limits;
  add_integer(verb, "--requests-per-minute", limits.requests_per_minute, 1, kMost,
              "most requests of a minute [no limit]");
  add_integer(verb, "--tokens-per-minute", limits.tokens_per_minute, 1, kMost,
              "most tokens of a minute, of prompts and replies [no limit]");
  add_integer(verb, "--tokens-per-day", limits.tokens_per_day, 1, kMost,
              "most tokens of a day of UTC [no limit]");
  add_integer(verb, "--concurrent-requests", limits.concurrent_requests, 1, kMost,
              "most requests at once [no limit]");
  add_integer(verb, "--days", o->days, 1, kMostDays, "until the key expires [never]");
}

// ---- minke keys list

struct ListOptions {
  std::string file;
  bool json = false;
};

Json key_json(const ApiKey& key) {
  Json roles = Json::array();
  for (const KeyRole role : key.roles) roles.push_back(key_role_name(role));
  return {{"name", key.name},
          {"roles", std::move(roles)},
          {"created", key.created},
          {"expires", key.expires},
          {"requests_per_minute", key.limits.requests_per_minute},
          {"tokens_per_minute", key.limits.tokens_per_minute},
          {"tokens_per_day", key.limits.tokens_per_day},
          {"concurrent_requests", key.limits.concurrent_requests}};
}

std::string day_of(int64_t seconds) {
  constexpr size_t kDayLetters = 10;  // of "2026-11-22T..."
  return utc_time(static_cast<double>(seconds)).substr(0, kDayLetters);
}

// "ann  user, metrics  made 2026-11-22, expires 2027-11-22, tokens_per_day 1000"
std::string in_words(const ApiKey& key, size_t name_width) {
  std::string roles;
  for (const KeyRole role : key.roles) {
    roles += roles.empty() ? "" : ", ";
    roles += key_role_name(role);
  }
  std::string text =
      fmt::format("{:<{}}  {}  made {}", key.name, name_width, roles, day_of(key.created));
  if (key.expires != 0) {
    const bool over = unix_seconds() >= static_cast<double>(key.expires);
    text += fmt::format(", {} {}", over ? "expired" : "expires", day_of(key.expires));
  }
  const KeyLimits& limits = key.limits;
  for (const auto& [name, value] : {std::pair{"requests_per_minute", limits.requests_per_minute},
                                    std::pair{"tokens_per_minute", limits.tokens_per_minute},
                                    std::pair{"tokens_per_day", limits.tokens_per_day},
                                    std::pair{"concurrent_requests", limits.concurrent_requests}}) {
    if (value != 0) text += fmt::format(", {} {}", name, value);
  }
  return text;
}

int list(const ListOptions& options, Console& console) {
  const std::vector<ApiKey> keys = read_keys(options.file);
  if (options.json) {
    Json all = Json::array();
    for (const ApiKey& key : keys) all.push_back(key_json(key));
    console.write_json({{"keys", std::move(all)}});
    return 0;
  }
  size_t width = 0;
  for (const ApiKey& key : keys) width = std::max(width, key.name.size());
  for (const ApiKey& key : keys) console.write(in_words(key, width) + "\n");
  return 0;
}

void add_listing(CLI::App& keys, Action& action) {
  const auto o = std::make_shared<ListOptions>();
  CLI::App& verb = add_verb(keys, action, "list", "print whose keys there are", o, list);
  add_file(verb, o->file);
  add_json(verb, o->json);
}

// ---- minke keys revoke

struct RevokeOptions {
  std::string file, name;
};

int revoke(const RevokeOptions& options, Console&) {
  if (!revoke_key(options.file, options.name)) {
    fail(printable(options.file), "there is no key named \"{}\"", printable(options.name));
  }
  return 0;
}

void add_revoking(CLI::App& keys, Action& action) {
  const auto o = std::make_shared<RevokeOptions>();
  CLI::App& verb = add_verb(keys, action, "revoke", "take a key away", o, revoke);
  add_name(verb, o->name);
  add_file(verb, o->file);
}

}  // namespace

void add_keys(CLI::App& app, Action& action) {
  CLI::App* keys = app.add_subcommand("keys", "who may use minke serve: add, list, revoke");
  keys->footer("");
  keys->require_subcommand(1);
  add_adding(*keys, action);
  add_listing(*keys, action);
  add_revoking(*keys, action);
}

}  // namespace minke
