#include "serve/engine/prompt_cache.h"

#include <algorithm>

#include <fmt/core.h>

#include "base/core/error.h"
#include "base/cpu/isa.h"
#include "base/cpu/memory.h"

namespace minke {
namespace {

// What passes compute, as pages on disk keep it: raised with each change of the bits of rows, so
// that an older program's are not taken for this one's.
constexpr int kRevision = 3;

int64_t pages_for(int64_t tokens) {
  return (tokens + kPageTokens - 1) / kPageTokens;
}

// What need not be computed of a prompt if it is known.
std::span<const int32_t> beginning_of(const EngineRequest& request) {
  return std::span<const int32_t>(request.prompt).first(request.prompt.size() - 1);
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

KvLayout cache_layout(const Model& model, const EngineOptions& options) {
  const DType type = options.session.kv_type;
  if (options.generated_phase == Phase::kDecode) return model.facts().kv.stored_as(type);
  return full_heads_layout(model.facts(), type, select_kernels(options.session.isa));
}

PromptCache::PromptCache(const Model& model, const EngineOptions& options, int64_t context)
    : context_(context),
      pool_(cache_layout(model, options),
            chosen_bytes(cache_layout(model, options), options.cache_bytes, context)) {
  index_.emplace(pool_);
  if (options.store.empty()) return;
  PageStoreOptions store;
  store.folder = options.store;
  store.budget = options.store_bytes;
  store.fingerprint =
      fmt::format("{} {} {}", options.store_name, isa_name(options.session.isa), kRevision);
  store.warn = options.warn;
  // They are the pool's own: what waits costs no memory, and is let go where pages are short.
  store.queue = std::max(store.queue, pages_for(context));
  store_ = std::make_unique<PageStore>(pool_.layout(), std::move(store));
}

int64_t PromptCache::known(const EngineRequest& request) const {
  return index_->known(request.owner, beginning_of(request));
}

std::unique_ptr<KvCache> PromptCache::open(const EngineRequest& request) {
  auto cache = std::make_unique<KvCache>(pool_, context_);
  // Prompts to be scored are computed whole.
  if (request.score_prompt) return cache;
  const std::span<const int32_t> beginning = beginning_of(request);
  const PrefixMatch match = index_->match(request.owner, beginning);
  for (const auto& page : match.pages) cache->append_shared(page);
  if (store_ && append_stored(request, beginning, match.partial_tokens, *cache)) return cache;
  if (match.partial_tokens > 0 && reserve(*cache, match.tokens())) {
    cache->append_copy(*match.partial, match.partial_tokens);
  }
  return cache;
}

bool PromptCache::append_stored(const EngineRequest& request, std::span<const int32_t> beginning,
                                int64_t known, KvCache& cache) {
  const auto most = static_cast<int64_t>(beginning.size());
  const int64_t start = cache.length();
  // Reading a page is not worth it for the few tokens behind a part that is known.
  if (known >= kPageTokens / 2) return false;
  while (cache.length() + kPageTokens <= most) {
    auto page = stored(request, beginning.first(static_cast<size_t>(cache.length() + kPageTokens)));
    if (!page) break;
    cache.append_shared(std::move(page));
  }
  append_stored_part(request, beginning, cache.length() > start ? 0 : known, cache);
  if (cache.length() == start) return false;
  index_->insert(request.owner, beginning.first(static_cast<size_t>(cache.length())), cache);
  return true;
}

void PromptCache::append_stored_part(const EngineRequest& request,
                                     std::span<const int32_t> beginning, int64_t known,
                                     KvCache& cache) {
  const int64_t rest = static_cast<int64_t>(beginning.size()) - cache.length();
  const int64_t most = std::min(rest, kPageTokens - 1) / kStoredTokens * kStoredTokens;
  for (int64_t part = most; part > known; part -= kStoredTokens) {
    const int64_t tokens = cache.length() + part;
    const auto page = stored(request, beginning.first(static_cast<size_t>(tokens)));
    if (!page) continue;
    if (reserve(cache, tokens)) cache.append_copy(*page, part);
    return;
  }
}

std::shared_ptr<const KvPage> PromptCache::stored(const EngineRequest& request,
                                                  std::span<const int32_t> tokens) {
  if (!make_room(1)) return nullptr;
  auto page = store_->get(request.owner, tokens, pool_);
  if (page) ++stored_pages_;
  return page;
}

bool PromptCache::reserve(KvCache& cache, int64_t tokens) {
  const int64_t most = std::min(tokens, cache.capacity());
  if (cache.reserve(most)) return true;
  return make_room(pages_for(most) - cache.pages()) && cache.reserve(most);
}

bool PromptCache::make_room(int64_t pages) {
  while (!index_->make_room(pages)) {
    if (!store_ || !store_->let_go()) return false;
  }
  return true;
}

void PromptCache::keep(const EngineRequest& request, KvCache& cache) {
  const auto prompt = std::span<const int32_t>(request.prompt);
  const bool whole_prompt = cache.length() == static_cast<int64_t>(prompt.size());
  const int64_t full = cache.length() / kPageTokens;
  const int64_t known = cache.shared_pages();
  if (!whole_prompt && full == known) return;
  const auto done = whole_prompt ? prompt : prompt.first(static_cast<size_t>(full * kPageTokens));
  index_->insert(request.owner, done, cache);
  if (!store_) return;
  for (int64_t i = known; i < cache.shared_pages(); ++i) {
    const auto tokens = prompt.first(static_cast<size_t>((i + 1) * kPageTokens));
    store_->put(request.owner, tokens, cache.shared_page(i));
  }
  if (!whole_prompt) return;
  const PrefixMatch match = index_->match(request.owner, prompt);
  const int64_t part = match.partial_tokens / kStoredTokens * kStoredTokens;
  if (part == 0) return;
  const auto whole = static_cast<int64_t>(match.pages.size()) * kPageTokens;
  store_->put(request.owner, prompt.first(static_cast<size_t>(whole + part)), match.partial);
}

void PromptCache::forget() {
  index_.emplace(pool_);
}

void PromptCache::add_stats(EngineStats& stats) const {
  stats.pages = pool_.pages();
  stats.stored_pages = stored_pages_;
}

}  // namespace minke
