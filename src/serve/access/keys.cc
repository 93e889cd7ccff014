#include "serve/access/keys.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include <nlohmann/json.hpp>

#include "base/core/error.h"
#include "base/core/json.h"
#include "serve/access/hash.h"

namespace minke {
namespace {

using Json = nlohmann::ordered_json;
using simdjson::dom::element;

constexpr int64_t kMostFileBytes = 16 << 20;
constexpr size_t kMostNameBytes = 64;
constexpr size_t kMostPresentedBytes = 256;
constexpr size_t kRandomBytes = 32;
constexpr double kLockSeconds = 5;
constexpr double kSecondsBetweenLooks = 1;

constexpr std::array<std::pair<KeyRole, std::string_view>, 2> kRoles = {
    {{KeyRole::kUser, "user"}, {KeyRole::kMetrics, "metrics"}}};

// The numbers of a key, once for reading and writing.
template <typename Key, typename Visit>
void visit_numbers(Key& key, const Visit& visit) {
  visit("created", key.created);
  visit("expires", key.expires);
  visit("requests_per_minute", key.limits.requests_per_minute);
  visit("tokens_per_minute", key.limits.tokens_per_minute);
  visit("tokens_per_day", key.limits.tokens_per_day);
  visit("concurrent_requests", key.limits.concurrent_requests);
}

void check_key(const ApiKey& key, const std::string& where) {
  constexpr std::string_view kNameBytes =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._@-";
  if (key.name.empty() || key.name.size() > kMostNameBytes ||
      key.name.find_first_not_of(kNameBytes) != std::string::npos) {
    fail(where, "name: expected 1 to {} of A-Z a-z 0-9 . _ @ -, found \"{}\"", kMostNameBytes,
         printable(key.name));
  }
  if (key.roles.empty()) fail(where, "roles: expected at least one, found none");
  visit_numbers(key, [&](std::string_view name, int64_t value) {
    if (value < 0) fail(where, "{}: expected 0 or more, found {}", name, value);
  });
}

std::string string_of(element value, const std::string& where, std::string_view field) {
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) {
    fail(where, "{}: expected text, found {}", field, describe_json(value));
  }
  return std::string(text);
}

std::vector<KeyRole> read_roles(element value, const std::string& where) {
  simdjson::dom::array list;
  if (value.get(list) != simdjson::SUCCESS) {
    fail(where, "roles: expected a list, found {}", describe_json(value));
  }
  std::vector<KeyRole> roles;
  for (const element item : list) {
    const KeyRole role = key_role_named(string_of(item, where, "roles"), where);
    if (std::find(roles.begin(), roles.end(), role) == roles.end()) roles.push_back(role);
  }
  return roles;
}

bool read_number(ApiKey& key, std::string_view field, element value, const std::string& where) {
  bool known = false;
  visit_numbers(key, [&](std::string_view name, int64_t& number) {
    if (name != field) return;
    known = true;
    if (value.get(number) != simdjson::SUCCESS) {
      fail(where, "{}: expected a whole number, found {}", field, describe_json(value));
    }
  });
  return known;
}

ApiKey read_key(element value, const std::string& where) {
  simdjson::dom::object object;
  if (value.get(object) != simdjson::SUCCESS) {
    fail(where, "expected an object, found {}", describe_json(value));
  }
  ApiKey key;
  key.roles.clear();
  std::set<std::string_view> seen;
  for (const auto& [field, item] : object) {
    if (!seen.insert(field).second) fail(where, "{}: stands twice", printable(field));
    if (field == "name") {
      key.name = string_of(item, where, field);
    } else if (field == "sha256") {
      key.sha256 = string_of(item, where, field);
    } else if (field == "roles") {
      key.roles = read_roles(item, where);
    } else if (!read_number(key, field, item, where)) {
      fail(where, "{}: not a field of keys", printable(field));
    }
  }
  check_key(key, where);
  if (!is_sha256_hex(key.sha256)) {
    fail(where, "sha256: expected 64 digits of 0-9 a-f, found \"{}\"", printable(key.sha256));
  }
  return key;
}

std::vector<ApiKey> parse_keys(std::string_view text, const std::string& file) {
  const JsonDocument document = JsonDocument::parse(text, file);
  simdjson::dom::object object;
  simdjson::dom::array list;
  if (document.root().get(object) != simdjson::SUCCESS || object.size() != 1 ||
      object["keys"].get(list) != simdjson::SUCCESS) {
    fail(file, "expected {{\"keys\": [...]}}, found {}",
         describe_json(document.root()).substr(0, 80));
  }
  std::vector<ApiKey> keys;
  std::set<std::string> names;
  std::set<std::string> hashes;
  for (const element item : list) {
    const std::string where = fmt::format("{}: keys[{}]", file, keys.size());
    keys.push_back(read_key(item, where));
    if (!names.insert(keys.back().name).second) {
      fail(where, "name: \"{}\" is another key's name too", keys.back().name);
    }
    if (!hashes.insert(keys.back().sha256).second) {
      fail(where, "sha256: is another key's too");
    }
  }
  return keys;
}

std::string text_of(const std::vector<ApiKey>& keys) {
  Json list = Json::array();
  for (const ApiKey& key : keys) {
    Json item{{"name", key.name}, {"sha256", key.sha256}, {"roles", Json::array()}};
    for (const KeyRole role : key.roles) item["roles"].push_back(key_role_name(role));
    visit_numbers(key, [&](std::string_view name, int64_t value) {
      if (value != 0) item[std::string(name)] = value;
    });
    list.push_back(std::move(item));
  }
  return Json{{"keys", std::move(list)}}.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string_view key_role_name(KeyRole role) {
  return std::find_if(kRoles.begin(), kRoles.end(), [&](auto& pair) { return pair.first == role; })
      ->second;
}

KeyRole key_role_named(std::string_view name, const std::string& where) {
  for (const auto& [role, text] : kRoles) {
    if (text == name) return role;
  }
  fail(where, "roles: expected user or metrics, found \"{}\"", printable(name));
}

bool ApiKey::may(KeyRole role) const {
  return std::find(roles.begin(), roles.end(), role) != roles.end();
}

std::vector<ApiKey> read_keys(const std::filesystem::path& path) {
  return parse_keys(read_private_file(path, kMostFileBytes).text, path.string());
}

std::string add_key(const std::filesystem::path& path, ApiKey key) {
  check_key(key, fmt::format("key \"{}\"", printable(key.name)));
  const FolderLock lock(path, kLockSeconds);
  std::vector<ApiKey> keys;
  if (std::filesystem::exists(path)) keys = read_keys(path);
  for (const ApiKey& other : keys) {
    if (other.name == key.name) fail(path.string(), "a key named \"{}\" is there", key.name);
  }
  const std::string secret = "mk-" + random_hex(kRandomBytes);
  key.sha256 = sha256_hex(secret);
  if (key.created == 0) key.created = static_cast<int64_t>(unix_seconds());
  keys.push_back(std::move(key));
  const std::string text = text_of(keys);
  if (static_cast<int64_t>(text.size()) > kMostFileBytes) {
    fail(path.string(), "has no room for another key: at most {} bytes", kMostFileBytes);
  }
  write_private_file(path, text);
  return secret;
}

bool revoke_key(const std::filesystem::path& path, std::string_view name) {
  const FolderLock lock(path, kLockSeconds);
  std::vector<ApiKey> keys = read_keys(path);
  if (std::erase_if(keys, [&](const ApiKey& key) { return key.name == name; }) == 0) return false;
  write_private_file(path, text_of(keys));
  return true;
}

KeyRing::KeyRing(std::filesystem::path path, Clock clock)
    : path_(std::move(path)), clock_(std::move(clock)) {
  const PrivateText file = read_private_file(path_, kMostFileBytes);
  keys_ = std::make_shared<const Keys>(parse_keys(file.text, path_.string()));
  stamp_ = file.stamp;
  looked_ = clock_();
}

std::shared_ptr<const KeyRing::Keys> KeyRing::current() {
  const double now = clock_();
  const std::lock_guard lock(mutex_);
  // A clock that was set back must not stop the looking.
  if (std::abs(now - looked_) < kSecondsBetweenLooks) return keys_;
  looked_ = now;
  const FileStamp found = stamp_of(path_);
  if (found == stamp_) return keys_;
  try {
    keys_ = std::make_shared<const Keys>(read_keys(path_));
    // Taken before reading: a file that changes meanwhile differs from it at the next look. One
    // that could not be read is tried again then.
    stamp_ = found;
    problem_.clear();
  } catch (const Error& error) {
    problem_ = error.what();
  }
  return keys_;
}

std::shared_ptr<const ApiKey> KeyRing::find(std::string_view presented) {
  const auto keys = current();
  if (presented.empty() || presented.size() > kMostPresentedBytes) return nullptr;
  const std::string hash = sha256_hex(presented);
  const ApiKey* found = nullptr;
  for (const ApiKey& key : *keys) {
    if (equal_in_constant_time(key.sha256, hash)) found = &key;
  }
  if (found == nullptr || has_expired(*found)) return nullptr;
  return {keys, found};
}

std::shared_ptr<const ApiKey> KeyRing::named(std::string_view name) {
  const auto keys = current();
  const auto found =
      std::find_if(keys->begin(), keys->end(), [&](const ApiKey& key) { return key.name == name; });
  if (found == keys->end() || has_expired(*found)) return nullptr;
  return {keys, &*found};
}

bool KeyRing::has_expired(const ApiKey& key) const {
  return key.expires != 0 && clock_() >= static_cast<double>(key.expires);
}

std::string KeyRing::problem() const {
  const std::lock_guard lock(mutex_);
  return problem_;
}

}  // namespace minke
