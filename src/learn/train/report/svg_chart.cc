#include "learn/train/report/svg_chart.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "learn/train/report/html_page.h"

namespace minke {
namespace {

// In units of the view box, which is small enough that its texts are readable on a phone.
constexpr double kWidth = 480, kHeight = 270;
constexpr double kLeft = 58, kRight = 12, kTop = 14, kBottom = 40;
constexpr double kPlotWidth = kWidth - kLeft - kRight;
constexpr double kPlotHeight = kHeight - kTop - kBottom;
constexpr size_t kColumns = 240;  // of the picture that a long series is drawn in
constexpr size_t kTableRows = 12;
constexpr int kColors = 6;
// Beyond the colours, lines differ by their dashes.
constexpr std::string_view kDashes[] = {"", "6 3", "2 3", "8 3 2 3"};

using Point = std::array<double, 2>;

// One axis: values to view box, and where its ticks are.
struct Axis {
  double low = 0, high = 1;
  bool logarithmic = false;

  double share(double value) const {
    if (logarithmic) return std::log(value / low) / std::log(high / low);
    return (value - low) / (high - low);
  }
  std::vector<double> ticks() const;
};

// Multiples of 1, 2 or 5 times a power of ten.
std::vector<double> linear_ticks(double low, double high) {
  constexpr double kMostTicks = 6;
  const double raw = (high - low) / kMostTicks;
  const double power = std::pow(10, std::floor(std::log10(raw)));
  double step = 10 * power;
  for (const double factor : {5.0, 2.0, 1.0}) {
    if (factor * power >= raw) step = factor * power;
  }
  std::vector<double> ticks;
  const double first = std::ceil(low / step);
  for (int i = 0; (first + i) * step <= high * (1 + 1e-12); ++i)
    ticks.push_back((first + i) * step);
  return ticks;
}

std::vector<double> Axis::ticks() const {
  if (!logarithmic) return linear_ticks(low, high);
  std::vector<double> ticks;
  const int first = static_cast<int>(std::floor(std::log10(low)));
  const int last = static_cast<int>(std::ceil(std::log10(high)));
  const bool few = last - first <= 2;
  for (int power = first; power <= last; ++power) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      const double value = factor * std::pow(10, power);
      if (value >= low && value <= high && (factor == 1 || few)) ticks.push_back(value);
    }
  }
  return ticks;
}

bool drawable(const Point& p, bool logarithmic) {
  return std::isfinite(p[0]) && std::isfinite(p[1]) && (!logarithmic || p[1] > 0);
}

// The axis over dimension `d` of all points; empty if there is none.
std::optional<Axis> axis_of(const Chart& chart, size_t d) {
  Axis axis{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(),
            d == 1 && chart.log_y};
  for (const Series& series : chart.series) {
    for (const Point& p : series.points) {
      if (!drawable(p, chart.log_y)) continue;
      axis.low = std::min(axis.low, p[d]);
      axis.high = std::max(axis.high, p[d]);
    }
  }
  if (axis.low > axis.high) return std::nullopt;
  const double least = std::max(1e-12, std::abs(axis.high) * 1e-6);
  if (axis.high - axis.low < least) {
    // One value only: some room around it.
    const double room = std::max(least, std::abs(axis.high) * 0.1);
    axis.low = axis.logarithmic ? axis.low * 0.5 : axis.low - room;
    axis.high = axis.logarithmic ? axis.high * 2 : axis.high + room;
  } else if (d == 1 && !axis.logarithmic) {
    const double room = (axis.high - axis.low) * 0.04;
    axis.low = axis.low >= 0 ? std::max(0.0, axis.low - room) : axis.low - room;
    axis.high += room;
  }
  return axis;
}

