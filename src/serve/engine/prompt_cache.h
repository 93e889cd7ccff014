#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "model/families/model.h"
#include "model/kv/kv_cache.h"
#include "model/kv/page_store.h"
#include "model/kv/prefix_index.h"
#include "serve/engine/engine.h"

namespace minke {

// The keys and values of all sequences of an engine, and what is remembered of prompts: in memory
// as long as there is room, and in a folder across restarts.
class PromptCache {
 public:
  // Sequences may have `context` tokens; at least one of that length has room. Throws Error if the
  // options' bytes are fewer, or their folder cannot be used.
  PromptCache(const Model& model, const EngineOptions& options, int64_t context);

  // A cache with what is known of the beginning of the request's prompt, never its last token,
  // whose logits are wanted.
  std::unique_ptr<KvCache> open(const EngineRequest& request);
  // Tokens of that beginning which are in memory.
  int64_t known(const EngineRequest& request) const;
  // Pages for `tokens` in all; prefixes that nobody uses make room. False: there are not enough.
  bool reserve(KvCache& cache, int64_t tokens);
  // Remembers what `cache` holds of a prompt, computed as a prompt: full pages as they come, so
  // that the folder gets them one by one, and with the prompt's end the rest.
  void keep(const EngineRequest& request, KvCache& cache);
  // Forgets what is in memory.
  void forget();

  void add_stats(EngineStats& stats) const;

 private:
  // What the folder has behind the pages that `cache` begins with, if it is more than `known`
  // tokens. False: nothing.
  bool append_stored(const EngineRequest& request, std::span<const int32_t> beginning,
                     int64_t known, KvCache& cache);
  // The part of the folder's next page that `beginning` goes on with, of more than `known` tokens.
  void append_stored_part(const EngineRequest& request, std::span<const int32_t> beginning,
                          int64_t known, KvCache& cache);
  // Until the pool has `pages` free ones: forgets prefixes that nobody uses, and takes back those
  // that wait to be written. False if it cannot.
  bool make_room(int64_t pages);
  // A page of the folder, for which prefixes that nobody uses make room.
  std::shared_ptr<const KvPage> stored(const EngineRequest& request,
                                       std::span<const int32_t> tokens);

  int64_t context_;
  KvPagePool pool_;
  std::optional<PrefixIndex> index_;
  std::unique_ptr<PageStore> store_;  // null: none
  int64_t stored_pages_ = 0;
};

}  // namespace minke
