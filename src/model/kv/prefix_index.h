#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/kv/kv_cache.h"

namespace minke {

// What is known of the beginning of a sequence.
struct PrefixMatch {
  std::vector<std::shared_ptr<const KvPage>> pages;  // full ones, from position 0 on
  std::shared_ptr<const KvPage> partial;  // the next page, if its first rows match, to be copied
  int64_t partial_tokens = 0;             // how many of them

  int64_t tokens() const {
    return static_cast<int64_t>(pages.size()) * kPageTokens + partial_tokens;
  }
};

// Pages of sequences that were computed, to begin others with: for each owner a tree, whose edges
// are the token ids of a page and are compared in full. Owners see nothing of one another. Pages
// that a prompt does not fill are kept as leaves with fewer tokens; no edge is the beginning of
// another.
// Not for use from several threads.
class PrefixIndex {
 public:
  // Keeps pages of `pool`, which must outlive it.
  explicit PrefixIndex(KvPagePool& pool) : pool_(pool) {}
  ~PrefixIndex();
  PrefixIndex(const PrefixIndex&) = delete;
  PrefixIndex& operator=(const PrefixIndex&) = delete;

  // The longest known beginning of `tokens`, which counts as used. Who needs the last token's
  // logits asks for the tokens before it. The pages stay what they are while the match is held.
  PrefixMatch match(std::string_view owner, std::span<const int32_t> tokens);

  // How many tokens of that are known. Does not count as use.
  int64_t known(std::string_view owner, std::span<const int32_t> tokens) const;

  // Remembers the first tokens.size() rows of `cache`, which must have been computed from `tokens`
  // as a prompt: the same tokens computed one by one have other bits (docs/numerics.md). Full pages
  // become shared; those that are known already take the place of the cache's own, which are given
  // back. The rows of the rest are copied, if a page can be had for them.
  void insert(std::string_view owner, std::span<const int32_t> tokens, KvCache& cache);

  // Forgets pages that nobody else holds and that no other page follows, those that were not used
  // for the longest time first, until the pool has `pages` free ones. False if it cannot.
  bool make_room(int64_t pages);

  int64_t pages() const { return pages_; }
  int64_t bytes() const { return pages_ * pool_.layout().page_bytes(); }

 private:
  using Ids = std::span<const int32_t>;
  struct ById {
    using is_transparent = void;
    bool operator()(Ids a, Ids b) const;
  };
  struct Node;
  using Children = std::map<std::vector<int32_t>, std::unique_ptr<Node>, ById>;
  struct Node {
    Node* parent = nullptr;          // null: the root of an owner
    std::string owner;               // of a root
    Children::const_iterator place;  // among the parent's children
    std::shared_ptr<const KvPage> page;
    int64_t last_used = 0;  // later than that of all children; 0 for a root
    Children children;
  };

  // The child whose ids have the longest beginning in common with `ids`, and how long it is.
  static std::pair<Node*, int64_t> closest(const Node& node, Ids ids);
  // The match, and the node that it ends with; null: none.
  std::pair<PrefixMatch, Node*> find(std::string_view owner, Ids tokens) const;
  Node* root(std::string_view owner);
  Node* add(Node* parent, Ids ids, std::shared_ptr<const KvPage> page);
  Node* insert_page(Node* parent, Ids ids, int64_t first, KvCache& cache);
  std::shared_ptr<const KvPage> copy_rows(const KvCache& cache, int64_t first, int64_t count);
  void remove(Node* leaf);
  void touch(Node* node);

  KvPagePool& pool_;
  std::map<std::string, std::unique_ptr<Node>, std::less<>> roots_;
  std::map<int64_t, Node*> leaves_;  // by last_used
  int64_t clock_ = 0;
  int64_t pages_ = 0;
};

}  // namespace minke
