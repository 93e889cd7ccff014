#include "model/formats/parse.h"
#include "model/formats/test_files.h"

namespace minke {
namespace {

using testing::Bytes;
using testing::error_of;
using testing::random_tensor;
using testing::safetensors;
using testing::same_bytes;
using testing::TempFolder;
using testing::to_write;
using testing::write_file;

class HuggingFace : public ::testing::Test {
 protected:
  HuggingFace() { write_file(folder_ / "config.json", R"({"model_type": "llama"})"); }

  Checkpoint open() const { return open_checkpoint(folder_.path()); }
  std::string error() const {
    return error_of([&] { open(); });
  }
  bool error_says(const std::string& part) const {
    const std::string message = error();
    const bool says =
        message.find(part) != std::string::npos && message.rfind(folder_.path().string(), 0) == 0;
    if (!says) ADD_FAILURE() << "\"" << message << "\" does not say \"" << part << "\"";
    return says;
  }
  // The error of a model.safetensors with this header and 64 bytes of data.
  bool header_error_says(const std::string& header, const std::string& part) {
    write_file(folder_ / "model.safetensors", safetensors(header, 64));
    return error_says(part);
  }

  TempFolder folder_;
};

TEST_F(HuggingFace, RoundTripsFloatTypesAndReadsBothConfigurations) {
  write_file(folder_ / "config.json",
             R"({"model_type": "llama", "rope_scaling": {"factor": 40}, "eos_token_id": 2})");
  write_file(folder_ / "generation_config.json", R"({"eos_token_id": [1, 2], "temperature": 0.6})");
  std::vector<Tensor> originals;
  std::vector<TensorToWrite> tensors;
  for (const DType type : {DType::kF32, DType::kF16, DType::kBF16, DType::kF8E4M3}) {
    originals.push_back(random_tensor(type, {3, 2, 5}));
    tensors.push_back(to_write("t." + std::string(dtype_name(type)) + "\"\\\n", originals.back()));
  }
  originals.push_back(random_tensor(DType::kF32, {7}));  // not aligned after 30 bytes of F8
  tensors.push_back(to_write("vector", originals.back()));
  originals.push_back(Tensor::zeros(DType::kF32, {0, 4}));
  tensors.push_back(to_write("empty", originals.back()));
  write_safetensors(folder_ / "model.safetensors", {{"format", "pt"}}, tensors);

  const Checkpoint c = open();
  EXPECT_EQ(c.naming(), Naming::kHuggingFace);
  EXPECT_EQ(c.source(), folder_.path().string());
  for (size_t i = 0; i < tensors.size(); ++i) {
    const auto found = c.find(tensors[i].name);
    ASSERT_TRUE(found) << tensors[i].name;
    EXPECT_TRUE(same_bytes(*found, originals[i])) << tensors[i].name;
  }
  EXPECT_EQ(reinterpret_cast<uintptr_t>(c.find("vector")->data) % alignof(float), 0u);
  EXPECT_EQ(c.metadata().integer("rope_scaling.factor"), 40);
  EXPECT_EQ(c.metadata().integer("eos_token_id"), 2);
  EXPECT_EQ(c.metadata().integers("generation.eos_token_id"), (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(c.metadata().number("generation.temperature"), 0.6);
  // The file itself stands for its folder.
  EXPECT_TRUE(open_checkpoint(folder_ / "model.safetensors").find("vector"));
}

TEST_F(HuggingFace, AQuantizationConfigSaysItsMethod) {
  write_safetensors(folder_ / "model.safetensors", {},
                    {to_write("x", random_tensor(DType::kF32, {1}))});
  const auto error_with = [&](const std::string& value) {
    write_file(folder_ / "config.json", R"({"quantization_config": )" + value + "}");
    return error();
  };
  EXPECT_EQ(error_with("null"), "");
  EXPECT_EQ(error_with(R"({"quant_method": "fp8"})"), "");
  EXPECT_NE(error_with("{}").find("quantization_config: expected an object with a quant_method, "
                                  "found an empty object"),
            std::string::npos);
  EXPECT_NE(error_with("\"fp8\"").find("found text \"fp8\""), std::string::npos);
}

TEST_F(HuggingFace, TokenIdsAreIdsOfTheVocabulary) {
  write_safetensors(folder_ / "model.safetensors", {},
                    {to_write("x", random_tensor(DType::kF32, {1}))});
  const auto error_with = [&](const std::string& field, const std::string& value) {
    write_file(folder_ / "config.json",
               fmt::format(R"({{"vocab_size": 100, "{}": {}}})", field, value));
    return error();
  };
  for (const std::string field : {"eos_token_id", "bos_token_id", "pad_token_id"}) {
    for (const char* value : {"null", "0", "99", "[1, 99]", "[]"}) {
      EXPECT_EQ(error_with(field, value), "") << field << value;
    }
    for (const char* value : {"\"2\"", "2.0", "true", "{}", "{\"id\": 2}", "[[1]]", "[1, \"2\"]",
                              "[1.5]", "-2", "100", "[1, 100]", "18446744073709551616"}) {
      const std::string message = error_with(field, value);
      EXPECT_NE(message.find("'" + field + "': expected "), std::string::npos) << value << message;
      EXPECT_NE(message.find("found "), std::string::npos) << value << message;
    }
  }
  EXPECT_EQ(error_with("pad_token_id", "-1"), "");
  EXPECT_EQ(error_with("eos_token_id", "-1"),
            folder_.path().string() +
                ": configuration field 'eos_token_id': expected token ids from 0 to 99, found -1");
  write_file(folder_ / "config.json", R"({"vocab_size": 100})");
  write_file(folder_ / "generation_config.json", R"({"eos_token_id": [1, 100]})");
  EXPECT_TRUE(error_says("'generation.eos_token_id': expected token ids from 0 to 99, found 100"));
}

TEST_F(HuggingFace, WriterPadsTheHeaderAndRefusesWhatTheFormatCannotHold) {
  write_safetensors(folder_ / "a.safetensors", {},
                    {to_write("x", random_tensor(DType::kF32, {1}))});
  const std::string file = testing::read_file(folder_ / "a.safetensors");
  uint64_t length = 0;
  std::memcpy(&length, file.data(), 8);
  EXPECT_EQ(length % 8, 0u);
  EXPECT_EQ(file.size(), 8 + length + 4);
  const auto write = [&](const std::vector<TensorToWrite>& tensors) {
    return error_of([&] { write_safetensors(folder_ / "b.safetensors", {}, tensors); });
  };
  const Tensor x = random_tensor(DType::kF32, {1});
  EXPECT_NE(write({to_write("q", random_tensor(DType::kQ4_0, {1, 32}))})
                .find("tensor 'q': safetensors files cannot hold type Q4_0"),
            std::string::npos);
  EXPECT_NE(write({to_write("x", x), to_write("x", x)}), "");
  EXPECT_NE(write({to_write("\xff", x)}), "");
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    EXPECT_NE(entry.path().filename().string()[0], 'b') << entry.path();  // nor a temporary of it
  }
}

TEST_F(HuggingFace, SaysWhatIsWrongWithASafetensorsFile) {
  write_file(folder_ / "model.safetensors", "1234");
  EXPECT_TRUE(error_says("model.safetensors: truncated at byte 0: header length needs 8 bytes"));
  write_file(folder_ / "model.safetensors", Bytes().put(uint64_t{100'000'001}).str());
  EXPECT_TRUE(error_says("expected a safetensors header of at most 100000000 bytes"));
  write_file(folder_ / "model.safetensors", Bytes().put(uint64_t{50}).raw("{}").str());
  EXPECT_TRUE(error_says("header needs 50 bytes, 2 are left"));
  EXPECT_TRUE(
      header_error_says("{\"x\":", "model.safetensors: header: not valid JSON: line 1, byte 5: "));
  EXPECT_TRUE(header_error_says("[]", "expected a JSON object as header, found a list"));
  EXPECT_TRUE(header_error_says(R"({"x": 1})", "tensor 'x': expected an object"));
  EXPECT_TRUE(header_error_says(R"({"x": {"shape": [1], "data_offsets": [0, 4]}})",
                                "tensor 'x': expected a field \"dtype\", found none"));
  EXPECT_TRUE(header_error_says(R"({"x": {"dtype": 3, "shape": [1], "data_offsets": [0, 4]}})",
                                "\"dtype\": expected a text"));
  const auto entry = [](const std::string& dtype, const std::string& shape,
                        const std::string& offsets) {
    return fmt::format(R"({{"x": {{"dtype": "{}", "shape": {}, "data_offsets": {}}}}})", dtype,
                       shape, offsets);
  };
  EXPECT_TRUE(header_error_says(entry("F32", "[2]", "[0, 4]"),
                                "tensor 'x': expected 8 bytes for F32 of shape [2], found 4"));
  EXPECT_TRUE(
      header_error_says(entry("F32", "[20]", "[0, 80]"),
                        "expected a begin and an end within 64 bytes of data, found [0, 80]"));
  EXPECT_TRUE(header_error_says(entry("F32", "[1]", "[8, 4]"), "found [8, 4]"));
  EXPECT_TRUE(header_error_says(entry("F32", "[1]", "[4]"), "found [4]"));
  EXPECT_TRUE(header_error_says(entry("F32", "[-1]", "[0, 4]"), "at least 0, found -1"));
  EXPECT_TRUE(header_error_says(entry("F32", "1", "[0, 4]"), "expected a list of integers"));
  EXPECT_TRUE(header_error_says(entry("F32", "[1.5]", "[0, 4]"), "expected integers"));
  EXPECT_TRUE(header_error_says(entry("F32", "[4611686018427387904, 4]", "[0, 0]"),
                                "expected 2^61 or more bytes"));
  EXPECT_TRUE(header_error_says(entry("F32", "[0, 9223372036854775807]", "[0, 0]"),
                                "expected 2^61 or more bytes"));
  EXPECT_TRUE(header_error_says(
      R"({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
          "b": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}})",
      "tensor 'b': expected bytes of its own, found them to begin inside tensor 'a'"));
  EXPECT_TRUE(header_error_says(
      R"({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
          "a": {"dtype": "F32", "shape": [2], "data_offsets": [8, 16]}})",
      "tensor 'a' appears twice"));
}

