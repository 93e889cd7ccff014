#include <filesystem>
#include <map>

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "model/families/gguf_config.h"
#include "model/families/gguf_tensors.h"
#include "model/families/shapes.h"
#include "model/formats/open_checkpoint.h"

namespace minke {
namespace {

namespace fs = std::filesystem;

// Every field as a model computes with it, those too that GGUF metadata has no key for.
std::map<std::string, std::string> fields_of(Model& model) {
  std::map<std::string, std::string> fields;
  const Metadata metadata = config_fields(model, "round");
  for (const auto& [key, value] : metadata.values()) {
    // Files hold float32; YaRN's factor of the magnitude is a quotient of such values.
    const auto* number = std::get_if<double>(&value);
    fields[key] = number != nullptr ? fmt::format("{:.6g}", *number) : describe(value);
  }
  // As readers take it if it is absent.
  fields.try_emplace(model.facts().gguf_architecture + ".rope.scaling.attn_factor", "1");
  return fields;
}

// The model that a GGUF file of `model` describes. Vectors alone are written, of ones where the
// model has no weights: a configuration depends on which of them there are, and matrices of real
// sizes take too long.
std::unique_ptr<Model> reread(Model& model) {
  std::vector<TensorToWrite> tensors = gguf_tensors(model, DType::kF32);
  std::erase_if(tensors, [](const TensorToWrite& t) { return t.shape.rank() != 1; });
  for (TensorToWrite& t : tensors) {
    if (t.name == "rope_freqs.weight") continue;
    t.bytes = [ones = std::vector<float>(static_cast<size_t>(t.shape.elements()), 1.0f)] {
      return std::span(reinterpret_cast<const uint8_t*>(ones.data()), ones.size() * sizeof(float));
    };
  }
  const fs::path path = fs::temp_directory_path() / fmt::format("minke-round-{}.gguf", getpid());
  write_gguf(path, gguf_metadata(model, "round"), tensors);
  const Checkpoint checkpoint = open_checkpoint(path);
  fs::remove(path);
  EXPECT_EQ(checkpoint.metadata().text("general.name"), "round");
  return make_model(checkpoint);
}

void expect_same_configuration(const Checkpoint& source, const std::string& what) {
  SCOPED_TRACE(what);
  const auto model = make_model(source);
  const auto copy = reread(*model);
  const auto before = fields_of(*model), after = fields_of(*copy);
  EXPECT_GT(before.size(), 10u);
  EXPECT_EQ(before, after);
  EXPECT_EQ(model->facts().family, copy->facts().family);
  EXPECT_EQ(model->facts().gguf_architecture, copy->facts().gguf_architecture);
  EXPECT_EQ(model->facts().vocab, copy->facts().vocab);
  EXPECT_EQ(model->facts().dim, copy->facts().dim);
  EXPECT_EQ(model->facts().layers, copy->facts().layers);
  EXPECT_EQ(model->facts().context_length, copy->facts().context_length);
  EXPECT_EQ(model->facts().kv.width, copy->facts().kv.width);
}

TEST(RoundTrip, EveryShapeKeepsItsConfigurationInAGgufFile) {
  for (const auto name : shape_names()) {
    expect_same_configuration(named_shape(name), std::string(name));
  }
}

TEST(RoundTrip, EveryFamilyKeepsItsConfigurationInAGgufFile) {
  int count = 0;
  for (const auto& entry : fs::directory_iterator(MINKE_GOLDEN_DIR "/models")) {
    if (!fs::exists(entry.path() / "config.json")) continue;
    ++count;
    expect_same_configuration(open_checkpoint(entry.path()), entry.path().filename().string());
  }
  EXPECT_GT(count, 20);
}

}  // namespace
}  // namespace minke
