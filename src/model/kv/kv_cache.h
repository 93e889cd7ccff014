#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "model/kv/kv_page.h"

namespace minke {

// The cache of one sequence, all layers, up to `capacity` tokens: a list of pages. Its first pages
// may be shared with other sequences; those are read-only for good, and all their rows are valid.
// The pages behind them are the cache's own.
class KvCache {
 public:
  // Pages of its own, taken from the system as tokens come.
  KvCache(const KvLayout& layout, int64_t capacity);
  // Pages of `pool`, which must outlive the cache, taken by reserve() alone.
  KvCache(KvPagePool& pool, int64_t capacity);

  const KvLayout& layout() const { return pool_->layout(); }
  int64_t capacity() const { return capacity_; }
  // Tokens whose rows are valid in every layer.
  int64_t length() const { return length_; }
  // Tokens that there are pages for.
  int64_t reserved() const { return pages() * kPageTokens; }
  int64_t pages() const { return shared_pages() + static_cast<int64_t>(own_.size()); }
  int64_t shared_pages() const { return static_cast<int64_t>(shared_.size()); }
  const std::shared_ptr<const KvPage>& shared_page(int64_t i) const {
    return shared_[static_cast<size_t>(i)];
  }

  // Takes pages until there is room for `tokens` in all, at most the capacity. False, and nothing
  // taken, if the pool has not enough of them. Throws Error if the system refuses memory.
  bool reserve(int64_t tokens);

  // Row of token `position` in `layer`, which must be reserved. Rows of a page and layer follow one
  // another, `layout().row_bytes()` each.
  const uint8_t* row(int layer, int64_t position) const;
  // The same of a token that is yet to come, to be written; it is reserved if the pages are the
  // cache's own.
  uint8_t* new_row(int layer, int64_t position);
  // For each kPageTokens of the first `tokens` tokens, their first row in `layer`.
  std::vector<const uint8_t*> chunks(int layer, int64_t tokens) const;

  // Declares the rows of `count` more tokens written in every layer.
  void advance(int64_t count);
  // Forgets the tokens from `length` on, none of them in a shared page. Their pages stay reserved
  // and their rows as they are.
  void truncate(int64_t length);
  // Forgets all tokens and gives all pages back.
  void clear();

  // --- sharing; pages have the layout of the cache ---
  // Appends a page that others have filled. The cache must hold nothing but such pages.
  void append_shared(std::shared_ptr<const KvPage> page);
  // Appends copies of the first `tokens` rows, in every layer, of a page that others have filled.
  // The cache must end with a page, and the rows be reserved.
  void append_copy(const KvPage& page, int64_t tokens);
  // The first page of its own, which must be full, joins the shared ones.
  const std::shared_ptr<const KvPage>& share_page();
  // The same, but the page is given back for `equal`, which holds the same rows.
  void exchange_page(std::shared_ptr<const KvPage> equal);

 private:
  KvCache(std::unique_ptr<KvPagePool> own_pool, KvPagePool* pool, int64_t capacity);
  const KvPage& page(int64_t i) const;
  int64_t shared_tokens() const { return shared_pages() * kPageTokens; }

  std::unique_ptr<KvPagePool> own_pool_;  // null: somebody else's
  KvPagePool* pool_;
  int64_t capacity_;
  int64_t length_ = 0;  // at least shared_tokens()
  std::vector<std::shared_ptr<const KvPage>> shared_;
  std::vector<std::shared_ptr<KvPage>> own_;  // nobody else has a pointer to them
};

}  // namespace minke
