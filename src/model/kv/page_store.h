#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "model/kv/kv_page.h"

namespace minke {

// Pages that a prompt does not fill are kept up to a multiple of as many tokens.
inline constexpr int64_t kStoredTokens = 64;
static_assert(kPageTokens % kStoredTokens == 0);

struct PageStoreOptions {
  std::filesystem::path folder;  // made if it is missing, for its owner's eyes only
  int64_t budget = 0;            // most bytes of the folder's pages
  std::string fingerprint;  // of all that rows depend on besides tokens: model, level of kernels
  int64_t queue = 16;       // pages that may wait to be written
  // Hears why nothing is written, once until it has worked again. Called on the store's thread:
  // must not throw.
  std::function<void(const std::string&)> warn;
  double retry_seconds = 60;  // without an attempt to write after one that failed
};

struct PageStoreStats {
  int64_t hits = 0, misses = 0;
  int64_t broken = 0;  // files that were removed because they are not what they should
  int64_t written = 0, dropped = 0;  // pages put; those that were not written
};

// Pages on disk, which survive the process. A page is found by all that it depends on: fingerprint,
// layout, owner, and the ids of all tokens up to its end. Several processes may share a folder, and
// each may be killed at any instant: files appear whole under a name that follows from their
// content, and disappear whole.
//
// A file <32 hexadecimal digits>.page, little-endian:
//   char[8]      "MINKEKV1"
//   int32[4]     layers, width, DType, tokens of a page
//   uint64[3]    lengths of the fingerprint, of the owner, of the ids
//                fingerprint, owner, int32 ids
//                the page's rows: [layers, tokens, row_bytes]; tokens: as many as the page has of
//                the ids, all of its own or fewer in the last page of a prompt
//   uint64[2]    XXH3 of the rows (128 bits, low half first), its seed the low half of the name
// The name is the XXH3 (128 bits) of what stands before the rows. Ids are the text of what people
// have asked: the folder is as private as they are.
class PageStore {
 public:
  // Throws Error if there can be no such folder.
  PageStore(const KvLayout& layout, PageStoreOptions options);
  // Writes what is queued.
  ~PageStore();

  // Queues the page that ends `tokens`, which begin a sequence of `owner` and are a multiple of
  // kStoredTokens. Of a page that they do not fill, the rows of theirs are written. Never waits: a
  // page that does not fit into the queue is dropped, and so is every page for retry_seconds after
  // one could not be written.
  void put(std::string_view owner, std::span<const int32_t> tokens,
           std::shared_ptr<const KvPage> page);
  // Reads the page that ends `tokens`, with the rows of theirs, into one of `pool`. Null if there
  // is none, if it is not whole and right to the last bit (then it is removed), or if the pool has
  // no page.
  std::shared_ptr<const KvPage> get(std::string_view owner, std::span<const int32_t> tokens,
                                    KvPagePool& pool);
  // Drops, of the pages that wait, the one put last of those that at most one other holds: that are
  // remembered and used by nobody. If none of them waits, but one is being
  // taken to be written, waits for the copy, never for the disk. False: the store holds no page
  // that it could let go. For the thread that puts.
  bool let_go();
  // Waits until all that was put is written or dropped.
  void flush();
  PageStoreStats stats() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace minke
