#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "math/ops/matmul.h"

namespace minke {

// Calls body(group index, first, count) for blocks of rows of every group, `first` counted from the
// group's own first row, in one parallel loop: the rows of many experts are few each.
template <typename Body>
void for_group_blocks(Context& ctx, std::span<const ProductGroup> groups, const Body& body) {
  constexpr int64_t kRows = 64;
  struct Block {
    size_t group;
    int64_t first;
  };
  std::vector<Block> blocks;
  for (size_t i = 0; i < groups.size(); ++i) {
    for (int64_t first = 0; first < groups[i].rows; first += kRows) blocks.push_back({i, first});
  }
  ctx.pool().parallel_for(static_cast<int64_t>(blocks.size()), [&](int64_t task, int) {
    const Block& block = blocks[static_cast<size_t>(task)];
    body(block.group, block.first, std::min(kRows, groups[block.group].rows - block.first));
  });
}

}  // namespace minke