TEST_F(HuggingFace, OtherTypesAreErrorsOnlyWhenLookedUp) {
  write_file(folder_ / "model.safetensors",
             safetensors(R"({"ids": {"dtype": "I64", "shape": [2], "data_offsets": [0, 16]},
                             "new": {"dtype": "F6_E2M3", "shape": [4], "data_offsets": [16, 19]},
                             "deep": {"dtype": "F32", "shape": [1,1,1,1,1],
                                      "data_offsets": [20, 24]},
                             "x": {"dtype": "F32", "shape": [], "data_offsets": [24, 28]}})",
                         64));
  const Checkpoint c = open();
  EXPECT_TRUE(c.find("x"));
  EXPECT_EQ(c.tensors().size(), 1u);
  const std::string source = folder_.path().string();
  EXPECT_EQ(error_of([&] { c.find("ids"); }), source + ": tensor 'ids': type I64 is not computed");
  EXPECT_EQ(error_of([&] { c.find("new"); }),
            source + ": tensor 'new': type F6_E2M3 is not computed");
  EXPECT_EQ(error_of([&] { c.find("deep"); }),
            source + ": tensor 'deep': expected at most 4 dimensions, found 5");
}

class Shards : public HuggingFace {
 protected:
  void write_shard(const std::string& file, const std::vector<TensorToWrite>& tensors) {
    write_safetensors(folder_ / file, {}, tensors);
  }
  void write_index(const std::string& weight_map) {
    write_file(folder_ / "model.safetensors.index.json",
               "{\"metadata\": {}, \"weight_map\": " + weight_map + "}");
  }
};

