#pragma once

#include <cstdint>
#include <vector>

#include "base/cpu/memory.h"
#include "math/tensor/tensor.h"

namespace minke {

// Half the memory of float32, and half the bytes to read. What it costs: docs/numerics.md.
inline constexpr DType kDefaultKvType = DType::kBF16;

// What a model keeps of one token in one layer: `width` values, F32 or BF16. Grouped-query
// attention: keys of all heads, then values of all heads. Latent attention: the normalised latent,
// then the rotated shared key.
struct KvLayout {
  int layers = 0;
  int64_t width = 0;
  DType type = kDefaultKvType;

  KvLayout stored_as(DType other) const { return {layers, width, other}; }
  int64_t row_bytes() const { return minke::row_bytes(type, width); }
  int64_t bytes_per_token() const { return layers * row_bytes(); }
};

// The cache of one sequence, all layers, up to `capacity` tokens. Memory is taken as tokens come,
// not up front.
class KvCache {
 public:
  // Throws Error if the system refuses the address space.
  KvCache(const KvLayout& layout, int64_t capacity);

  const KvLayout& layout() const { return layout_; }
  int64_t capacity() const { return capacity_; }
  // Tokens whose rows are valid in every layer.
  int64_t length() const { return length_; }

  // Row of token `position` in `layer`; rows of a layer follow one another,
  // `layout().row_bytes()` each.
  uint8_t* row(int layer, int64_t position) {
    return layers_[static_cast<size_t>(layer)].data() + position * layout_.row_bytes();
  }

  // Declares the rows of `count` more tokens written in every layer.
  void advance(int64_t count);
  // Forgets the tokens from `length` on.
  void truncate(int64_t length);

 private:
  KvLayout layout_;
  int64_t capacity_;
  int64_t length_ = 0;
  std::vector<PageBuffer> layers_;
};

}  // namespace minke
