#include "model/families/gguf_tensors.h"

#include <cmath>
#include <cstring>
#include <map>
#include <memory>

#include <fmt/core.h>

#include "base/core/rng.h"
#include "base/core/utf8.h"
#include "math/quant/quant.h"
#include "model/families/gguf_config.h"
#include "text/tokenizer/byte_alphabet.h"

namespace minke {
namespace {

// Lists a model's weights as GGUF files have them.
class GgufLister : public WeightVisitor {
 public:
  GgufLister(const ModelFacts& facts, const WeightChanges* changes)
      : facts_(facts), changes_(changes) {}

  void matrix(WeightName name, Tensor& t, const Shape& shape, Need need) override {
    if (need == Need::kRequired || t) add_as_it_is(name, t, shape, true);
  }
  void rotated(WeightName name, Tensor& t, const Shape& shape, int64_t heads) override {
    if (!facts_.permuted_in_gguf) return add_as_it_is(name, t, shape, true);
    const int64_t size = shape.rows() / heads;
    const auto hugging_face_row = [size](int64_t row) { return interleaved_row(row, size); };
    add_rows(name, shape, t.type, hugging_face_row,
             [&t, hugging_face_row, as_file = facts_.gguf_source](int64_t row) {
               return Stored{&t, as_file ? row : hugging_face_row(row)};
             });
  }
  void router(WeightName name, Tensor& t, const Shape& shape) override {
    add_as_it_is(name, t, shape, false);
  }
  void vector(WeightName name, Tensor& t, int64_t n, Need need) override {
    if (need == Need::kRequired || t) add_as_it_is(name, t, {n}, false);
  }
  void experts(Experts& experts, int64_t count, int64_t inner, int64_t dim) override {
    add_stack("gate", experts.gate, {count, inner, dim});
    add_stack("up", experts.up, {count, inner, dim});
    add_stack("down", experts.down, {count, dim, inner});
  }
  void latent_heads(LatentHeads& w, const LatentHeadsShape& s) override {
    const auto change = change_of("kv_b_proj.weight", {s.heads * (s.nope + s.value), s.rank});
    add_keys(w, s, change);
    const auto combined_row = [s](int64_t row) {
      return row / s.value * (s.nope + s.value) + s.nope + row % s.value;
    };
    const Tensor& from = w.kv_b ? w.kv_b : w.v_b;
    ListedTensor values = listed("attn_v_b.weight", {s.heads, s.value, s.rank}, from.type, true);
    values.row = [&w, combined_row](int64_t row) {
      return w.kv_b ? Stored{&w.kv_b, combined_row(row)} : Stored{&w.v_b, row};
    };
    add_changed(std::move(values), change, combined_row);
  }

  std::vector<ListedTensor> tensors;

 private:
  using Stored = ListedTensor::Stored;
  using RowMap = std::function<int64_t(int64_t)>;

  ListedTensor listed(std::string_view name, const Shape& shape, DType type, bool is_matrix) {
    ListedTensor t;
    t.name = full_gguf(name);
    t.shape = shape;
    t.stored_type = type;
    t.is_matrix = is_matrix;
    return t;
  }

  WeightChanges::AddRow change_of(std::string_view name, const Shape& shape) const {
    if (changes_ == nullptr || name.empty()) return {};
    return changes_->of(full_hugging_face(name), shape);
  }

  // Adds `t`, whose row r is row `map(r)` in Hugging Face's layout, with the change.
  void add_changed(ListedTensor t, WeightChanges::AddRow change, RowMap map) {
    if (change) {
      t.compute = [row = t.row, change = std::move(change), map = std::move(map)](int64_t r,
                                                                                  float* out) {
        const Stored stored = row(r);
        decode_stored_row(*stored.tensor, stored.row, out);
        change(map(r), out);
      };
    }
    tensors.push_back(std::move(t));
  }

  void add_rows(WeightName name, const Shape& shape, DType type, RowMap map,
                std::function<Stored(int64_t)> row) {
    ListedTensor t = listed(name.gguf, shape, type, true);
    t.row = std::move(row);
    add_changed(std::move(t), change_of(name.hugging_face, shape), std::move(map));
  }