TEST_F(Shards, AreReadAsTheIndexSays) {
  const Tensor a = random_tensor(DType::kF32, {4}, 1), b = random_tensor(DType::kF32, {4}, 2);
  write_shard("s1.safetensors", {to_write("a", a), to_write("b", a)});
  write_shard("s2.safetensors", {to_write("b", b)});
  write_index(R"({"a": "s1.safetensors", "b": "s2.safetensors"})");
  const Checkpoint c = open();
  EXPECT_TRUE(same_bytes(*c.find("a"), a));
  EXPECT_TRUE(same_bytes(*c.find("b"), b)) << "taken from a shard that the index does not name";
}

TEST_F(Shards, SayWhatDoesNotFitTheIndex) {
  write_shard("s1.safetensors", {to_write("a", random_tensor(DType::kF32, {4}))});
  write_index(R"({"a": "s1.safetensors", "b": "s1.safetensors"})");
  EXPECT_TRUE(
      error_says("s1.safetensors: expected tensor 'b', which "
                 "model.safetensors.index.json places here, found none"));
  write_index(R"({"a": "s9.safetensors"})");
  EXPECT_TRUE(error_says("s9.safetensors: cannot open"));
  write_index(R"({"a": "../s1.safetensors"})");
  EXPECT_TRUE(
      error_says("expected the name of a .safetensors file of the same folder, found "
                 "\"../s1.safetensors\""));
  write_index(R"({"a": 1})");
  EXPECT_TRUE(error_says("index.json: tensor 'a'"));
  write_index(R"({"a": "s1.safetensors", "a": "s1.safetensors"})");
  EXPECT_TRUE(error_says("tensor 'a' appears twice"));
  write_index("[]");
  EXPECT_TRUE(error_says("expected an object \"weight_map\", found an array"));
}

