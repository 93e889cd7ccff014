#include "model/families/gguf_tensors.h"

#include <cmath>
#include <cstring>
#include <functional>
#include <map>

#include <fmt/core.h>

#include "base/core/check.h"
#include "base/core/rng.h"
#include "base/core/utf8.h"
#include "math/quant/quant.h"
#include "model/families/gguf_config.h"
#include "text/tokenizer/byte_alphabet.h"

namespace minke {
namespace {

// Names and shapes of all tensors; where their values come from is up to the subclasses.
class GgufLister : public WeightVisitor {
 public:
  // `permute`: the model holds the rows of rotated heads half-split, the file wants them
  // interleaved.
  GgufLister(DType type, bool permute) : type_(type), permute_(permute) {}

  void matrix(WeightName name, Tensor& t, const Shape& shape, Need need) override {
    if (need == Need::kRequired || t) add(name.gguf, shape, true, [&t] { return t; });
  }
  void rotated(WeightName name, Tensor& t, const Shape& shape, int64_t heads) override {
    add(name.gguf, shape, true,
        [&t, heads, permute = permute_] { return permute ? interleaved_rows(t, heads) : t; });
  }
  void router(WeightName name, Tensor& t, const Shape& shape) override {
    add(name.gguf, shape, false, [&t] { return t; });
  }
  void vector(WeightName name, Tensor& t, int64_t n, Need need) override {
    if (need == Need::kRequired || t) add(name.gguf, {n}, false, [&t] { return t; });
  }
  void experts(Experts& experts, int64_t count, int64_t inner, int64_t dim) override {
    const auto stack = [&](const char* name, std::vector<Tensor>& parts, const Shape& shape) {
      add(name, shape, true, [&parts, shape] { return stacked(parts, shape); });
    };
    stack("ffn_gate_exps.weight", experts.gate, {count, inner, dim});
    stack("ffn_up_exps.weight", experts.up, {count, inner, dim});
    stack("ffn_down_exps.weight", experts.down, {count, dim, inner});
  }
  void latent_heads(LatentHeads& w, const LatentHeadsShape& s) override {
    add("attn_k_b.weight", {s.heads, s.rank, s.nope}, true,
        [&w, s] { return w.kv_b ? transposed_keys(w.kv_b, s) : w.k_b; });
    add("attn_v_b.weight", {s.heads, s.value, s.rank}, true,
        [&w, s] { return w.kv_b ? value_rows(w.kv_b, s) : w.v_b; });
  }

  std::vector<TensorToWrite> tensors;

 protected:
  using Source = std::function<Tensor()>;
  // The bytes of a tensor of this type and shape; `source` gives the model's values in that shape.
  virtual std::function<std::span<const uint8_t>()> content(DType type, const Shape& shape,
                                                            bool is_matrix, Source source) = 0;

 private:
  void add(std::string_view name, const Shape& shape, bool is_matrix, Source source) {
    const DType type = is_matrix ? fitting_type(type_, shape.last()) : DType::kF32;
    tensors.push_back(
        {full_gguf(name), type, shape, content(type, shape, is_matrix, std::move(source))});
  }

  static Tensor stacked(const std::vector<Tensor>& parts, const Shape& shape) {
    Tensor all = Tensor::zeros(DType::kF32, shape);
    for (size_t e = 0; e < parts.size(); ++e) {
      const Tensor values = decode_tensor(parts[e]);
      std::memcpy(all[static_cast<int64_t>(e)].data, values.data,
                  static_cast<size_t>(values.bytes()));
    }
    return all;
  }
  static Tensor transposed_keys(const Tensor& kv_b, const LatentHeadsShape& s) {
    const Tensor from = decode_tensor(kv_b);
    Tensor to = Tensor::zeros(DType::kF32, {s.heads, s.rank, s.nope});
    for (int64_t h = 0; h < s.heads; ++h) {
      for (int64_t d = 0; d < s.nope; ++d) {
        const float* row = from.f32() + (h * (s.nope + s.value) + d) * s.rank;
        for (int64_t c = 0; c < s.rank; ++c) to.f32()[(h * s.rank + c) * s.nope + d] = row[c];
      }
    }
    return to;
  }
  static Tensor value_rows(const Tensor& kv_b, const LatentHeadsShape& s) {
    const Tensor from = decode_tensor(kv_b);
    Tensor to = Tensor::zeros(DType::kF32, {s.heads, s.value, s.rank});
    for (int64_t h = 0; h < s.heads; ++h) {
      std::memcpy(to[h].data, from.row(h * (s.nope + s.value) + s.nope),
                  static_cast<size_t>(to[h].bytes()));
    }
    return to;
  }

  // Row 2i+j of a head comes from row j*d/2+i, j in {0, 1}.
  static Tensor interleaved_rows(const Tensor& t, int64_t heads) {
    const Tensor from = decode_tensor(t);
    Tensor to = Tensor::zeros(DType::kF32, t.shape);
    const int64_t size = t.rows() / heads, columns = t.columns();
    for (int64_t r = 0; r < t.rows(); ++r) {
      const int64_t head = r / size, i = r % size / 2, j = r % 2;
      std::memcpy(to.f32() + r * columns, from.f32() + (head * size + j * (size / 2) + i) * columns,
                  static_cast<size_t>(columns) * sizeof(float));
    }
    return to;
  }

  DType type_;
  bool permute_;
};

class LoadedWeights : public GgufLister {
 public:
  using GgufLister::GgufLister;

 protected:
  std::function<std::span<const uint8_t>()> content(DType type, const Shape& shape, bool,
                                                    Source source) override {
    return [type, shape, source = std::move(source), encoded = Tensor{}]() mutable {
      const Tensor values = source();
      CHECK(values.shape == shape);
      encoded = encode_tensor(values, type);
      return std::span<const uint8_t>(encoded.data, static_cast<size_t>(encoded.bytes()));
    };
  }
};

class RandomWeights : public GgufLister {
 public:
  RandomWeights(DType type, uint64_t seed) : GgufLister(type, false), rng_(seed) {}

 protected:
  std::function<std::span<const uint8_t>()> content(DType type, const Shape& shape, bool is_matrix,
                                                    Source) override {
    const bool norm = !is_matrix && shape.rank() == 1;
    return [this, type, shape, norm, bytes = std::vector<uint8_t>()]() mutable {
      bytes = draw(type, shape, norm);
      return std::span<const uint8_t>(bytes);
    };
  }

 private:
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

std::vector<TensorToWrite> gguf_tensors(Model& model, DType type) {
  const ModelFacts& facts = model.facts();
  LoadedWeights lister(type, facts.permuted_in_gguf && !facts.gguf_source);
  model.visit(lister);
  return std::move(lister.tensors);
}

void write_random_gguf(Model& model, const std::string& name, DType type, uint64_t seed,
                       const std::filesystem::path& path,
                       const std::function<void(int64_t, int64_t)>& progress) {
  RandomWeights lister(type, seed);
  model.visit(lister);
  int64_t done = 0, total = 0;
  for (TensorToWrite& t : lister.tensors) {
    total += t.shape.rows() * row_bytes(t.type, t.shape.last());
    t.bytes = [&, draw = std::move(t.bytes)] {
      if (progress) progress(done, total);
      const auto bytes = draw();
      done += static_cast<int64_t>(bytes.size());
      return bytes;
    };
  }
  Metadata metadata = gguf_metadata(model, name);
  add_byte_tokenizer(metadata, model.facts().vocab);
  write_gguf(path, metadata, lister.tensors);
}

}  // namespace minke