  void add_as_it_is(WeightName name, Tensor& from, const Shape& shape, bool is_matrix) {
    ListedTensor t = listed(name.gguf, shape, from.type, is_matrix);
    t.row = [&from](int64_t row) { return Stored{&from, row}; };
    add_changed(std::move(t), change_of(name.hugging_face, shape), [](int64_t row) { return row; });
  }

  void add_stack(const char* projection, std::vector<Tensor>& parts, const Shape& shape) {
    const int64_t rows = shape[1];
    const DType type = parts.empty() ? DType::kF32 : parts.front().type;
    ListedTensor t = listed(fmt::format("ffn_{}_exps.weight", projection), shape, type, true);
    t.row = [&parts, rows](int64_t row) {
      return Stored{&parts[static_cast<size_t>(row / rows)], row % rows};
    };
    std::vector<WeightChanges::AddRow> changes;
    bool any = false;
    for (int64_t e = 0; changes_ != nullptr && e < shape[0]; ++e) {
      changes.push_back(
          change_of(fmt::format("experts.{}.{}_proj.weight", e, projection), {rows, shape[2]}));
      any |= static_cast<bool>(changes.back());
    }
    WeightChanges::AddRow all;
    if (any) {
      all = [changes = std::move(changes), rows](int64_t row, float* values) {
        const auto& change = changes[static_cast<size_t>(row / rows)];
        if (change) change(row % rows, values);
      };
    }
    add_changed(std::move(t), std::move(all), [](int64_t row) { return row; });
  }

  // The keys' part of kv_b, transposed head by head.
  void add_keys(LatentHeads& w, const LatentHeadsShape& s, const WeightChanges::AddRow& change) {
    const Tensor& from = w.kv_b ? w.kv_b : w.k_b;
    ListedTensor keys = listed("attn_k_b.weight", {s.heads, s.rank, s.nope}, from.type, true);
    if (w.kv_b || change) {
      keys.together = s.rank;
      keys.compute = [&w, s, change](int64_t first, float* out) {
        const int64_t head = first / s.rank;
        const std::vector<float> block = head_keys(w, s, head, change);
        for (int64_t d = 0; d < s.nope; ++d) {
          for (int64_t c = 0; c < s.rank; ++c) out[c * s.nope + d] = block[d * s.rank + c];
        }
      };
    } else {
      keys.row = [&w](int64_t row) { return Stored{&w.k_b, row}; };
    }
    tensors.push_back(std::move(keys));
  }

  const ModelFacts& facts_;
  const WeightChanges* changes_;
};

// Random values in the place of a model's.
class RandomWeights {
 public:
  explicit RandomWeights(uint64_t seed) : rng_(seed) {}

  std::vector<uint8_t> draw(DType type, const Shape& shape, bool norm) {
    constexpr int64_t kRunBlocks = 64;  // consecutive blocks taken from one place of the pool
    const DTypeInfo& info = dtype_info(type);
    const std::vector<uint8_t>& blocks_of = pool(type, norm ? 0 : shape.last());
    const int64_t blocks = shape.elements() / info.block_elements;
    std::vector<uint8_t> bytes(static_cast<size_t>(blocks * info.block_bytes));
    for (int64_t b = 0; b < blocks; b += kRunBlocks) {
      const int64_t count = std::min(kRunBlocks, blocks - b);
      const auto from = static_cast<int64_t>(rng_.below(kPoolBlocks - kRunBlocks + 1));
      std::memcpy(bytes.data() + b * info.block_bytes, blocks_of.data() + from * info.block_bytes,
                  static_cast<size_t>(count * info.block_bytes));
    }
    return bytes;
  }

 private:
  // Encoded blocks of random values: near 1 for norms (columns 0), else with the standard deviation
  // that keeps a product's variance.
  const std::vector<uint8_t>& pool(DType type, int64_t columns) {
    std::vector<uint8_t>& bytes = pools_[{type, columns}];
    if (!bytes.empty()) return bytes;
    const DTypeInfo& info = dtype_info(type);
    const double mean = columns == 0 ? 1 : 0;
    const double deviation = columns == 0 ? 0.1 : 1 / std::sqrt(static_cast<double>(columns));
    std::vector<float> values(static_cast<size_t>(kPoolBlocks * info.block_elements));
    for (float& v : values) v = static_cast<float>(mean + deviation * rng_.normal());
    bytes.resize(static_cast<size_t>(kPoolBlocks * info.block_bytes));
    encode_row(type, values.data(), static_cast<int64_t>(values.size()), bytes.data());
    return bytes;
  }

