#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "text/grammar/grammar.h"

namespace minke {

// Runs a grammar over a text, byte by byte. A configuration is all that a text so far can be the
// beginning of: pairs of a state and a node of the stacks. Stacks that end alike share nodes, and
// nodes and configurations with the same content are one, so that the work for a byte is that of a
// table look-up once a configuration has met it.
//
// Not safe to share between threads.
class Recognizer {
 public:
  struct Item {
    int32_t state = 0, node = 0;

    bool operator==(const Item&) const = default;
    auto operator<=>(const Item&) const = default;
  };
  using Items = std::vector<Item>;
  using Config = int32_t;
  static constexpr Config kDead = -1;

  // `bytes` can always be had, one by one: what cannot be finished with them alone is left out of
  // the grammar.
  Recognizer(std::shared_ptr<const Grammar> grammar, const ByteSet& bytes);

  // kDead if no text is left.
  Config start();
  // kDead if no text begins so.
  Config step(Config config, uint8_t byte) {
    const int32_t* next = configs_[static_cast<size_t>(config)].next.get();
    if (next != nullptr && next[byte] != kUnknown) return next[byte];
    return find_step(config, byte);
  }
  // What has been done so far, about 50 ns a unit: states entered, and a part of one for each that
  // was looked at. What a table answers is free.
  int64_t work() const { return work_; }
  bool can_end(Config config) const { return configs_[static_cast<size_t>(config)].done; }

  // The items that wait for a byte, in order. The reference holds until the next call of another
  // function.
  const Items& items(Config config) const { return *configs_[static_cast<size_t>(config)].items; }
  // A configuration with the states of `items` over one and the same unknown stack: it can end
  // where that stack goes on, and what follows then is resume() of the stack's node.
  Config detached(std::span<const Item> items);
  // What follows the end of what was called from `node`; kDead below the root.
  Config resume(int32_t node);

  // How many plain characters (token_trie.h), whichever they are, can follow in `state` without
  // the end of its rule; at most kManyPlain.
  static constexpr int kManyPlain = 32;
  int plain_run(int32_t state);
  // How many plain characters can follow in `state` at most, before the rule can end or call
  // another; kManyPlain + 1 if there may be more, and where an end or a call comes among them.
  int plain_most(int32_t state);

  // Forgets all configurations but `config` and what it needs, and returns its new name, when
  // there are very many; otherwise returns `config`. At most kMaxStacks stacks and kMaxItems items
  // are kept: a grammar of many meanings is thinned to some of them, spread over all.
  static constexpr size_t kMaxStacks = 16, kMaxItems = 4096;
  Config settle(Config config, bool& forgot);

  const Grammar& grammar() const { return *grammar_; }

 private:
  static constexpr int32_t kUnknown = -2;
  static constexpr int kStepsWithoutTable = 4;
  static constexpr size_t kManyConfigs = 8192, kManyNodes = 65536;
  static constexpr size_t kManyKept = size_t{1} << 20;  // items of configurations and seeds

  struct ItemsHash {
    size_t operator()(const Items& items) const;
  };
  struct Entry {
    const Items* items = nullptr;  // the key in config_ids_
    bool done = false;
    uint8_t steps = 0;                // taken without a table
    std::unique_ptr<ByteSet> takes;   // bytes that lead somewhere, made with the first step
    std::unique_ptr<int32_t[]> next;  // by byte, made once the configuration is used often
  };
  struct Node {
    const Items* frames = nullptr;  // where its callers go on; the key in node_ids_
  };

  Config find_step(Config config, uint8_t byte);
  Config follow(Config config, uint8_t byte);
  const ByteSet& takes(Config config);
  // close(), remembered.
  Config closed(Items seeds);
  Config close(Items seeds);
  Config intern(Items items, bool done);
  int32_t intern_node(Items frames);
  Config thinned(Config config);
  Config rebuild(Config config);

  std::shared_ptr<const Grammar> grammar_;
  std::vector<bool> live_;
  // [0]: configurations that cannot end here, [1]: those that can.
  std::array<std::unordered_map<Items, Config, ItemsHash>, 2> config_ids_;
  std::vector<Entry> configs_;
  // What close() made of seeds: bytes of a class share them.
  std::unordered_map<Items, Config, ItemsHash> closed_;
  std::unordered_map<Items, int32_t, ItemsHash> node_ids_;
  std::vector<Node> nodes_;
  int64_t work_ = 0;
  size_t kept_ = 0;                                            // items in config_ids_ and closed_
  std::unordered_map<int32_t, int> plain_runs_, plain_mosts_;  // by state
};

}  // namespace minke
