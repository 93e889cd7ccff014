// The JSON Schema Test Suite (tests/golden/json_schema): what it calls invalid is never accepted.

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/core/test_folder.h"
#include "text/grammar/grammar.h"
#include "text/grammar/grammar_testing.h"

namespace minke {
namespace {

using Json = nlohmann::ordered_json;

// The names under "properties" in `schema`, in its order: that in which members are written.
void find_names(const Json& schema, std::vector<std::string>& names) {
  if (schema.is_object()) {
    for (const auto& [key, value] : schema.items()) {
      if (key == "properties" && value.is_object()) {
        for (const auto& [name, inner] : value.items()) names.push_back(name);
      }
    }
  }
  if (!schema.is_structured()) return;
  for (const auto& value : schema) find_names(value, names);
}

Json sorted_members(const Json& value, const std::vector<std::string>& names) {
  if (value.is_array()) {
    Json out = Json::array();
    for (const Json& item : value) out.push_back(sorted_members(item, names));
    return out;
  }
  if (!value.is_object()) return value;
  std::vector<std::pair<ptrdiff_t, std::string>> order;
  for (const auto& [name, inner] : value.items()) {
    order.emplace_back(std::find(names.begin(), names.end(), name) - names.begin(), name);
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  Json out = Json::object();
  for (const auto& [index, name] : order) out[name] = sorted_members(value[name], names);
  return out;
}

// As JSON encoders write it: compact, with single spaces, and indented.
std::vector<std::string> spellings(const Json& value) {
  const std::string compact = value.dump();
  std::string spaced;
  bool in_string = false;
  for (size_t i = 0; i < compact.size(); ++i) {
    const char c = compact[i];
    if (in_string && c == '\\') spaced += compact[i++];
    if (c == '"') in_string = !in_string;
    spaced += compact[i];
    if (!in_string && (c == ',' || c == ':')) spaced += ' ';
  }
  return {compact, spaced, value.dump(2)};
}

struct Count {
  int schemas = 0, compiled = 0, valid = 0, accepted = 0, invalid = 0;
  std::map<std::string, int> refused;  // by the last part of the place
};

void try_group(const Json& group, const std::string& name, Count& count) {
  const Json& schema = group["schema"];
  ++count.schemas;
  std::shared_ptr<const Grammar> grammar;
  const std::string error =
      testing::error_of([&] { grammar = compile_json_schema(schema.dump()); });
  const bool never = error.find("no text meets") != std::string::npos;
  if (!grammar && !never) {
    // Keywords that are in the way are named.
    const std::string place = error.substr(0, error.find(": "));
    const size_t patterns = place.find("patternProperties");
    const std::string keyword =
        patterns != std::string::npos ? "patternProperties" : place.substr(place.rfind('.') + 1);
    const bool named =
        schema.dump().find("\"" + keyword + "\"") != std::string::npos ||
        error.find("itself for the same value") != std::string::npos ||
        error.find("expected patternProperties and propertyNames") != std::string::npos ||
        error.find("expected one schema of names") != std::string::npos ||
        error.find("expected values listed alone") != std::string::npos;
    EXPECT_TRUE(named) << name << "\n" << error;
    ++count.refused[keyword];
    return;
  }
  ++count.compiled;
  std::vector<std::string> names;
  find_names(schema, names);
  for (const Json& test : group["tests"]) {
    bool accepted = false;
    const Json data = sorted_members(test["data"], names);
    for (const std::string& text : spellings(data)) {
      accepted = accepted || (grammar && testing::accepts(grammar, text));
    }
    for (const std::string& text : spellings(test["data"])) {
      accepted = accepted || (grammar && testing::accepts(grammar, text));
    }
    if (test["valid"]) {
      ++count.valid;
      count.accepted += accepted ? 1 : 0;
      if (!accepted) std::printf("not taken: %s: %s\n", name.c_str(), data.dump().c_str());
    } else {
      ++count.invalid;
      EXPECT_FALSE(accepted) << name << ": " << test["description"] << "\n"
                             << schema << "\n"
                             << data;
    }
  }
}

TEST(SchemaSuite, nothing_invalid_is_accepted) {
  Count count;
  const std::filesystem::path folder = std::string(MINKE_GOLDEN_DIR) + "/json_schema";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".json") continue;
    std::ifstream in(entry.path());
    for (const Json& group : Json::parse(in)) {
      const std::string description = group["description"];
      try_group(group, entry.path().stem().string() + ": " + description, count);
    }
  }
  std::printf("%d of %d schemas compile; %d of %d valid values accepted, %d invalid ones refused\n",
              count.compiled, count.schemas, count.accepted, count.valid, count.invalid);
  for (const auto& [keyword, schemas] : count.refused) {
    std::printf("  %3d schemas refused for %s\n", schemas, keyword.c_str());
  }
  EXPECT_GE(count.compiled, 200);
  EXPECT_GE(count.invalid, 500);
  EXPECT_GE(count.accepted * 100, count.valid * 85);
}

}  // namespace
}  // namespace minke