  static constexpr int64_t kPoolBlocks = 4096;

  std::map<std::pair<DType, int64_t>, std::vector<uint8_t>> pools_;
  Rng rng_;
};

// A tokenizer of single bytes, padded with unused ids to `vocab`; ids 0 and 1 begin and end a text.
void add_byte_tokenizer(Metadata& metadata, int64_t vocab) {
  constexpr double kNormal = 1, kControl = 3, kUnused = 5;
  MetaArray tokens, types, merges;
  tokens.kind = merges.kind = MetaArray::Kind::kText;
  types.kind = MetaArray::Kind::kInteger;
  const auto add = [&](std::string text, double type) {
    tokens.texts.push_back(std::move(text));
    types.numbers.push_back(type);
  };
  add("<bos>", kControl);
  add("<eos>", kControl);
  for (int byte = 0; byte < 256; ++byte) {
    std::string symbol;
    utf8_append(symbol, byte_symbol(static_cast<uint8_t>(byte)));
    add(std::move(symbol), kNormal);
  }
  while (static_cast<int64_t>(tokens.texts.size()) < vocab) {
    add(fmt::format("[PAD{}]", tokens.texts.size()), kUnused);
  }
  tokens.count = types.count = tokens.texts.size();
  metadata.set("tokenizer.ggml.model", "gpt2");
  metadata.set("tokenizer.ggml.pre", "gpt-2");
  metadata.set("tokenizer.ggml.tokens", std::move(tokens));
  metadata.set("tokenizer.ggml.token_type", std::move(types));
  metadata.set("tokenizer.ggml.merges", std::move(merges));
  metadata.set("tokenizer.ggml.bos_token_id", int64_t{0});
  metadata.set("tokenizer.ggml.eos_token_id", int64_t{1});
  metadata.set("tokenizer.ggml.add_bos_token", true);
}

}  // namespace

std::vector<ListedTensor> list_gguf_tensors(Model& model, const WeightChanges* changes) {
  GgufLister lister(model.facts(), changes);
  model.visit(lister);
  return std::move(lister.tensors);
}

DType gguf_type(const ListedTensor& t, DType wanted) {
  return t.is_matrix ? fitting_type(wanted, t.shape.last()) : DType::kF32;
}

std::vector<TensorToWrite> gguf_tensors(Model& model, DType type) {
  const auto buffer = std::make_shared<std::vector<uint8_t>>();
  std::vector<TensorToWrite> tensors;
  for (ListedTensor& t : list_gguf_tensors(model)) {
    const DType own = gguf_type(t, type);
    tensors.push_back(encoded_tensor(std::move(t), own, model.facts().family, buffer));
  }
  return tensors;
}

void write_random_gguf(Model& model, const std::string& name, DType type, uint64_t seed,
                       const std::filesystem::path& path,
                       const std::function<void(int64_t, int64_t)>& progress) {
  RandomWeights random(seed);
  std::vector<TensorToWrite> tensors;
  int64_t done = 0, total = 0;
  std::vector<uint8_t> bytes;
  for (const ListedTensor& listed : list_gguf_tensors(model)) {
    TensorToWrite t = {listed.name, gguf_type(listed, type), listed.shape, {}};
    total += t.shape.rows() * row_bytes(t.type, t.shape.last());
    const bool norm = !listed.is_matrix && t.shape.rank() == 1;
    t.bytes = [&, own = t.type, shape = t.shape, norm] {
      if (progress) progress(done, total);
      bytes = random.draw(own, shape, norm);
      done += static_cast<int64_t>(bytes.size());
      return std::span<const uint8_t>(bytes);
    };
    tensors.push_back(std::move(t));
  }
  Metadata metadata = gguf_metadata(model, name);
  add_byte_tokenizer(metadata, model.facts().vocab);
  write_gguf(path, metadata, tensors);
}

}  // namespace minke
