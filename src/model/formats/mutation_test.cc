#include <atomic>
#include <chrono>
#include <cstdlib>
#include <map>
#include <new>

#include <malloc.h>
#include <nlohmann/json.hpp>

#include "model/formats/gguf_tokenizer.h"
#include "model/formats/parse.h"
#include "model/formats/test_files.h"

// Heap in use and its peak, for this whole test program.
namespace {
std::atomic<size_t> heap_used{0}, heap_peak{0};
}  // namespace

[[gnu::noinline]] void* operator new(size_t size) {
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  const size_t used = heap_used += malloc_usable_size(memory);
  size_t peak = heap_peak;
  while (peak < used && !heap_peak.compare_exchange_weak(peak, used)) {
  }
  return memory;
}
[[gnu::noinline]] void* operator new(size_t size, const std::nothrow_t&) noexcept {
  try {
    return operator new(size);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  if (memory == nullptr) return;
  heap_used -= malloc_usable_size(memory);
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept {
  operator delete(memory);
}

namespace minke {
namespace {

using testing::random_tensor;
using testing::read_file;
using testing::TempFolder;
using testing::to_write;
using testing::write_file;

using Files = std::map<std::string, std::string>;  // name -> content

// ---- Valid files

Files valid_gguf() {
  Metadata m("valid");
  m.set("general.architecture", std::string("deepseek2"));
  m.set("deepseek2.block_count", uint64_t{2});
  m.set("deepseek2.rope.freq_base", 10000.0);
  m.set("deepseek2.expert_weights_norm", true);
  m.set("tokenizer.ggml.model", std::string("gpt2"));
  m.set("tokenizer.ggml.pre", std::string("deepseek-llm"));
  m.set("tokenizer.ggml.tokens", meta_texts({"a", "b", "ab", "<bos>", "[PAD4]"}));
  m.set("tokenizer.ggml.token_type", meta_integers({1, 1, 1, 3, 5}));
  m.set("tokenizer.ggml.merges", meta_texts({"a b"}));
  m.set("tokenizer.ggml.bos_token_id", uint64_t{3});
  m.set("tokenizer.ggml.scores", meta_numbers({0.5, 1, 2, 3, 4}));
  const TempFolder folder;
  write_gguf(folder / "m.gguf", m,
             {to_write("token_embd.weight", random_tensor(DType::kQ4_0, {4, 32})),
              to_write("blk.0.attn_norm.weight", random_tensor(DType::kF32, {32})),
              to_write("blk.0.ffn_up_exps.weight", random_tensor(DType::kQ8_0, {2, 3, 32})),
              to_write("blk.0.ffn_down.weight", random_tensor(DType::kQ4_K, {2, 256})),
              to_write("output.weight", random_tensor(DType::kBF16, {4, 32}))});
  return {{"m.gguf", read_file(folder / "m.gguf")}};
}

constexpr const char* kConfig =
    R"({"model_type": "deepseek_v3", "hidden_size": 130,
        "rope_scaling": {"factor": 40, "type": "yarn"},
        "eos_token_id": [1, 2], "quantization_config": {"quant_method": "fp8",
        "weight_block_size": [128, 128]}, "tie_word_embeddings": false, "q_lora_rank": null})";

Files valid_folder(bool sharded) {
  const TempFolder folder;
  const std::vector<TensorToWrite> first = {
      to_write("embed.weight", random_tensor(DType::kBF16, {4, 6})),
      to_write("a.weight", random_tensor(DType::kF8E4M3, {20, 130}))};
  const std::vector<TensorToWrite> second = {
      to_write("a.weight_scale_inv", random_tensor(DType::kF32, {1, 2})),
      to_write("norm.weight", random_tensor(DType::kF16, {7}))};
  Files files = {{"config.json", kConfig},
                 {"generation_config.json", R"({"eos_token_id": 1, "top_p": 0.95})"}};
  const auto add = [&](const std::string& name, const std::vector<TensorToWrite>& tensors) {
    write_safetensors(folder / name, {{"format", "pt"}}, tensors);
    files[name] = read_file(folder / name);
  };
  if (sharded) {
    add("s1.safetensors", first);
    add("s2.safetensors", second);
    nlohmann::json index;
    for (const auto& t : first) index["weight_map"][t.name] = "s1.safetensors";
    for (const auto& t : second) index["weight_map"][t.name] = "s2.safetensors";
    files["model.safetensors.index.json"] = index.dump();
  } else {
    std::vector<TensorToWrite> all = first;
    all.insert(all.end(), second.begin(), second.end());
    add("model.safetensors", all);
  }
  return files;
}

// ---- Mutations

void truncate(std::string& bytes, Rng& rng) {
  bytes.resize(rng.below(bytes.size() + 1));
}

void flip_bits(std::string& bytes, Rng& rng) {
  for (uint64_t n = 1 + rng.below(8); n > 0 && !bytes.empty(); --n) {
    bytes[rng.below(bytes.size())] ^= static_cast<char>(1 << rng.below(8));
  }
}

// Removes, repeats, or overwrites a range with another.
void splice(std::string& bytes, Rng& rng) {
  if (bytes.empty()) return;
  const size_t from = rng.below(bytes.size()), to = rng.below(bytes.size());
  const std::string part = bytes.substr(from, 1 + rng.below(40));
  switch (rng.below(3)) {
    case 0:
      bytes.erase(from, part.size());
      break;
    case 1:
      bytes.insert(to, part);
      break;
    default:
      bytes.replace(to, part.size(), part);
  }
}

// Puts a number that is meant to overflow or overrun something at byte `at`, 4 or 8 bytes wide.
void put_extreme(std::string& bytes, size_t at, Rng& rng) {
  const uint64_t values[] = {0,
                             1,
                             0x7fffffff,
                             0xffffffff,
                             uint64_t{1} << 31,
                             uint64_t{1} << 61,
                             uint64_t{1} << 62,
                             INT64_MAX,
                             uint64_t{1} << 63,
                             UINT64_MAX,
                             bytes.size(),
                             bytes.size() + 1,
                             UINT64_MAX - at};
  const uint64_t value = values[rng.below(std::size(values))];
  const size_t width = std::min<size_t>(rng.below(2) == 0 ? 4 : 8, bytes.size() - at);
  std::memcpy(bytes.data() + at, &value, width);
}

// Changes one value somewhere inside `json`, or drops or renames a field.
void edit_json(nlohmann::json& json, Rng& rng) {
  if (json.is_structured() && !json.empty() && rng.below(4) != 0) {
    auto item = json.begin();
    std::advance(item, static_cast<long>(rng.below(json.size())));
    if (json.is_object() && rng.below(6) == 0) {
      json.erase(item);
    } else if (json.is_object() && rng.below(8) == 0) {
      json[std::string(rng.below(400), 'k')] = *item;
    } else {
      edit_json(*item, rng);
    }
    return;
  }
  const nlohmann::json values[] = {nullptr,
                                   -1,
                                   0,
                                   1,
                                   3,
                                   UINT64_MAX,
                                   INT64_MAX,
                                   uint64_t{1} << 62,
                                   1.5,
                                   1e308,
                                   "",
                                   "F32",
                                   "I64",
                                   "F8_E4M3",
                                   "../s1.safetensors",
                                   "config.json",
                                   true,
                                   nlohmann::json::array(),
                                   nlohmann::json::object(),
                                   {4, 4},
                                   {0, 16},
                                   {INT64_MAX, 4, 0},
                                   {1, 1, 1, 1, 1, 1}};
  json = values[rng.below(std::size(values))];
}

void edit_json_text(std::string& text, Rng& rng) {
  auto json = nlohmann::json::parse(text);
  for (uint64_t n = 1 + rng.below(3); n > 0; --n) edit_json(json, rng);
  text = json.dump();
}

// The JSON of a safetensors header edited, the rest left as it is.
void edit_safetensors(std::string& file, Rng& rng) {
  uint64_t length = 0;
  std::memcpy(&length, file.data(), sizeof(length));
  std::string header = file.substr(sizeof(length), length);
  edit_json_text(header, rng);
  file = testing::Bytes().text(header).raw(file.substr(sizeof(length) + length)).str();
}

void mutate(const std::string& name, std::string& content, Rng& rng) {
  const bool json = name.ends_with(".json"), safetensors = name.ends_with(".safetensors");
  switch (rng.below(json || safetensors ? 6 : 4)) {
    case 0:
      return truncate(content, rng);
    case 1:
      return flip_bits(content, rng);
    case 2:
      return splice(content, rng);
    case 3:
      // Where counts and offsets are: not in the data.
      return put_extreme(content, rng.below(std::min<size_t>(content.size(), 1500)), rng);
    default:
      return json ? edit_json_text(content, rng) : edit_safetensors(content, rng);
  }
}

// ---- Checks

// What was read must be used, or the compiler would leave the reading out.
volatile double checksum = 0;

// Reads all that an opened checkpoint offers; what cannot be used must say so by an Error.
void read_everything(const Checkpoint& c) {
  for (const auto& [name, view] : c.tensors()) {
    try {
      const auto t = c.find(name);
      ASSERT_TRUE(t);
      const Tensor values = decode_tensor(*t);
      double sum = 0;
      for (int64_t i = 0; i < values.shape.elements(); ++i) sum += values.f32()[i];
      checksum = sum;
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()), "");
    }
  }
  const Metadata& m = c.metadata();
  for (const auto& [key, value] : m.values()) {
    EXPECT_NE(describe(value), "");
    testing::error_of([&, &k = key] { m.texts(k); });
    testing::error_of([&, &k = key] { m.numbers(k); });
    testing::error_of([&, &k = key] { m.integers(k); });
  }
  if (c.naming() == Naming::kGguf) testing::error_of([&] { read_gguf_tokenizer(c); });
}

