#include "serve/engine/prompt_cache.h"

#include <algorithm>

#include "base/core/error.h"
#include "base/cpu/memory.h"

namespace minke {
namespace {

int64_t pages_for(int64_t tokens) {
  return (tokens + kPageTokens - 1) / kPageTokens;
}

// What the sequences and prefixes may have.
int64_t chosen_bytes(const KvLayout& layout, int64_t wanted, int64_t context) {
  const int64_t least = pages_for(context) * layout.page_bytes();
  if (wanted == 0) return std::max(least, available_memory() / 4);
  if (wanted < least) {
    fail("cache", "expected at least {} bytes, for one context of {} tokens, found {}", least,
         context, wanted);
  }
  return wanted;
}

}  // namespace

PromptCache::PromptCache(const Model& model, const EngineOptions& options, int64_t context)
    : context_(context),
      pool_(model.facts().kv.stored_as(options.session.kv_type),
            chosen_bytes(model.facts().kv.stored_as(options.session.kv_type), options.cache_bytes,
                         context)) {
  index_.emplace(pool_);
}

std::unique_ptr<KvCache> PromptCache::open(const EngineRequest& request) {
  auto cache = std::make_unique<KvCache>(pool_, context_);
  // Prompts to be scored are computed whole.
  if (request.score_prompt) return cache;
  const auto beginning = std::span<const int32_t>(request.prompt).first(request.prompt.size() - 1);
  const PrefixMatch match = index_->match(request.owner, beginning);
  for (const auto& page : match.pages) cache->append_shared(page);
  if (match.partial_tokens > 0 && reserve(*cache, match.tokens())) {
    cache->append_copy(*match.partial, match.partial_tokens);
  }
  return cache;
}

bool PromptCache::reserve(KvCache& cache, int64_t tokens) {
  const int64_t most = std::min(tokens, cache.capacity());
  if (cache.reserve(most)) return true;
  return index_->make_room(pages_for(most) - cache.pages()) && cache.reserve(most);
}

void PromptCache::keep(const EngineRequest& request, KvCache& cache) {
  index_->insert(request.owner, request.prompt, cache);
}

void PromptCache::forget() {
  index_.emplace(pool_);
}

void PromptCache::add_stats(EngineStats& stats) const {
  stats.pages = pool_.pages();
  stats.pages_in_use = pool_.pages_in_use() - index_->idle_pages();
  stats.stored_pages = stored_pages_;
}

}  // namespace minke
