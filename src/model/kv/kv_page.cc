#include "model/kv/kv_page.h"

#include <mutex>
#include <vector>

#include "base/core/check.h"
#include "base/core/error.h"

namespace minke {

KvLayout KvLayout::stored_as(DType other) const {
  const int block = dtype_info(other).block_elements;
  if (part % block != 0) {
    fail("cache",
         "keys and values of this model cannot be kept as {}: expected heads, or latent and rotary "
         "parts, of a multiple of {} values, found {}",
         dtype_name(other), block, part);
  }
  KvLayout layout = *this;
  layout.type = other;
  return layout;
}

int64_t KvLayout::row_stride() const {
  const DTypeInfo& info = dtype_info(type);
  CHECK(row_bytes() % info.block_bytes == 0);
  return row_bytes() / info.block_bytes * info.block_elements;
}

struct KvPagePool::State {
  mutable std::mutex mutex;
  std::vector<std::unique_ptr<KvPage>> idle;
  int64_t in_use = 0;

  void give_back(KvPage* page) {
    const std::lock_guard lock(mutex);
    --in_use;
    idle.emplace_back(page);  // take() has made room for it
  }
};

KvPagePool::KvPagePool(const KvLayout& layout, int64_t budget)
    : layout_(layout), state_(std::make_shared<State>()) {
  CHECK(layout.layers > 0 && layout.width > 0 && budget >= 0);
  CHECK(layout.width % dtype_info(layout.type).block_elements == 0);
  pages_ = budget / layout.page_bytes();
}

std::shared_ptr<KvPage> KvPagePool::take() {
  std::unique_ptr<KvPage> page;
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->in_use == pages_) return nullptr;
    if (state_->idle.empty()) {
      state_->idle.reserve(static_cast<size_t>(state_->in_use) + 1);
      page = std::make_unique<KvPage>(layout_.page_bytes());
    } else {
      page = std::move(state_->idle.back());
      state_->idle.pop_back();
    }
    ++state_->in_use;
  }
  return {page.release(), [state = state_](KvPage* p) { state->give_back(p); }};
}

int64_t KvPagePool::pages_in_use() const {
  const std::lock_guard lock(state_->mutex);
  return state_->in_use;
}

int64_t KvPagePool::held_bytes() const {
  const std::lock_guard lock(state_->mutex);
  return (state_->in_use + static_cast<int64_t>(state_->idle.size())) * layout_.page_bytes();
}

}  // namespace minke
