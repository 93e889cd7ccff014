#include "math/ops/panels.h"

#include <algorithm>
#include <vector>

#include "base/core/check.h"

namespace minke {
namespace {

// Inner values of a panel: a wide one of 32 KiB stays in the first-level cache. Part of the
// definition of the result.
constexpr int64_t kInnerRun = 512;
// Most rows of one task, whole thin panels. Their left operand of a run stays in the second-level
// cache.
constexpr int64_t kMostTaskRows = 8 * kThinPanel;

int64_t panels(int64_t rows, int64_t width) {
  return (rows + width - 1) / width;
}

// The first value of run `begin` of panel `p`, in memory that holds run after run, each of `count`
// panels.
int64_t panel_offset(int64_t begin, int64_t inner, int64_t count, int64_t p, int64_t width) {
  return panel_values(width, begin) * count +
         p * panel_values(width, std::min(kInnerRun, inner - begin));
}

void pack(const Kernels& k, const HalfRows& from, int64_t row, int64_t rows, int64_t begin,
          int64_t n, int width, uint16_t* to) {
  const int count = static_cast<int>(std::min<int64_t>(width, rows - row));
  if (from.by_column) {
    k.pack_columns_bf16(from.values + begin * from.stride + row, from.stride, count, n, width, to);
  } else {
    k.pack_rows_bf16(from.values + row * from.stride + begin, from.stride, count, n, width, to);
  }
}

// Right operands of all products, packed.
std::vector<const uint16_t*> pack_right(Context& ctx, std::span<const PanelProduct> products) {
  struct Part {
    size_t product;
    int64_t begin, panel;
    uint16_t* to;
  };
  std::vector<Part> parts;
  std::vector<const uint16_t*> packed;
  for (size_t i = 0; i < products.size(); ++i) {
    const PanelProduct& p = products[i];
    const int64_t count = panels(p.columns, kWidePanel);
    auto* to = ctx.arena().allocate<uint16_t>(count * panel_values(kWidePanel, p.inner));
    packed.push_back(to);
    for (int64_t begin = 0; begin < p.inner; begin += kInnerRun) {
      for (int64_t panel = 0; panel < count; ++panel) {
        parts.push_back(
            {i, begin, panel, to + panel_offset(begin, p.inner, count, panel, kWidePanel)});
      }
    }
  }
  ctx.pool().parallel_for(static_cast<int64_t>(parts.size()), [&](int64_t i, int) {
    const Part& part = parts[static_cast<size_t>(i)];
    const PanelProduct& p = products[part.product];
    pack(ctx.kernels(), p.right, part.panel * kWidePanel, p.columns, part.begin,
         std::min(kInnerRun, p.inner - part.begin), kWidePanel, part.to);
  });
  return packed;
}

// Rows [row, row + rows) of a product; `left` holds kMostTaskRows rows of a run.
void multiply_rows(const Kernels& k, const PanelProduct& p, const uint16_t* right, int64_t row,
                   int64_t rows, uint16_t* left) {
  const int64_t wide = panels(p.columns, kWidePanel);
  for (int64_t begin = 0; begin < p.inner; begin += kInnerRun) {
    const int64_t n = std::min(kInnerRun, p.inner - begin);
    for (int64_t m = 0; m < rows; m += kThinPanel) {
      pack(k, p.left, row + m, row + rows, begin, n, kThinPanel,
           left + m / kThinPanel * panel_values(kThinPanel, n));
    }
    for (int64_t panel = 0; panel < wide; ++panel) {
      const int64_t column = panel * kWidePanel;
      const uint16_t* values = right + panel_offset(begin, p.inner, wide, panel, kWidePanel);
      for (int64_t m = 0; m < rows; m += kThinPanel) {
        k.multiply_bf16(left + m / kThinPanel * panel_values(kThinPanel, n), values, (n + 1) / 2,
                        static_cast<int>(std::min<int64_t>(kThinPanel, rows - m)),
                        static_cast<int>(std::min<int64_t>(kWidePanel, p.columns - column)),
                        p.add || begin > 0, p.out + (row + m) * p.out_stride + column,
                        p.out_stride);
      }
    }
  }
}

}  // namespace

void multiply_panels(Context& ctx, std::span<const PanelProduct> products) {
  CHECK(ctx.kernels().multiply_bf16 != nullptr);
  const std::vector<const uint16_t*> right = pack_right(ctx, products);
  int64_t thin = 0;
  for (const PanelProduct& p : products) thin += panels(p.rows, kThinPanel);
  // Few rows are cut finer, so that every worker has some.
  const int64_t wanted = 4 * ctx.pool().size();
  const int64_t step =
      std::clamp<int64_t>(thin / wanted, 1, kMostTaskRows / kThinPanel) * kThinPanel;
  struct Task {
    size_t product;
    int64_t row;
  };
  std::vector<Task> tasks;
  for (size_t i = 0; i < products.size(); ++i) {
    for (int64_t row = 0; row < products[i].rows; row += step) tasks.push_back({i, row});
  }
  constexpr int64_t kLeftValues = kMostTaskRows * kInnerRun;
  auto* left = ctx.arena().allocate<uint16_t>(ctx.pool().size() * kLeftValues);
  ctx.pool().parallel_for(static_cast<int64_t>(tasks.size()), [&](int64_t i, int worker) {
    const Task& task = tasks[static_cast<size_t>(i)];
    const PanelProduct& p = products[task.product];
    multiply_rows(ctx.kernels(), p, right[task.product], task.row,
                  std::min(step, p.rows - task.row), left + worker * kLeftValues);
  });
}

}  // namespace minke