class BlockScales : public Shards {
 protected:
  BlockScales() {
    write_file(folder_ / "config.json", R"({"quantization_config": {"quant_method": "fp8",
                                            "weight_block_size": [128, 128]}})");
  }
  // A 200 x 130 matrix in one shard, its scales in another.
  void write_model(const Tensor& weight, const std::optional<Tensor>& scales) {
    write_shard("s1.safetensors", {to_write("w.weight", weight)});
    std::vector<TensorToWrite> others = {to_write("other", random_tensor(DType::kF32, {1}))};
    if (scales) others.push_back(to_write("w.weight_scale_inv", *scales));
    write_shard("s2.safetensors", others);
    write_index(fmt::format(R"({{"w.weight": "s1.safetensors", "other": "s2.safetensors"{}}})",
                            scales ? R"(, "w.weight_scale_inv": "s2.safetensors")" : ""));
  }
  const Tensor weight_ = random_tensor(DType::kF8E4M3, {200, 130});
};

TEST_F(BlockScales, ComeFromAnotherShardInEitherType) {
  for (const DType type : {DType::kF32, DType::kBF16}) {
    const Tensor scales = random_tensor(type, {2, 2});
    write_model(weight_, scales);
    const Checkpoint c = open();
    const auto w = c.find("w.weight");
    ASSERT_TRUE(w && w->block_scales != nullptr);
    const Tensor expected = decode_tensor(scales);
    EXPECT_EQ(std::memcmp(w->block_scales, expected.data, 16), 0);
    Tensor bare = weight_;
    bare.block_scales = nullptr;
    const Tensor plain = decode_tensor(bare), scaled = decode_tensor(*w);
    // The multiplier of row 150, column 20 is that of block (1, 0).
    EXPECT_EQ(scaled.f32()[150 * 130 + 20], plain.f32()[150 * 130 + 20] * expected.f32()[2]);
  }
}

TEST_F(BlockScales, OfTheWrongShapeOrTypeAreErrors) {
  write_model(weight_, random_tensor(DType::kF32, {2, 1}));
  EXPECT_TRUE(
      error_says("tensor 'w.weight_scale_inv': expected one scale for each 128x128 block of "
                 "a matrix, found shape [2, 1] for [200, 130]"));
  write_model(weight_, random_tensor(DType::kF16, {2, 2}));
  EXPECT_TRUE(error_says("expected block scales of type F32 or BF16, found F16"));
  write_model(random_tensor(DType::kF8E4M3, {2, 100, 130}), random_tensor(DType::kF32, {2, 2}));
  EXPECT_TRUE(error_says("block of a matrix"));
}

