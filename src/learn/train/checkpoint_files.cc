#include "learn/train/checkpoint_files.h"

#include <nlohmann/json.hpp>
#include <xxhash.h>

#include "base/core/atomic_file.h"
#include "base/core/check.h"
#include "base/core/error.h"
#include "base/core/json.h"
#include "base/core/mapped_file.h"
#include "model/formats/write_checkpoint.h"

namespace minke {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kStateFile = "state.json";
constexpr const char* kManifestFile = "manifest.json";
constexpr const char* kFiles[] = {kWeightsFile, kOptimizerFile, kStateFile};

TensorToWrite to_write(std::string name, const Tensor& tensor) {
  return {std::move(name), tensor.type, tensor.shape, [tensor] {
            return std::span<const uint8_t>(tensor.data, static_cast<size_t>(tensor.bytes()));
          }};
}

void write_text(const fs::path& path, const std::string& text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

Json describe_file(const fs::path& path) {
  const std::string hash = file_hash(path);  // its errors tell more than those of file_size()
  return {{"bytes", fs::file_size(path)}, {"xxh64", hash}};
}

std::string state_json(const RunState& state) {
  CHECK(Json::accept(state.cursor));
  Json json = {{"stage", state.stage},
               {"step", state.step},
               {"tokens", state.tokens},
               {"seconds", state.seconds},
               {"cursor", Json::parse(state.cursor)},
               {"inputs", state.inputs}};
  return json.dump(1);
}

// Reads members of one object; errors name the file and the member.
class Members {
 public:
  explicit Members(const JsonDocument& document) : file_(document.name()) {
    if (document.root().get(object_) != simdjson::SUCCESS) {
      fail(file_, "expected an object, found {}", describe_json(document.root()));
    }
  }

  // Throws Error unless the member is a T.
  template <typename T>
  T get(std::string_view key, std::string_view expected) const {
    T value{};
    const auto member = object_[key];
    if (member.error() != simdjson::SUCCESS) {
      fail(file_, "{}: expected {}, found none", key, expected);
    }
    if (member.get(value) != simdjson::SUCCESS) {
      fail(file_, "{}: expected {}, found {}", key, expected, describe_json(member.value_unsafe()));
    }
    return value;
  }
  int64_t count(std::string_view key) const {
    const auto value = get<int64_t>(key, "a whole number of 0 or more");
    if (value < 0) fail(file_, "{}: expected a whole number of 0 or more, found {}", key, value);
    return value;
  }
  bool has(std::string_view key) const { return object_[key].error() == simdjson::SUCCESS; }

 private:
  std::string file_;
  simdjson::dom::object object_;
};

}  // namespace

std::string file_hash(const fs::path& path) {
  const auto file = MappedFile::open(path);
  return fmt::format("{:016x}", XXH64(file->bytes().data(), file->bytes().size(), 0));
}

void write_checkpoint_files(const fs::path& folder, const RunState& state,
                            std::span<const Parameter> parameters, Optimizer& optimizer) {
  std::vector<TensorToWrite> weights;
  for (const Parameter& p : parameters) weights.push_back(to_write(p.name, p.master));
  write_safetensors(folder / kWeightsFile, {}, weights);
  std::vector<TensorToWrite> states;
  optimizer.visit_state(
      [&](const std::string& name, Tensor& tensor) { states.push_back(to_write(name, tensor)); });
  write_safetensors(folder / kOptimizerFile, {}, states);
  write_text(folder / kStateFile, state_json(state));
  Json files = Json::object();
  for (const char* name : kFiles) files[name] = describe_file(folder / name);
  write_text(folder / kManifestFile, Json{{"files", files}}.dump(1));
}

void verify_checkpoint_files(const fs::path& folder) {
  const JsonDocument manifest = JsonDocument::read(folder / kManifestFile);
  const auto files = Members(manifest).get<simdjson::dom::object>("files", "an object");
  for (const char* name : kFiles) {
    const fs::path path = folder / name;
    std::string_view expected;
    if (files[name]["xxh64"].get(expected) != simdjson::SUCCESS) {
      fail(manifest.name(), "files.{}.xxh64: expected text, found none", name);
    }
    const auto found = describe_file(path)["xxh64"].get<std::string>();
    if (found != expected) {
      fail(path.string(), "expected the checksum {}, found {}", printable(expected), found);
    }
  }
}

RunState read_run_state(const fs::path& folder) {
  const JsonDocument document = JsonDocument::read(folder / kStateFile);
  const Members members(document);
  RunState state;
  state.stage = members.count("stage");
  state.step = members.count("step");
  state.tokens = members.count("tokens");
  state.seconds = members.get<double>("seconds", "a number");
  state.cursor = simdjson::minify(members.get<simdjson::dom::object>("cursor", "an object"));
  if (members.has("inputs")) {
    for (const auto& [name, hash] : members.get<simdjson::dom::object>("inputs", "an object")) {
      std::string_view text;
      if (hash.get(text) != simdjson::SUCCESS) {
        fail(document.name(), "inputs: expected text, found {}", describe_json(hash));
      }
      state.inputs.emplace(name, text);
    }
  }
  return state;
}

}  // namespace minke