// The same bytes from a heap block of exactly their size, where a sanitizer sees every step
// outside.
void parse_from_heap(const std::string& name, const std::string& content) {
  const std::vector<uint8_t> bytes(content.begin(), content.end());
  const FileView file{bytes, name, nullptr};
  Checkpoint c(name.ends_with(".gguf") ? Naming::kGguf : Naming::kHuggingFace, Metadata(name));
  const std::string error = testing::error_of([&] {
    if (name.ends_with(".gguf")) {
      parse_gguf(file, c.metadata(), c);
    } else {
      parse_safetensors(
          file, [](std::string_view) { return true; }, c);
    }
    read_everything(c);
  });
  EXPECT_TRUE(error.empty() || error.find(name) != std::string::npos) << error;
  for (const auto& [tensor, view] : c.tensors()) {
    EXPECT_GE(view.data, bytes.data()) << tensor;
    EXPECT_LE(view.data + view.bytes(), bytes.data() + bytes.size()) << tensor;
  }
}

struct Tally {
  int opened = 0, refused = 0;
};

class Mutation : public ::testing::Test {
 protected:
  // Opens `target` of the folder, expecting success or an Error that names the folder's path, in
  // time and in memory. Heap may grow to `factor` times the size of all files and 1 MiB.
  void open(const Files& files, const std::string& target, size_t factor) {
    size_t size = 0;
    for (const auto& [name, content] : files) {
      write_file(folder_ / name, content);
      size += content.size();
    }
    const size_t heap_before = heap_used;
    heap_peak = heap_before;
    const auto start = std::chrono::steady_clock::now();
    try {
      const Checkpoint c = open_checkpoint(folder_ / target);
      EXPECT_LE(heap_peak - heap_before, factor * size + (size_t{1} << 20));
      read_everything(c);
      ++tally_.opened;
    } catch (const Error& e) {
      EXPECT_LE(heap_peak - heap_before, factor * size + (size_t{1} << 20));
      EXPECT_NE(std::string(e.what()).find(folder_.path().string()), std::string::npos) << e.what();
      ++tally_.refused;
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    EXPECT_LT(took.count(), 10.0);
  }

  void run(const Files& valid, const std::string& target, int count, size_t factor) {
    open(valid, target, factor);
    ASSERT_EQ(tally_.opened, 1) << "the file is not valid to begin with";
    Rng rng(count);
    for (int i = 0; i < count; ++i) {
      Files files = valid;
      auto file = files.begin();
      std::advance(file, static_cast<long>(rng.below(files.size())));
      mutate(file->first, file->second, rng);
      SCOPED_TRACE(fmt::format("mutation {} of {}", i, file->first));
      open(files, target, factor);
      if (!file->first.ends_with(".json")) parse_from_heap(file->first, file->second);
      if (HasFailure()) return;
    }
    // Mutations that all fail at the first check, or all do nothing, would test little.
    RecordProperty("opened", tally_.opened);
    EXPECT_GT(tally_.opened, count / 20);
    EXPECT_GT(tally_.refused, count / 5);
  }

  TempFolder folder_;
  Tally tally_;
};

constexpr size_t kGgufHeap = 2;
// simdjson takes some 15 times the size of a JSON text.
constexpr size_t kJsonHeap = 24;

TEST_F(Mutation, OfAGgufFile) {
  run(valid_gguf(), "m.gguf", 900, kGgufHeap);
}

TEST_F(Mutation, OfEveryFieldOfAGgufHeader) {
  const Files valid = valid_gguf();
  Rng rng(1);
  int steps = 0;
  for (size_t at = 0; at + 8 < 1000; ++at, ++steps) {
    Files files = valid;
    put_extreme(files["m.gguf"], at, rng);
    SCOPED_TRACE(fmt::format("at byte {}", at));
    open(files, "m.gguf", kGgufHeap);
    parse_from_heap("m.gguf", files["m.gguf"]);
    if (HasFailure()) return;
  }
  EXPECT_GT(steps, 900);
}

TEST_F(Mutation, OfAShardedFolder) {
  run(valid_folder(true), "", 700, kJsonHeap);
}

TEST_F(Mutation, OfAFolderWithOneFile) {
  run(valid_folder(false), "", 700, kJsonHeap);
}

// Many small entries: what the reader keeps of each must not outgrow the file.
TEST_F(Mutation, ManyEntriesStayWithinMemory) {
  testing::Bytes b;
  const int values = 2500, tensors = 2500;  // just within what the file's size allows
  b.gguf_header(tensors, values);
  for (int i = 0; i < values; ++i) {
    b.text(fmt::format("{:x}", i)).put(GgufType::kArray).put(GgufType::kU8).put(uint64_t{0});
  }
  for (int i = 0; i < tensors; ++i) {
    b.gguf_tensor(fmt::format("{:x}", i), {1}, i % 2 == 0 ? 0 : 27, static_cast<uint64_t>(i) * 32);
  }
  b.pad(32).zeros(tensors * 32);
  open({{"many.gguf", b.str()}}, "many.gguf", kGgufHeap);
  EXPECT_EQ(tally_.opened, 1);
}

}  // namespace
}  // namespace minke
