#include "model/convert/hugging_face_tensors.h"

#include <algorithm>

#include <fmt/core.h>

namespace minke {
namespace {

class HuggingFaceLister : public WeightVisitor {
 public:
  HuggingFaceLister(const ModelFacts& facts, const WeightChanges* changes)
      : facts_(facts), changes_(changes) {}

  void matrix(WeightName name, Tensor& t, const Shape& shape, Need) override {
    add(name.hugging_face, t, shape, true);
  }
  void rotated(WeightName name, Tensor& t, const Shape& shape, int64_t heads) override {
    if (!facts_.permuted_in_gguf || !facts_.gguf_source) {
      return add(name.hugging_face, t, shape, true);
    }
    ListedTensor rows = listed(name.hugging_face, shape, t.type, true);
    rows.row = [&t, size = shape.rows() / heads](int64_t row) {
      return Stored{&t, half_split_row(row, size)};
    };
    add_changed(std::move(rows));
  }
  void router(WeightName name, Tensor& t, const Shape& shape) override {
    add(name.hugging_face, t, shape, false);
  }
  void vector(WeightName name, Tensor& t, int64_t n, Need) override {
    add(name.hugging_face, t, {n}, false);
  }
  void experts(Experts& experts, int64_t count, int64_t inner, int64_t dim) override {
    for (int64_t e = 0; e < count; ++e) {
      const auto one = [&](const char* projection, std::vector<Tensor>& parts, const Shape& shape) {
        add(fmt::format("experts.{}.{}_proj.weight", e, projection), parts[static_cast<size_t>(e)],
            shape, true);
      };
      one("gate", experts.gate, {inner, dim});
      one("up", experts.up, {inner, dim});
      one("down", experts.down, {dim, inner});
    }
  }
  void latent_heads(LatentHeads& w, const LatentHeadsShape& s) override {
    const Shape shape = {s.heads * (s.nope + s.value), s.rank};
    if (w.kv_b) return add("kv_b_proj.weight", w.kv_b, shape, true);
    ListedTensor t = listed("kv_b_proj.weight", shape, w.k_b.type, true);
    t.together = s.nope + s.value;
    t.compute = [&w, s, change = change_of(t)](int64_t first, float* out) {
      const int64_t head = first / (s.nope + s.value);
      const std::vector<float> keys = head_keys(w, s, head, change);
      out = std::copy(keys.begin(), keys.end(), out);
      for (int64_t j = 0; j < s.value; ++j, out += s.rank) {
        decode_stored_row(w.v_b, head * s.value + j, out);
        if (change) change(first + s.nope + j, out);
      }
    };
    tensors.push_back(std::move(t));
  }

  std::vector<ListedTensor> tensors;

 private:
  using Stored = ListedTensor::Stored;

  ListedTensor listed(std::string_view name, const Shape& shape, DType type, bool is_matrix) {
    ListedTensor t;
    t.name = full_hugging_face(name);
    t.shape = shape;
    t.stored_type = type;
    t.is_matrix = is_matrix;
    return t;
  }

  WeightChanges::AddRow change_of(const ListedTensor& t) const {
    return changes_ == nullptr ? WeightChanges::AddRow() : changes_->of(t.name, t.shape);
  }

  // What is absent, or has no place in such folders, is passed over.
  void add(std::string_view name, Tensor& from, const Shape& shape, bool is_matrix) {
    if (!from || name.empty()) return;
    ListedTensor t = listed(name, shape, from.type, is_matrix);
    t.row = [&from](int64_t row) { return Stored{&from, row}; };
    add_changed(std::move(t));
  }

  void add_changed(ListedTensor t) {
    if (auto change = change_of(t)) {
      t.compute = [row = t.row, change = std::move(change)](int64_t r, float* out) {
        const Stored stored = row(r);
        decode_stored_row(*stored.tensor, stored.row, out);
        change(r, out);
      };
    }
    tensors.push_back(std::move(t));
  }

  const ModelFacts& facts_;
  const WeightChanges* changes_;
};

}  // namespace

std::vector<ListedTensor> list_hugging_face_tensors(Model& model, const WeightChanges* changes) {
  HuggingFaceLister lister(model.facts(), changes);
  model.visit(lister);
  return std::move(lister.tensors);
}

}  // namespace minke
