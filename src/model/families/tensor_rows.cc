#include "model/families/tensor_rows.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/core/check.h"
#include "base/core/error.h"
#include "math/quant/quant.h"

namespace minke {
namespace {

constexpr int64_t kScaleBlock = 128;      // rows and columns of F8_E4M3 values that share a scale
constexpr int64_t kTaskValues = 1 << 15;  // encoded by a task, at least a row
constexpr float kLargestF16 = 65504;

class Encoder {
 public:
  Encoder(const ListedTensor& listed, DType type, uint8_t* out)
      : listed_(listed),
        type_(type),
        columns_(listed.shape.last()),
        row_bytes_(row_bytes(type, columns_)),
        out_(out) {
    const int64_t rows = listed.shape.rows();
    group_ = listed.together > 1 ? listed.together : std::max<int64_t>(1, kTaskValues / columns_);
    tasks_ = (rows + group_ - 1) / group_;
  }

  int64_t tasks() const { return tasks_; }

  void encode(int64_t task) {
    const int64_t first = task * group_;
    const int64_t end = std::min(listed_.shape.rows(), first + group_);
    std::vector<float> values(static_cast<size_t>(listed_.together * columns_));
    for (int64_t r = first; r < end; r += listed_.together) {
      if (copy(r)) continue;
      fill(r, values.data());
      for (int64_t i = 0; i < listed_.together; ++i) {
        const float* row = values.data() + i * columns_;
        if (!check(r + i, row)) return;
        encode_row(type_, row, columns_, out_ + (r + i) * row_bytes_);
      }
    }
  }

  // A row with a value that cannot be written; -1 if there is none.
  int64_t bad_row() const { return bad_row_; }
  float bad_value() const { return bad_value_; }

 private:
  bool copy(int64_t r) {
    if (listed_.compute) return false;
    const auto stored = listed_.row(r);
    if (stored.tensor->type != type_ || type_ == DType::kF8E4M3) return false;
    std::memcpy(out_ + r * row_bytes_, stored.tensor->row(stored.row),
                static_cast<size_t>(row_bytes_));
    return true;
  }

  void fill(int64_t r, float* values) const {
    if (listed_.compute) return listed_.compute(r, values);
    const auto stored = listed_.row(r);
    decode_stored_row(*stored.tensor, stored.row, values);
  }

  bool check(int64_t r, const float* row) {
    const float most = type_ == DType::kF16 ? kLargestF16 : std::numeric_limits<float>::max();
    for (int64_t c = 0; c < columns_; ++c) {
      if (std::fabs(row[c]) <= most) continue;  // false for NaN
      int64_t none = -1;
      if (bad_row_.compare_exchange_strong(none, r)) bad_value_ = row[c];
      return false;
    }
    return true;
  }

  const ListedTensor& listed_;
  DType type_;
  int64_t columns_, row_bytes_, group_ = 1, tasks_ = 0;
  uint8_t* out_;
  std::atomic<int64_t> bad_row_{-1};
  std::atomic<float> bad_value_{0};
};

}  // namespace

void decode_stored_row(const Tensor& t, int64_t row, float* out) {
  decode_row(t.type, t.row(row), t.columns(), out);
  if (t.block_scales == nullptr) return;
  const int64_t across = (t.columns() + kScaleBlock - 1) / kScaleBlock;
  const float* scales = t.block_scales + row / kScaleBlock * across;
  for (int64_t c = 0; c < t.columns(); ++c) out[c] *= scales[c / kScaleBlock];
}

void run_in_order(int64_t tasks, const std::function<void(int64_t)>& body) {
  for (int64_t task = 0; task < tasks; ++task) body(task);
}

TensorToWrite encoded_tensor(ListedTensor listed, DType type, std::string source,
                             std::shared_ptr<std::vector<uint8_t>> buffer, TaskRunner runner) {
  CHECK(listed.shape.rows() % listed.together == 0);
  TensorToWrite t = {listed.name, type, listed.shape, {}};
  t.bytes = [type, listed = std::move(listed), source = std::move(source),
             buffer = std::move(buffer), runner = std::move(runner)] {
    const int64_t bytes = listed.shape.rows() * row_bytes(type, listed.shape.last());
    buffer->resize(static_cast<size_t>(bytes));
    Encoder encoder(listed, type, buffer->data());
    runner(encoder.tasks(), [&](int64_t task) { encoder.encode(task); });
    if (encoder.bad_row() >= 0) {
      fail(source, "tensor '{}': expected values that {} can hold, found {} in row {}",
           printable(listed.name), dtype_name(type), encoder.bad_value(), encoder.bad_row());
    }
    return std::span<const uint8_t>(*buffer);
  };
  return t;
}

std::vector<float> head_keys(const LatentHeads& w, const LatentHeadsShape& s, int64_t head,
                             const WeightChanges::AddRow& change) {
  const int64_t first = head * (s.nope + s.value);  // of the head's rows in kv_b
  std::vector<float> keys(static_cast<size_t>(s.nope * s.rank));
  if (w.kv_b) {
    for (int64_t d = 0; d < s.nope; ++d) {
      decode_stored_row(w.kv_b, first + d, keys.data() + d * s.rank);
    }
  } else {
    std::vector<float> row(static_cast<size_t>(s.nope));
    for (int64_t c = 0; c < s.rank; ++c) {
      decode_stored_row(w.k_b, head * s.rank + c, row.data());
      for (int64_t d = 0; d < s.nope; ++d) keys[d * s.rank + c] = row[d];
    }
  }
  for (int64_t d = 0; change && d < s.nope; ++d) change(first + d, keys.data() + d * s.rank);
  return keys;
}

}  // namespace minke