TEST_F(BlockScales, AreMissedWhenTheConfigurationPromisesThem) {
  write_model(weight_, std::nullopt);
  const Checkpoint c = open();
  EXPECT_NE(error_of([&] { c.find("w.weight"); })
                .find("tensor 'w.weight': F8_E4M3 with a quantization_config needs block scales, "
                      "expected a tensor 'w.weight_scale_inv', found none"),
            std::string::npos);
  write_file(folder_ / "config.json", "{}");
  EXPECT_EQ(open().find("w.weight")->block_scales, nullptr);
}

TEST_F(BlockScales, OfOtherSizesAreRefused) {
  write_model(weight_, std::nullopt);
  write_file(folder_ / "config.json",
             R"({"quantization_config": {"weight_block_size": [64, 64]}})");
  EXPECT_TRUE(
      error_says("quantization_config.weight_block_size: expected [128, 128], found [64, 64]"));
}

class OpenCheckpoint : public ::testing::Test {
 protected:
  std::string error(const std::string& name, std::string_view content) {
    write_file(folder_ / name, content);
    const std::string path = (folder_ / name).string();
    const std::string message = error_of([&] { open_checkpoint(folder_ / name); });
    EXPECT_EQ(message.rfind(path + ": ", 0), 0u) << message;
    return message.substr(std::min(message.size(), path.size() + 2));
  }
  TempFolder folder_;
};

TEST_F(OpenCheckpoint, SaysWhatAFileThatIsNoModelLooksLike) {
  const std::string expected = "expected a GGUF file or a Hugging Face folder, found ";
  EXPECT_EQ(error("a", ""), expected + "an empty file");
  EXPECT_EQ(error("a.safetensors", ""), expected + "an empty file");
  EXPECT_EQ(error("a.txt", "hello\n"), expected + "a text file");
  EXPECT_EQ(error("a.html", "<!DOCTYPE html>"),
            expected + "a web page; the download did not give the model");
  EXPECT_EQ(error("a.gguf", "version https://git-lfs.github.com/spec/v1\noid sha256:0"),
            expected + "a Git LFS pointer; fetch the file itself with `git lfs pull`");
  EXPECT_EQ(error("a.bin", std::string_view("PK\x03\x04\0\0", 6)),
            expected + "a PyTorch pickle, which Minke does not read; convert it to safetensors");
  EXPECT_EQ(error("b.bin", std::string_view("\x80\x02\x8a\x0a", 4)),
            expected + "a PyTorch pickle, which Minke does not read; convert it to safetensors");
  EXPECT_EQ(error("config.json", "{\"a\": 1}"),
            expected + "JSON text; give the folder that holds the model");
  EXPECT_EQ(error("c.bin", std::string_view("\0\1\2", 3)), expected + "other bytes");
  EXPECT_EQ(error_of([&] { open_checkpoint(folder_ / "none"); }),
            (folder_ / "none").string() + ": expected a model file or folder, found nothing there");
}

TEST_F(OpenCheckpoint, SaysWhatAFolderOrWeightsFileLacks) {
  const std::string path = folder_.path().string();
  EXPECT_EQ(error_of([&] { open_checkpoint(folder_.path()); }),
            path + ": expected a Hugging Face folder with config.json, found none");
  EXPECT_EQ(
      error("model.safetensors", safetensors("{}", 0)),
      "a safetensors file holds weights only; expected config.json beside it, found none in " +
          path);
  std::filesystem::remove(folder_ / "model.safetensors");
  write_file(folder_ / "config.json", "{}");
  EXPECT_EQ(error_of([&] { open_checkpoint(folder_.path()); }),
            path +
                ": expected model.safetensors or model.safetensors.index.json beside "
                "config.json, found neither");
  write_file(folder_ / "pytorch_model.bin", "PK");
  EXPECT_NE(error_of([&] { open_checkpoint(folder_.path()); }).find("found PyTorch pickles only"),
            std::string::npos);
  write_file(folder_ / "config.json", "");
  EXPECT_EQ(error_of([&] { open_checkpoint(folder_.path()); }),
            path + "/config.json: expected a JSON object, found an empty file");
  write_file(folder_ / "config.json", std::string((4 << 20) + 1, ' '));
  EXPECT_NE(error_of([&] {
              open_checkpoint(folder_.path());
            }).find("config.json: expected at most 4194304 bytes"),
            std::string::npos);
}

}  // namespace
}  // namespace minke
