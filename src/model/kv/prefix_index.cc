#include "model/kv/prefix_index.h"

#include <algorithm>
#include <cstring>

#include "base/core/check.h"

namespace minke {
namespace {

int64_t common_length(std::span<const int32_t> a, std::span<const int32_t> b) {
  return std::ranges::mismatch(a, b).in1 - a.begin();
}

bool begins_with(std::span<const int32_t> ids, std::span<const int32_t> beginning) {
  return common_length(ids, beginning) == static_cast<int64_t>(beginning.size());
}

}  // namespace

bool PrefixIndex::ById::operator()(Ids a, Ids b) const {
  return std::ranges::lexicographical_compare(a, b);
}

// Leaf by leaf: a tree is as deep as its sequences have pages.
PrefixIndex::~PrefixIndex() {
  while (!leaves_.empty()) remove(leaves_.begin()->second);
}

PrefixIndex::Node* PrefixIndex::root(std::string_view owner) {
  const auto found = roots_.find(owner);
  if (found != roots_.end()) return found->second.get();
  auto made = std::make_unique<Node>();
  made->owner = owner;
  return roots_.emplace(owner, std::move(made)).first->second.get();
}

// In the order of ids, what has most in common with some stands beside them.
std::pair<PrefixIndex::Node*, int64_t> PrefixIndex::closest(const Node& node, Ids ids) {
  std::pair<Node*, int64_t> best{nullptr, 0};
  const auto look_at = [&](const Children::value_type& child) {
    const int64_t common = common_length(child.first, ids);
    if (common > best.second) best = {child.second.get(), common};
  };
  const auto behind = node.children.lower_bound(ids);
  if (behind != node.children.end()) look_at(*behind);
  if (behind != node.children.begin()) look_at(*std::prev(behind));
  return best;
}

std::pair<PrefixMatch, PrefixIndex::Node*> PrefixIndex::find(std::string_view owner,
                                                             Ids tokens) const {
  PrefixMatch found;
  const auto root = roots_.find(owner);
  if (root == roots_.end()) return {found, nullptr};
  Node* node = root->second.get();
  while (!tokens.empty()) {
    const Ids ids = tokens.first(std::min<size_t>(tokens.size(), kPageTokens));
    const auto [child, common] = closest(*node, ids);
    if (child == nullptr) break;
    node = child;
    if (common < kPageTokens) {
      found.partial = child->page;
      found.partial_tokens = common;
      break;
    }
    found.pages.push_back(child->page);
    tokens = tokens.subspan(ids.size());
  }
  return {std::move(found), node};
}

PrefixMatch PrefixIndex::match(std::string_view owner, Ids tokens) {
  auto [found, node] = find(owner, tokens);
  if (node != nullptr) touch(node);
  return std::move(found);
}

int64_t PrefixIndex::known(std::string_view owner, Ids tokens) const {
  return find(owner, tokens).first.tokens();
}

void PrefixIndex::insert(std::string_view owner, Ids tokens, KvCache& cache) {
  const auto count = static_cast<int64_t>(tokens.size());
  CHECK(count <= cache.length() && cache.layout() == pool_.layout());
  const int64_t full = count - count % kPageTokens;
  const bool known = match(owner, tokens).tokens() == count;
  // Before the walk, because it may take nodes away to have a page.
  const auto rest = known || full == count ? nullptr : copy_rows(cache, full, count - full);
  if (full == 0 && rest == nullptr) return;
  Node* node = root(owner);
  for (int64_t first = 0; first < full; first += kPageTokens) {
    node = insert_page(node, tokens.subspan(static_cast<size_t>(first), kPageTokens), first, cache);
  }
  if (rest != nullptr) node = add(node, tokens.subspan(static_cast<size_t>(full)), rest);
  touch(node);
}

// The cache's page from position `first` on.
PrefixIndex::Node* PrefixIndex::insert_page(Node* parent, Ids ids, int64_t first, KvCache& cache) {
  const int64_t page = first / kPageTokens;
  const bool shared = page < cache.shared_pages();
  const auto known = parent->children.find(ids);
  if (known == parent->children.end()) {
    return add(parent, ids, shared ? cache.shared_page(page) : cache.share_page());
  }
  if (!shared) cache.exchange_page(known->second->page);
  return known->second.get();
}

// A copy, because the cache goes on writing into its page. Null if no page can be had.
std::shared_ptr<const KvPage> PrefixIndex::copy_rows(const KvCache& cache, int64_t first,
                                                     int64_t count) {
  const std::shared_ptr<KvPage> copy = make_room(1) ? pool_.take() : nullptr;
  if (copy == nullptr) return nullptr;
  const KvLayout& layout = pool_.layout();
  for (int layer = 0; layer < layout.layers; ++layer) {
    std::memcpy(copy->data() + layout.offset_in_page(layer, 0), cache.row(layer, first),
                static_cast<size_t>(count * layout.row_bytes()));
  }
  return copy;
}

PrefixIndex::Node* PrefixIndex::add(Node* parent, Ids ids, std::shared_ptr<const KvPage> page) {
  if (parent->children.empty()) leaves_.erase(parent->last_used);
  auto made = std::make_unique<Node>();
  Node* node = made.get();
  node->parent = parent;
  node->page = std::move(page);
  node->last_used = ++clock_;
  const std::vector<int32_t> key(ids.begin(), ids.end());
  const auto place = parent->children.emplace(key, std::move(made)).first;
  node->place = place;
  leaves_.emplace(node->last_used, node);
  ++pages_;
  // A leaf with fewer tokens, which begin the new ones, has become useless.
  if (place != parent->children.begin() && begins_with(ids, std::prev(place)->first)) {
    remove(std::prev(place)->second.get());
  }
  return node;
}

void PrefixIndex::remove(Node* leaf) {
  Node* parent = leaf->parent;
  leaves_.erase(leaf->last_used);
  parent->children.erase(leaf->place);
  --pages_;
  if (!parent->children.empty()) return;
  if (parent->parent != nullptr) {
    leaves_.emplace(parent->last_used, parent);
  } else {
    roots_.erase(roots_.find(parent->owner));
  }
}

void PrefixIndex::touch(Node* node) {
  for (; node->parent != nullptr; node = node->parent) {
    const bool leaf = leaves_.erase(node->last_used) > 0;
    node->last_used = ++clock_;
    if (leaf) leaves_.emplace(node->last_used, node);
  }
}

bool PrefixIndex::make_room(int64_t pages) {
  for (auto it = leaves_.begin(); pool_.free_pages() < pages && it != leaves_.end();) {
    const auto [used, node] = *it;
    if (node->page.use_count() == 1) remove(node);
    it = leaves_.upper_bound(used);
  }
  return pool_.free_pages() >= pages;
}

}  // namespace minke
