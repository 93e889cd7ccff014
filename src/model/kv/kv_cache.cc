#include "model/kv/kv_cache.h"

#include <cstring>

#include "base/core/check.h"

namespace minke {
namespace {

// A pool with pages for `capacity` tokens.
std::unique_ptr<KvPagePool> pool_for(const KvLayout& layout, int64_t capacity) {
  CHECK(capacity > 0);
  const int64_t pages = (capacity - 1) / kPageTokens + 1;
  return std::make_unique<KvPagePool>(layout, pages * layout.page_bytes());
}

}  // namespace

KvCache::KvCache(std::unique_ptr<KvPagePool> own_pool, KvPagePool* pool, int64_t capacity)
    : own_pool_(std::move(own_pool)),
      pool_(own_pool_ ? own_pool_.get() : pool),
      capacity_(capacity) {
  CHECK(capacity > 0);
}

KvCache::KvCache(const KvLayout& layout, int64_t capacity)
    : KvCache(pool_for(layout, capacity), nullptr, capacity) {}

KvCache::KvCache(KvPagePool& pool, int64_t capacity) : KvCache(nullptr, &pool, capacity) {}

bool KvCache::reserve(int64_t tokens) {
  CHECK(tokens >= 0 && tokens <= capacity_);
  const size_t before = own_.size();
  while (reserved() < tokens) {
    std::shared_ptr<KvPage> page = pool_->take();
    if (page == nullptr) {
      own_.resize(before);
      return false;
    }
    own_.push_back(std::move(page));
  }
  return true;
}

const KvPage& KvCache::page(int64_t i) const {
  CHECK(i >= 0 && i < pages());
  const auto at = static_cast<size_t>(i);
  return at < shared_.size() ? *shared_[at] : *own_[at - shared_.size()];
}

const uint8_t* KvCache::row(int layer, int64_t position) const {
  return page(position / kPageTokens).data() +
         layout().offset_in_page(layer, position % kPageTokens);
}

uint8_t* KvCache::new_row(int layer, int64_t position) {
  CHECK(position >= length_ && position < capacity_);
  if (position >= reserved()) CHECK(own_pool_ != nullptr && reserve(position + 1));
  KvPage& own = *own_[static_cast<size_t>(position / kPageTokens - shared_pages())];
  return own.data() + layout().offset_in_page(layer, position % kPageTokens);
}

std::vector<const uint8_t*> KvCache::chunks(int layer, int64_t tokens) const {
  std::vector<const uint8_t*> firsts;
  for (int64_t t = 0; t < tokens; t += kPageTokens) firsts.push_back(row(layer, t));
  return firsts;
}

void KvCache::advance(int64_t count) {
  CHECK(count >= 0 && length_ + count <= capacity_ && length_ + count <= reserved());
  length_ += count;
}

void KvCache::truncate(int64_t length) {
  CHECK(length >= shared_tokens() && length <= length_);
  length_ = length;
}

void KvCache::clear() {
  length_ = 0;
  shared_.clear();
  own_.clear();
}

void KvCache::append_shared(std::shared_ptr<const KvPage> page) {
  CHECK(page != nullptr && page->bytes() == layout().page_bytes());
  CHECK(own_.empty() && length_ == shared_tokens() && length_ + kPageTokens <= capacity_);
  shared_.push_back(std::move(page));
  length_ += kPageTokens;
}

void KvCache::append_copy(const KvPage& page, int64_t tokens) {
  CHECK(page.bytes() == layout().page_bytes());
  CHECK(length_ % kPageTokens == 0 && tokens > 0 && tokens <= kPageTokens);
  for (int layer = 0; layer < layout().layers; ++layer) {
    std::memcpy(new_row(layer, length_), page.data() + layout().offset_in_page(layer, 0),
                static_cast<size_t>(tokens * layout().row_bytes()));
  }
  advance(tokens);
}

const std::shared_ptr<const KvPage>& KvCache::share_page() {
  CHECK(!own_.empty() && length_ >= shared_tokens() + kPageTokens);
  shared_.push_back(std::move(own_.front()));
  own_.erase(own_.begin());
  return shared_.back();
}

void KvCache::exchange_page(std::shared_ptr<const KvPage> equal) {
  CHECK(equal != nullptr && equal->bytes() == layout().page_bytes());
  share_page();
  shared_.back() = std::move(equal);
}

}  // namespace minke