// The least and the largest of every run of points, in their order; gaps stay.
std::vector<Point> thinned(const std::vector<Point>& points, bool logarithmic) {
  if (points.size() <= 2 * kColumns) return points;
  std::vector<Point> kept;
  for (size_t column = 0; column < kColumns; ++column) {
    const size_t begin = column * points.size() / kColumns;
    const size_t end = (column + 1) * points.size() / kColumns;
    size_t least = end, most = end, gap = end;
    for (size_t i = begin; i < end; ++i) {
      if (!drawable(points[i], logarithmic)) {
        gap = i;
        continue;
      }
      if (least == end || points[i][1] < points[least][1]) least = i;
      if (most == end || points[i][1] > points[most][1]) most = i;
    }
    std::array<size_t, 3> order = {least, most, gap};
    std::ranges::sort(order);
    for (size_t i = 0; i < order.size(); ++i) {
      if (order[i] < end && (i == 0 || order[i] != order[i - 1])) kept.push_back(points[order[i]]);
    }
  }
  return kept;
}

std::string path_of(const Series& series, const Axis& x, const Axis& y) {
  std::string path;
  bool drawing = false;
  std::vector<Point> points = thinned(series.points, y.logarithmic);
  for (size_t i = 0; i < points.size(); ++i) {
    if (!drawable(points[i], y.logarithmic)) {
      drawing = false;
      continue;
    }
    const double px = kLeft + x.share(points[i][0]) * kPlotWidth;
    const double py = kTop + (1 - y.share(points[i][1])) * kPlotHeight;
    path += fmt::format("{}{:.1f} {:.1f}", drawing ? 'L' : 'M', px, py);
    // A point with no neighbour would not be seen; round line ends make it a dot.
    if (!drawing) path += "h0";
    drawing = true;
  }
  return path;
}

std::string axes_svg(const Chart& chart, const Axis& x, const Axis& y) {
  std::string svg;
  for (const double tick : y.ticks()) {
    const double py = kTop + (1 - y.share(tick)) * kPlotHeight;
    svg += fmt::format("<line class=\"grid\" x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>",
                       kLeft, kWidth - kRight, py, py);
    svg += fmt::format("<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n", kLeft - 6,
                       py + 4, short_number(tick));
  }
  for (const double tick : x.ticks()) {
    svg +=
        fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
                    kLeft + x.share(tick) * kPlotWidth, kHeight - kBottom + 17, short_number(tick));
  }
  for (const Mark& mark : chart.marks) {
    if (mark.x < x.low || mark.x > x.high) continue;
    const double px = kLeft + x.share(mark.x) * kPlotWidth;
    svg += fmt::format(
        "<line class=\"mark\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{}\" y2=\"{}\"/>"
        "<text x=\"{:.1f}\" y=\"{}\">{}</text>\n",
        px, px, kTop, kHeight - kBottom, px + 3, kTop + 10, html_escape(mark.name));
  }
  svg += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
                     kLeft + kPlotWidth / 2, kHeight - 6, html_escape(chart.x_label));
  return svg;
}

std::string line_class(size_t index) {
  return fmt::format("s{}", index % kColors);
}

std::string dash_of(size_t index) {
  const auto dash = kDashes[index / kColors % std::size(kDashes)];
  return dash.empty() ? "" : fmt::format(" stroke-dasharray=\"{}\"", dash);
}

// From where to where each series goes, in words.
std::string description(const Chart& chart) {
  std::string text;
  for (const Series& series : chart.series) {
    std::vector<Point> points;
    for (const Point& p : series.points) {
      if (drawable(p, chart.log_y)) points.push_back(p);
    }
    if (points.empty()) continue;
    const auto y = [](const Point& p) { return p[1]; };
    const Point& least = *std::ranges::min_element(points, {}, y);
    const Point& most = *std::ranges::max_element(points, {}, y);
    text += fmt::format("{}: from {} at {} {} to {} at {}; lowest {} at {}, highest {} at {}. ",
                        series.name, short_number(points.front()[1]), chart.x_label,
                        short_number(points.front()[0]), short_number(points.back()[1]),
                        short_number(points.back()[0]), short_number(least[1]),
                        short_number(least[0]), short_number(most[1]), short_number(most[0]));
  }
  return text;
}

