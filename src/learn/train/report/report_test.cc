#include "learn/train/report/report.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "learn/train/report/svg_chart.h"

namespace minke {
namespace {

size_t count(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

// The `d` of the first path.
std::string path_in(const std::string& svg) {
  const size_t begin = svg.find(" d=\"") + 4;
  return svg.substr(begin, svg.find('"', begin) - begin);
}

Chart line(std::vector<std::array<double, 2>> points) {
  return {.id = "x",
          .title = "T",
          .x_label = "step",
          .y_label = "y",
          .series = {{"curve", std::move(points)}}};
}

TEST(ShortNumber, HasUnits) {
  EXPECT_EQ(short_number(0), "0");
  EXPECT_EQ(short_number(0.00123456), "0.001235");
  EXPECT_EQ(short_number(9999), "9999");
  EXPECT_EQ(short_number(12345), "12.35 k");
  EXPECT_EQ(short_number(-2.5e6), "-2.5 M");
  EXPECT_EQ(short_number(1e15), "1000 T");
  EXPECT_EQ(short_number(std::nan("")), "none");
}

TEST(SvgChart, DrawsFromCornerToCorner) {
  const std::string svg = svg_chart(line({{0, 0}, {10, 5}}));
  // Room of 4 % above and none below, where the values begin at 0.
  EXPECT_EQ(path_in(svg), "M58.0 230.0h0L468.0 22.3");
  EXPECT_NE(svg.find("curve: from 0 at step 0 to 5 at 10; lowest 0 at 0, highest 5 at 10."),
            std::string::npos);
  EXPECT_EQ(count(svg, "<tr><td>curve</td>"), 2u);
}

TEST(SvgChart, LeavesGapsAndNothingForNothing) {
  const double none = std::nan("");
  EXPECT_EQ(count(path_in(svg_chart(line({{0, 1}, {1, none}, {2, 2}, {3, 3}}))), "M"), 2u);
  EXPECT_EQ(svg_chart(line({})), "");
  EXPECT_EQ(svg_chart(line({{0, none}})), "");
  Chart log = line({{0, 0}, {1, -1}});
  log.log_y = true;
  EXPECT_EQ(svg_chart(log), "");
}

TEST(SvgChart, OneValueHasAxesToo) {
  for (const double value : {0.0, 3.0, 1e300, -5.0}) {
    const std::string svg = svg_chart(line({{7, value}}));
    EXPECT_EQ(count(path_in(svg), "M"), 1u) << value;
    EXPECT_EQ(svg.find("nan"), std::string::npos) << value;
  }
}

TEST(SvgChart, LogarithmicAxisPutsPowersAtEqualDistances) {
  Chart chart = line({{0, 1}, {1, 10}, {2, 100}});
  chart.log_y = true;
  EXPECT_EQ(path_in(svg_chart(chart)), "M58.0 230.0h0L263.0 122.0L468.0 14.0");
}

TEST(SvgChart, ManyPointsKeepTheirSpikes) {
  std::vector<std::array<double, 2>> points;
  for (int i = 0; i < 100000; ++i) points.push_back({static_cast<double>(i), 1});
  points[77777][1] = 50;
  const std::string path = path_in(svg_chart(line(points)));
  EXPECT_LT(path.size(), 20000u);
  EXPECT_NE(path.find(" 22.1"), std::string::npos) << "the spike's top";
}

TEST(Summarize, CountsEachSittingsThreads) {
  RunRecords records;
  records.sittings = {{.step = 0, .threads = 2, .flops_per_token = 10, .peak_flops = 100},
                      {.step = 1, .threads = 4, .flops_per_token = 10, .peak_flops = 100}};
  records.steps = {{.step = 1, .tokens = 100, .loss = 4, .seconds = 1800},
                   {.step = 2, .tokens = 300, .loss = 2, .seconds = 3600}};
  const RunSummary summary = summarize(records);
  EXPECT_EQ(summary.steps, 2);
  EXPECT_EQ(summary.tokens, 300);
  EXPECT_EQ(summary.core_hours, 5);
  EXPECT_EQ(summary.flops, 3000);
  EXPECT_EQ(summary.train_loss, 2);
  EXPECT_NEAR(*summary.percent_of_peak, 100 * 3000.0 / 540000, 1e-9);
  EXPECT_FALSE(summary.kilowatt_hours);
  records.steps[0].joules = 3.6e6;
  EXPECT_FALSE(summarize(records).kilowatt_hours);
  records.steps[1].joules = 1.8e6;
  EXPECT_EQ(summarize(records).kilowatt_hours, 1.5);
}

TEST(ReportPage, DrawsALineALayerAndTheStages) {
  RunRecords records;
  for (int64_t step = 1; step <= 4; ++step) {
    records.steps.push_back({.step = step,
                             .stage = step / 3,
                             .tokens = step,
                             .loss = 1,
                             .expert_load = {1, 2, 3, 4, 5, 6, 7}});
  }
  const std::string page = report_page(records, {.title = "a & b", .recipe = "x = \"<\""});
  EXPECT_EQ(count(page, "</svg> layer "), 7u);
  EXPECT_EQ(count(page, "stroke-dasharray=\"6 3\""), 2u);  // the seventh line and its legend
  EXPECT_NE(page.find(">stage 2</text>"), std::string::npos);
  EXPECT_NE(page.find("<title>a &amp; b</title>"), std::string::npos);
  EXPECT_NE(page.find("x = &quot;&lt;&quot;"), std::string::npos);
}

}  // namespace
}  // namespace minke
