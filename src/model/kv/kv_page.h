#pragma once

#include <cstdint>
#include <memory>

#include "base/cpu/memory.h"
#include "math/tensor/tensor.h"

namespace minke {

// Half the memory of float32, and half the bytes to read. What it costs: docs/numerics.md.
inline constexpr DType kDefaultKvType = DType::kBF16;

// Tokens of a page: the keys that attention takes at a time, so that a page is a chunk of it.
inline constexpr int64_t kPageTokens = 256;

// What a model keeps of one token in one layer: `width` values, F32, BF16 or Q8_0. Grouped-query
// attention: keys of all heads, then values of all heads. Latent attention: the normalised latent,
// then the rotated shared key. Behind them `extra_bytes` for what is computed from them alone,
// where it is worth the memory not to compute it again (see full_heads_layout()).
struct KvLayout {
  int layers = 0;
  int64_t width = 0;
  DType type = kDefaultKvType;
  int64_t extra_bytes = 0;
  int64_t part = 1;  // a row's parts, such as heads, begin and end at multiples of so many values

  bool operator==(const KvLayout& other) const = default;
  // Throws Error if a part is not a whole number of blocks of the type.
  KvLayout stored_as(DType other) const;
  // Where in a row the extra bytes begin: a multiple of 64, if there are any.
  int64_t extra_offset() const {
    const int64_t bytes = minke::row_bytes(type, width);
    return extra_bytes == 0 ? bytes : (bytes + 63) / 64 * 64;
  }
  int64_t row_bytes() const { return extra_offset() + extra_bytes; }
  // From one row to the next, in values of `type`; the extra bytes must be a multiple of its block.
  int64_t row_stride() const;
  int64_t bytes_per_token() const { return layers * row_bytes(); }
  int64_t page_bytes() const { return kPageTokens * bytes_per_token(); }
  // Where the row of the page's token `index` in `layer` begins: a page is [layers, kPageTokens,
  // row_bytes()].
  int64_t offset_in_page(int layer, int64_t index) const {
    return (layer * kPageTokens + index) * row_bytes();
  }
};

// Memory for the rows of kPageTokens consecutive tokens of a sequence, all layers. Not cleared
// between sequences: whoever takes it reads only rows that it has written.
class KvPage {
 public:
  // Throws Error if the system refuses.
  explicit KvPage(int64_t bytes) : memory_(static_cast<size_t>(bytes), "key-value cache") {}

  uint8_t* data() { return memory_.data(); }
  const uint8_t* data() const { return memory_.data(); }
  int64_t bytes() const { return static_cast<int64_t>(memory_.size()); }

 private:
  PageBuffer memory_;
};

// Hands out pages of one layout up to a budget, takes back those that nobody holds any more, and
// hands them out again. Memory comes from the system when there is no page to hand out again, and
// stays. Pages may outlive the pool. May be used, and its pages let go, by any thread.
class KvPagePool {
 public:
  // As many pages as fit into `budget` bytes, perhaps none.
  KvPagePool(const KvLayout& layout, int64_t budget);
  KvPagePool(const KvPagePool&) = delete;
  KvPagePool& operator=(const KvPagePool&) = delete;

  const KvLayout& layout() const { return layout_; }
  // Null if all pages are in use. Throws Error if the system refuses the memory of a new one.
  std::shared_ptr<KvPage> take();

  int64_t pages() const { return pages_; }
  int64_t pages_in_use() const;
  int64_t free_pages() const { return pages_ - pages_in_use(); }
  // Bytes held from the system.
  int64_t held_bytes() const;

 private:
  struct State;

  KvLayout layout_;
  int64_t pages_;
  std::shared_ptr<State> state_;  // shared with the pages that are in use
};

}  // namespace minke