std::string legend(const Chart& chart) {
  if (chart.series.size() < 2) return "";
  std::string html = "<ul class=\"legend\">";
  for (size_t i = 0; i < chart.series.size(); ++i) {
    html += fmt::format(
        "<li><svg width=\"26\" height=\"8\" aria-hidden=\"true\"><line class=\"{}\" x1=\"1\" "
        "x2=\"25\" y1=\"4\" y2=\"4\"{}/></svg> {}</li>",
        line_class(i), dash_of(i), html_escape(chart.series[i].name));
  }
  return html + "</ul>\n";
}

// Some points of each series, below each other: their x need not be the same.
std::string table(const Chart& chart) {
  std::string html = fmt::format(
      "<details><summary>Values</summary><div class=\"wide\"><table><thead><tr>"
      "<th scope=\"col\">curve</th><th scope=\"col\">{}</th><th scope=\"col\">{}</th></tr>"
      "</thead><tbody>\n",
      html_escape(chart.x_label), html_escape(chart.y_label));
  for (const Series& series : chart.series) {
    const size_t count = std::min(series.points.size(), kTableRows);
    for (size_t row = 0; row < count; ++row) {
      const size_t i = count == 1 ? 0 : row * (series.points.size() - 1) / (count - 1);
      const Point& p = series.points[i];
      html += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td></tr>\n", html_escape(series.name),
                          short_number(p[0]), short_number(p[1]));
    }
  }
  return html + "</tbody></table></div></details>\n";
}

}  // namespace

std::string short_number(double value) {
  if (!std::isfinite(value)) return "none";
  struct Unit {
    double size;
    const char* name;
  };
  constexpr Unit kUnits[] = {{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e4, "k"}};
  for (const Unit& unit : kUnits) {
    if (std::abs(value) < unit.size) continue;
    return fmt::format("{:.4g} {}", value / (unit.size == 1e4 ? 1e3 : unit.size), unit.name);
  }
  return fmt::format("{:.4g}", std::abs(value) < 1e-15 ? 0.0 : value);
}

std::string svg_chart(const Chart& chart) {
  const auto x = axis_of(chart, 0), y = axis_of(chart, 1);
  if (!x || !y) return "";
  std::string html = fmt::format(
      "<figure><figcaption>{}</figcaption>\n"
      "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-labelledby=\"{}-title {}-desc\">"
      "<title id=\"{}-title\">{}</title><desc id=\"{}-desc\">{}</desc>\n",
      html_escape(chart.title), kWidth, kHeight, chart.id, chart.id, chart.id,
      html_escape(chart.title), chart.id, html_escape(description(chart)));
  html += axes_svg(chart, *x, *y);
  for (size_t i = 0; i < chart.series.size(); ++i) {
    html += fmt::format("<path class=\"{}\" d=\"{}\"{}/>\n", line_class(i),
                        path_of(chart.series[i], *x, *y), dash_of(i));
  }
  return html + "</svg>\n" + legend(chart) + table(chart) + "</figure>\n";
}

std::string_view chart_style() {
  return R"(:root{--s0:#1f6db5;--s1:#c2540a;--s2:#23824a;--s3:#7446ad;--s4:#b0304a;--s5:#0d7780;
  --grid:#e2e2e2}
@media(prefers-color-scheme:dark){:root{--s0:#6cb0f5;--s1:#f5a35e;--s2:#66c98a;--s3:#bb9bec;
  --s4:#f28a9b;--s5:#58c6cf;--grid:#3a3a3a}}
figure{margin:0;min-width:0}figure svg[role]{width:100%;height:auto;display:block}
svg text{font:12px system-ui,sans-serif;fill:currentColor}
svg path,.legend line{fill:none;stroke-width:1.6;stroke-linecap:round;stroke-linejoin:round}
svg .grid{stroke:var(--grid)}svg .mark{stroke:currentColor;stroke-dasharray:3 3;opacity:.5}
.s0{stroke:var(--s0)}.s1{stroke:var(--s1)}.s2{stroke:var(--s2)}
.s3{stroke:var(--s3)}.s4{stroke:var(--s4)}.s5{stroke:var(--s5)}
.legend{list-style:none;padding:0;margin:.2rem 0;display:flex;flex-wrap:wrap;gap:.2rem 1rem;
  font-size:.85rem}
)";
}

}  // namespace minke
