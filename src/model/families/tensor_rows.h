#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "model/formats/write_checkpoint.h"
#include "model/layers/weights.h"

namespace minke {

// What is added to a model's weights while they are written: an adapter that is merged.
class WeightChanges {
 public:
  // Adds to row `row` of the weight; called from several threads.
  using AddRow = std::function<void(int64_t row, float* values)>;

  virtual ~WeightChanges() = default;
  // For the weight that Hugging Face folders call `name`, in their layout; empty: it stays as it
  // is. Throws Error if there is a change of another shape.
  virtual AddRow of(const std::string& name, const Shape& shape) const = 0;
};

// The values of a tensor of a file that is to be written, from where a model has them.
struct ListedTensor {
  // A row that lies in the model as the file will have it.
  struct Stored {
    const Tensor* tensor;
    int64_t row;
  };

  std::string name;
  Shape shape;
  bool is_matrix = false;              // else a vector or a router, written as F32
  DType stored_type = DType::kF32;     // of the values in the model
  std::function<Stored(int64_t)> row;  // empty if rows must be computed together
  // Rows [first, first + together) as floats, if that is more than decoding stored ones. `first` is
  // a multiple of `together`.
  std::function<void(int64_t first, float* out)> compute;
  int64_t together = 1;
};

// Row `row` of `t` as floats, F8_E4M3 with its block scales.
void decode_stored_row(const Tensor& t, int64_t row, float* out);

// Calls body(task) for each task in [0, tasks), perhaps several at a time.
using TaskRunner = std::function<void(int64_t tasks, const std::function<void(int64_t)>& body)>;
void run_in_order(int64_t tasks, const std::function<void(int64_t)>& body);

// `listed` encoded as `type` when its bytes are due, into `buffer`, which the tensors of a file
// share: there is never more than one tensor in memory. Rows that are stored as `type` and do not
// change are copied. Asking for the bytes throws Error, begun by `source` and naming the tensor, if
// a value is not finite or does not fit `type`.
TensorToWrite encoded_tensor(ListedTensor listed, DType type, std::string source,
                             std::shared_ptr<std::vector<uint8_t>> buffer,
                             TaskRunner runner = run_in_order);

// Heads of `size` rows that are rotated. Llama's GGUF files have row 2i+j of a head where Hugging
// Face's have row j*size/2+i, j in {0, 1}: the latter of the former, and the other way round.
inline int64_t interleaved_row(int64_t row, int64_t size) {
  const int64_t in_head = row % size;
  return row - in_head + in_head % 2 * (size / 2) + in_head / 2;
}
inline int64_t half_split_row(int64_t row, int64_t size) {
  const int64_t in_head = row % size, half = size / 2;
  return row - in_head + in_head % half * 2 + in_head / half;
}

// The rows of kv_b that make the keys of a head, [nope, rank], from either form of the weight, with
// the change to kv_b.
std::vector<float> head_keys(const LatentHeads& w, const LatentHeadsShape& shape, int64_t head,
                             const WeightChanges::AddRow& change);

}  // namespace minke
