#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace minke {

// At most five significant digits, large numbers grouped by k, M, G, T: "0.0012", "3.5", "12.3 k".
std::string short_number(double value);

struct Series {
  std::string name;
  std::vector<std::array<double, 2>> points;  // x ascending; y that is not finite leaves a gap
};

// A vertical line with a name, such as where a stage begins.
struct Mark {
  double x = 0;
  std::string name;
};

struct Chart {
  std::string id;  // of the page; letters only
  std::string title;
  std::string x_label = {}, y_label = {};
  bool log_y = false;  // values that are not above 0 are left out
  std::vector<Series> series = {};
  std::vector<Mark> marks = {};
};

// An HTML figure: an SVG with title and description for screen readers, a legend if there are
// several series, and a table of some of the values. Series of thousands of points are drawn by
// the least and the largest value of each column of the picture. "" if there is nothing to draw.
std::string svg_chart(const Chart& chart);

// The style that the figures need, for light and dark.
std::string_view chart_style();

}  // namespace minke
