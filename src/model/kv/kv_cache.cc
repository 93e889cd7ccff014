#include "model/kv/kv_cache.h"

#include "base/core/check.h"

namespace minke {

KvCache::KvCache(const KvLayout& layout, int64_t capacity) : layout_(layout), capacity_(capacity) {
  CHECK(capacity > 0 && layout.width > 0);
  CHECK(layout.type == DType::kF32 || layout.type == DType::kBF16);
  const auto bytes = static_cast<size_t>(capacity * layout.row_bytes());
  for (int i = 0; i < layout.layers; ++i) layers_.emplace_back(bytes, "kv cache");
}

void KvCache::advance(int64_t count) {
  CHECK(count >= 0 && length_ + count <= capacity_);
  length_ += count;
}

void KvCache::truncate(int64_t length) {
  CHECK(length >= 0 && length <= length_);
  length_ = length;
}

}  // namespace minke
