#include "model/convert/convert.h"

#include <cstring>
#include <fstream>
#include <limits>

#include <gtest/gtest.h>

#include "model/convert/hugging_face_tensors.h"
#include "model/convert/model_testing.h"
#include "model/families/bundle.h"
#include "model/families/gguf_config.h"
#include "model/formats/open_checkpoint.h"

namespace minke {
namespace {

namespace fs = std::filesystem;
using testing::error_of;
using testing::golden_model;
using testing::random_matrix;
using testing::TempFolder;
using testing::to_write;

Converted converted(const fs::path& source, const fs::path& destination,
                    std::optional<DType> type = {}, std::optional<fs::path> adapter = {}) {
  ThreadPool pool(2);
  return convert({source, destination, "tiny", type, std::move(adapter)}, pool);
}

// All values of a model by their names in Hugging Face folders.
std::map<std::string, std::vector<float>> values_of(const fs::path& path) {
  const Bundle bundle = load_bundle(path);
  std::map<std::string, std::vector<float>> all;
  for (const ListedTensor& t : list_hugging_face_tensors(*bundle.model)) {
    const int64_t columns = t.shape.last();
    std::vector<float>& values = all[t.name];
    values.resize(static_cast<size_t>(t.shape.elements()));
    for (int64_t r = 0; r < t.shape.rows(); r += t.together) {
      float* out = values.data() + r * columns;
      if (t.compute) {
        t.compute(r, out);
      } else {
        decode_stored_row(*t.row(r).tensor, t.row(r).row, out);
      }
    }
  }
  return all;
}

std::map<std::string, std::string> fields_of(const fs::path& path) {
  const Checkpoint checkpoint = open_checkpoint(path);
  std::map<std::string, std::string> fields;
  const Metadata metadata = config_fields(*make_model(checkpoint), "");
  for (const auto& [key, value] : metadata.values()) {
    const auto* number = std::get_if<double>(&value);
    fields[key] = number != nullptr ? fmt::format("{:.5g}", *number) : describe(value);
  }
  // As readers take it if it is absent.
  const std::string factor =
      metadata.text("general.architecture").value() + ".rope.scaling.attn_factor";
  fields.try_emplace(factor, "1");
  return fields;
}

TEST(Convert, EveryFamilyComesBackFromGgufWithItsValuesAndItsConfiguration) {
  int count = 0;
  for (const auto& entry : fs::directory_iterator(golden_model(""))) {
    const std::string name = entry.path().filename().string();
    SCOPED_TRACE(name);
    const TempFolder folder;
    const Converted there = converted(entry.path(), folder / "model.gguf", DType::kF32);
    EXPECT_TRUE(there.gguf);
    EXPECT_EQ(there.parameters, count_parameters(*load_bundle(entry.path()).model));
    EXPECT_EQ(there.types.size(), 1u);
    if (name.starts_with("llama")) {
      EXPECT_NE(error_of([&] {
                  converted(folder / "model.gguf", folder / "back");
                }).find("rope_freqs.weight"),
                std::string::npos);
      continue;
    }
    converted(folder / "model.gguf", folder / "back");
    EXPECT_EQ(values_of(entry.path()), values_of(folder / "model.gguf"));
    EXPECT_EQ(values_of(entry.path()), values_of(folder / "back"));
    EXPECT_EQ(fields_of(entry.path()), fields_of(folder / "back"));
    ++count;
  }
  EXPECT_GT(count, 20);
}

TEST(Convert, AGgufFileOfTheSameTypeKeepsItsBytes) {
  const TempFolder folder;
  converted(golden_model("deepseek-v3-s0"), folder / "a.gguf", DType::kQ8_0);
  converted(folder / "a.gguf", folder / "b.gguf");
  const Checkpoint a = open_checkpoint(folder / "a.gguf"), b = open_checkpoint(folder / "b.gguf");
  ASSERT_EQ(a.tensors().size(), b.tensors().size());
  for (const auto& [name, t] : a.tensors()) {
    const Tensor& copy = b.tensors().at(name);
    ASSERT_EQ(t.type, copy.type) << name;
    ASSERT_EQ(t.bytes(), copy.bytes()) << name;
    EXPECT_EQ(std::memcmp(t.data, copy.data, static_cast<size_t>(t.bytes())), 0) << name;
  }
  EXPECT_EQ(a.metadata().values().size(), b.metadata().values().size());
}

TEST(Convert, MatricesGetTheTypeAndVectorsAndRoutersStayF32) {
  const TempFolder folder;
  const Converted done = converted(golden_model("deepseek-v3-s0"), folder / "q.gguf", DType::kQ8_0);
  const Checkpoint written = open_checkpoint(folder / "q.gguf");
  for (const auto& [name, t] : written.tensors()) {
    const bool plain = name.find("norm") != std::string::npos ||
                       name.find("ffn_gate_inp") != std::string::npos || name.ends_with(".bias");
    if (plain) {
      EXPECT_EQ(t.type, DType::kF32) << name;
    } else {
      EXPECT_EQ(t.type, fitting_type(DType::kQ8_0, t.columns())) << name;
    }
  }
  EXPECT_GT(done.types.at(DType::kQ8_0).tensors, 0);
  EXPECT_EQ(written.metadata().integer("general.quantization_version"), 2);
}

TEST(Convert, ATypeThatDoesNotFitIsToldOf) {
  const TempFolder folder;
  const Converted done = converted(golden_model("deepseek-v3-s0"), folder / "q.gguf", DType::kQ4_K);
  ASSERT_FALSE(done.notes.empty());
  EXPECT_NE(done.notes.front().find("in place of Q4_K: rows of"), std::string::npos);
}

TEST(Convert, AFolderKeepsItsConfigurationInAnotherFloatType) {
  const TempFolder folder;
  converted(golden_model("deepseek-v3-fp8-s0"), folder / "half", DType::kBF16);
  const Checkpoint half = open_checkpoint(folder / "half");
  EXPECT_EQ(half.tensors().at("model.embed_tokens.weight").type, DType::kBF16);
  EXPECT_EQ(half.tensors().at("model.norm.weight").type, DType::kF32);
  EXPECT_FALSE(half.metadata().has("quantization_config"));
  EXPECT_EQ(fields_of(golden_model("deepseek-v3-fp8-s0")), fields_of(folder / "half"));
  EXPECT_NE(error_of([&] {
              converted(golden_model("qwen2-s0"), folder / "blocks", DType::kQ4_0);
            }).find("expected F32, F16 or BF16 for a Hugging Face folder, found Q4_0"),
            std::string::npos);
  EXPECT_FALSE(fs::exists(folder / "blocks"));
}

TEST(Convert, ValuesThatTheTypeCannotHoldAreNamed) {
  const TempFolder folder;
  converted(golden_model("qwen2-s0"), folder / "model", DType::kF32);
  const auto corrupt = [&](float value) {
    const fs::path file = folder / "model" / "model.safetensors";
    const Checkpoint c = open_checkpoint(folder / "model");
    std::vector<TensorToWrite> tensors;
    for (const auto& [name, other] : c.tensors()) {
      Tensor copy = decode_tensor(other);
      if (name == "model.embed_tokens.weight") copy.f32()[0] = value;
      tensors.push_back(to_write(name, copy));
    }
    write_safetensors(file, {}, tensors);
    return error_of([&] { converted(folder / "model", folder / "f16.gguf", DType::kF16); });
  };
  EXPECT_NE(corrupt(1e6f).find("tensor 'token_embd.weight': expected values that F16 can hold, "
                               "found 1000000 in row 0"),
            std::string::npos);
  EXPECT_NE(corrupt(std::numeric_limits<float>::quiet_NaN()).find("found nan in row 0"),
            std::string::npos);
  EXPECT_FALSE(fs::exists(folder / "f16.gguf"));
}

// Adapters whose factors fit these matrices of a golden model.
void write_adapter(const fs::path& folder, const std::map<std::string, std::vector<float>>& values,
                   const std::map<std::string, Shape>& shapes, const std::string& targets) {
  fs::create_directory(folder);
  std::ofstream(folder / "adapter_config.json")
      << R"({"peft_type":"LORA","r":2,"lora_alpha":3,"target_modules":)" << targets << "}";
  std::vector<TensorToWrite> tensors;
  uint64_t seed = 0;
  for (const auto& [name, shape] : shapes) {
    EXPECT_TRUE(values.contains(name + ".weight")) << name;
    tensors.push_back(to_write("base_model.model." + name + ".lora_A.weight",
                               random_matrix(2, shape[1], ++seed)));
    tensors.push_back(to_write("base_model.model." + name + ".lora_B.weight",
                               random_matrix(shape[0], 2, ++seed)));
  }
  write_safetensors(folder / "adapter_model.safetensors", {}, tensors);
}

std::map<std::string, Shape> shapes_of(const fs::path& path, const std::vector<std::string>& ends) {
  std::map<std::string, Shape> shapes;
  const Bundle bundle = load_bundle(path);
  for (const ListedTensor& t : list_hugging_face_tensors(*bundle.model)) {
    for (const std::string& end : ends) {
      const std::string name = t.name.substr(0, t.name.rfind('.'));
      if (name.ends_with(end)) shapes.emplace(name, t.shape);
    }
  }
  return shapes;
}

// An adapter is merged before the weights are laid out anew, and from either kind of file.
void expect_merged(const std::string& model, const std::vector<std::string>& ends,
                   const std::string& targets) {
  SCOPED_TRACE(model);
  const TempFolder folder;
  const fs::path source = golden_model(model);
  const auto plain = values_of(source);
  const auto shapes = shapes_of(source, ends);
  ASSERT_FALSE(shapes.empty());
  write_adapter(folder / "adapter", plain, shapes, targets);
  EXPECT_EQ(converted(source, folder / "merged", DType::kF32, folder / "adapter").merged,
            shapes.size());
  converted(source, folder / "merged.gguf", DType::kF32, folder / "adapter");
  converted(source, folder / "plain.gguf", DType::kF32);
  converted(folder / "plain.gguf", folder / "later.gguf", {}, folder / "adapter");
  const auto merged = values_of(folder / "merged");
  EXPECT_EQ(merged, values_of(folder / "merged.gguf"));
  EXPECT_EQ(merged, values_of(folder / "later.gguf"));
  for (const auto& [name, values] : plain) {
    const std::string module = name.substr(0, name.rfind('.'));
    const bool changes = name.ends_with(".weight") && shapes.contains(module);
    EXPECT_EQ(merged.at(name) != values, changes) << name;
  }
}

TEST(Convert, AnAdapterIsMergedIntoEveryLayout) {
  expect_merged("deepseek-v3-s0",
                {"kv_b_proj", "q_a_proj", "experts.1.down_proj", "mlp.gate", "lm_head"},
                R"(["kv_b_proj","q_a_proj","down_proj","gate","lm_head"])");
  expect_merged("smollm-s0", {"q_proj", "k_proj"}, R"(["q_proj","k_proj"])");
}

TEST(Convert, AnAdapterOfAnotherModelIsRefused) {
  const TempFolder folder;
  const auto shapes = shapes_of(golden_model("smollm-s0"), {"q_proj"});
  write_adapter(folder / "adapter", values_of(golden_model("smollm-s0")), shapes, R"(["q_proj"])");
  EXPECT_NE(error_of([&] {
              converted(golden_model("deepseek-v3-s0"), folder / "x.gguf", {}, folder / "adapter");
            }).find("expected"),
            std::string::npos);
  EXPECT_FALSE(fs::exists(folder / "x.gguf"));
}

}  // namespace
}  // namespace minke
