#include "math/ops/panels.h"

#include <algorithm>
#include <vector>

#include "base/core/check.h"
#include "math/ops/packed_weights.h"

namespace minke {
namespace {

// Inner values of a panel: one of 32 KiB stays in the first-level cache. Part of the definition of
// the result.
constexpr int64_t kInnerRun = 512;
// Most rows of one task: what they have of a run stays in the second-level cache. A whole number of
// panels, and of the tiles of each level.
constexpr int64_t kMostTaskRows = 96;
static_assert(kMostTaskRows % kPanelWidth == 0);

int64_t panels(int64_t rows) {
  return (rows + kPanelWidth - 1) / kPanelWidth;
}

// The first value of run `begin` of panel `p`, in memory that holds run after run, each of `count`
// panels.
int64_t panel_offset(int64_t begin, int64_t inner, int64_t count, int64_t p) {
  return panel_values(kPanelWidth, begin) * count +
         p * panel_values(kPanelWidth, std::min(kInnerRun, inner - begin));
}

void pack_panel(const Kernels& k, const HalfRows& from, int64_t row, int64_t rows, int64_t begin,
                int64_t n, uint16_t* to) {
  const int count = static_cast<int>(std::min<int64_t>(kPanelWidth, rows - row));
  if (from.by_column) {
    k.pack_columns_bf16(from.values + begin * from.stride + row, from.stride, count, n, kPanelWidth,
                        to);
  } else {
    k.pack_rows_bf16(from.values + row * from.stride + begin, from.stride, count, n, to);
  }
}

// Right operands of all products, packed: those of passes without a tape are weights, which may be
// packed already.
std::vector<const uint16_t*> pack_right(Context& ctx, std::span<const PanelProduct> products) {
  PackedWeights* kept = ctx.tape() == nullptr ? ctx.packed_weights() : nullptr;
  struct Part {
    size_t product;
    int64_t begin, panel;
    uint16_t* to;
  };
  std::vector<Part> parts;
  std::vector<const uint16_t*> packed;
  std::vector<PackedWeights::Entry*> filled;
  for (size_t i = 0; i < products.size(); ++i) {
    const PanelProduct& p = products[i];
    CHECK(p.inner > 0);
    const int64_t count = panels(p.columns);
    const int64_t size = count * panel_values(kPanelWidth, p.inner);
    uint16_t* to = nullptr;
    if (kept != nullptr && !p.right.by_column) {
      PackedWeights::Entry& entry = kept->entry(p.right, p.columns, p.inner, size);
      packed.push_back(entry.values);
      if (entry.packed) continue;
      filled.push_back(&entry);
      to = entry.values;
    } else {
      to = ctx.arena().allocate<uint16_t>(size);
      packed.push_back(to);
    }
    for (int64_t begin = 0; begin < p.inner; begin += kInnerRun) {
      for (int64_t panel = 0; panel < count; ++panel) {
        parts.push_back({i, begin, panel, to + panel_offset(begin, p.inner, count, panel)});
      }
    }
  }
  ctx.pool().parallel_for(static_cast<int64_t>(parts.size()), [&](int64_t i, int) {
    const Part& part = parts[static_cast<size_t>(i)];
    const PanelProduct& p = products[part.product];
    pack_panel(ctx.kernels(), p.right, part.panel * kPanelWidth, p.columns, part.begin,
               std::min(kInnerRun, p.inner - part.begin), part.to);
  });
  for (PackedWeights::Entry* entry : filled) entry->packed = true;
  return packed;
}

// Where the rows of a left operand stand, as Kernels::multiply_bf16 takes them.
struct LeftRows {
  const uint16_t* values;
  int64_t row_stride, pair_stride;
};

// Values [begin, begin + n) of rows [row, row + rows) of a left operand: where they are, if pairs
// stand together there, else packed into `scratch`.
LeftRows left_rows(const Kernels& k, const HalfRows& from, int64_t row, int64_t rows, int64_t begin,
                   int64_t n, uint16_t* scratch) {
  if (!from.by_column && n % 2 == 0) {
    return {from.values + row * from.stride + begin, from.stride, 2};
  }
  if (from.by_column && k.transpose_bf16 != nullptr) {
    const int64_t stride = n + n % 2;
    k.transpose_bf16(from.values + begin * from.stride + row, from.stride, static_cast<int>(rows),
                     n, scratch, stride);
    for (int64_t m = 0; n < stride && m < rows; ++m) scratch[m * stride + n] = 0;
    return {scratch, stride, 2};
  }
  if (from.by_column) {
    const auto width = static_cast<int>(panels(rows) * kPanelWidth);
    k.pack_columns_bf16(from.values + begin * from.stride + row, from.stride,
                        static_cast<int>(rows), n, width, scratch);
    return {scratch, 2, 2 * width};
  }
  // An odd number of values: rows with a zero behind them.
  for (int64_t m = 0; m < rows; ++m) {
    std::copy_n(from.values + (row + m) * from.stride + begin, n, scratch + m * (n + 1));
    scratch[m * (n + 1) + n] = 0;
  }
  return {scratch, n + 1, 2};
}

// Rows [row, row + rows) of the columns of panels [first, end) of a product; `scratch` holds
// kMostTaskRows rows of a run.
void multiply_rows(const Kernels& k, const PanelProduct& p, const uint16_t* right, int64_t row,
                   int64_t rows, int64_t first, int64_t end, uint16_t* scratch) {
  const int64_t count = panels(p.columns);
  for (int64_t begin = 0; begin < p.inner; begin += kInnerRun) {
    const int64_t n = std::min(kInnerRun, p.inner - begin);
    const LeftRows left = left_rows(k, p.left, row, rows, begin, n, scratch);
    for (int64_t panel = first; panel < end; ++panel) {
      const int64_t column = panel * kPanelWidth;
      const uint16_t* values = right + panel_offset(begin, p.inner, count, panel);
      for (int64_t m = 0; m < rows; m += k.left_rows) {
        k.multiply_bf16(
            left.values + m * left.row_stride, left.row_stride, left.pair_stride, values,
            (n + 1) / 2, static_cast<int>(std::min<int64_t>(k.left_rows, rows - m)),
            static_cast<int>(std::min<int64_t>(kPanelWidth, p.columns - column)),
            p.add || begin > 0, p.out + (row + m) * p.out_stride + column, p.out_stride);
      }
    }
  }
}

}  // namespace

void multiply_panels(Context& ctx, std::span<const PanelProduct> products) {
  CHECK(ctx.kernels().multiply_bf16 != nullptr);
  const std::vector<const uint16_t*> right = pack_right(ctx, products);
  const int64_t tile = ctx.kernels().left_rows;
  CHECK(kMostTaskRows % tile == 0 && kInnerRun / 2 % ctx.kernels().step_pairs == 0);
  int64_t tiles = 0;
  for (const PanelProduct& p : products) tiles += (p.rows + tile - 1) / tile;
  // Few rows are cut finer, and then columns too, so that every worker has some.
  const int64_t wanted = 4 * ctx.pool().size();
  const int64_t step = std::clamp<int64_t>(tiles / wanted, 1, kMostTaskRows / tile) * tile;
  const int64_t parts = std::max<int64_t>(1, wanted / std::max<int64_t>(1, tiles));
  struct Task {
    size_t product;
    int64_t row, first, end;  // of its rows, and of its panels
  };
  std::vector<Task> tasks;
  for (size_t i = 0; i < products.size(); ++i) {
    const int64_t count = panels(products[i].columns);
    const int64_t width = (count + parts - 1) / parts;
    for (int64_t row = 0; row < products[i].rows; row += step) {
      for (int64_t first = 0; first < count; first += width) {
        tasks.push_back({i, row, first, std::min(first + width, count)});
      }
    }
  }
  constexpr int64_t kLeftValues = kMostTaskRows * (kInnerRun + 2);
  auto* left = ctx.arena().allocate<uint16_t>(ctx.pool().size() * kLeftValues);
  ctx.pool().parallel_for(static_cast<int64_t>(tasks.size()), [&](int64_t i, int worker) {
    const Task& task = tasks[static_cast<size_t>(i)];
    const PanelProduct& p = products[task.product];
    multiply_rows(ctx.kernels(), p, right[task.product], task.row,
                  std::min(step, p.rows - task.row), task.first, task.end,
                  left + worker * kLeftValues);
  });
}

}  // namespace minke
