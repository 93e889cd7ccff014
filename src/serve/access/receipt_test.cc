#include "serve/access/receipt.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/core/test_folder.h"

namespace minke {
namespace {

using testing::error_of;
using testing::TempFolder;

const RequestCost kCost{.prompt_tokens = 12,
                        .cached_tokens = 4,
                        .completion_tokens = 40,
                        .cpu_seconds = 1.25,
                        .bytes_read = 3e9,
                        .seconds = 0.5};

TEST(Receipt, SaysWhatIsKnown) {
  const CostBasis basis{
      .read_bandwidth = 1.2e10,
      .joules_per_cpu_second = 8,
      .prices = PriceTable{.currency = "EUR", .input = 1, .cached_input = 0.5, .output = 2}};
  const Receipt receipt = make_receipt(kCost, basis);
  EXPECT_DOUBLE_EQ(*receipt.roofline_percent, 50);
  EXPECT_DOUBLE_EQ(*receipt.joules, 10);
  EXPECT_DOUBLE_EQ(*receipt.price, (8 * 1 + 4 * 0.5 + 40 * 2) / 1e6);
  EXPECT_EQ(receipt_json(receipt).dump(),
            R"({"prompt_tokens":12,"cached_tokens":4,"completion_tokens":40,"cpu_seconds":1.25,)"
            R"("roofline_percent":50.0,"energy_joules":10.0,)"
            R"("cost":{"amount":9e-05,"currency":"EUR"}})");
  EXPECT_EQ(receipt_header(receipt),
            "prompt=12, cached=4, completion=40, cpu=1.250, roofline=50.000, joules=10.000, "
            "cost=\"0.000090000 EUR\"");
}

TEST(Receipt, LeavesOutWhatIsNot) {
  const Receipt receipt = make_receipt(kCost, {});
  EXPECT_EQ(receipt_json(receipt).dump(),
            R"({"prompt_tokens":12,"cached_tokens":4,"completion_tokens":40,"cpu_seconds":1.25})");
  EXPECT_EQ(receipt_header(receipt), "prompt=12, cached=4, completion=40, cpu=1.250");
  RequestCost none;
  EXPECT_FALSE(make_receipt(none, {.read_bandwidth = 1e9}).roofline_percent.has_value());
}

TEST(Prices, AreReadStrictly) {
  const TempFolder folder;
  const auto error = [&](const std::string& text) {
    return error_of([&] { read_prices(folder.file("prices.json", text)); });
  };
  const PriceTable prices = read_prices(
      folder.file("prices.json", R"({"currency":"EUR","input":0.2,"cached_input":0,"output":1})"));
  EXPECT_EQ(prices.currency, "EUR");
  EXPECT_EQ(prices.input, 0.2);
  EXPECT_EQ(prices.cached_input, 0);
  EXPECT_EQ(prices.output, 1);
  EXPECT_EQ(
      read_prices(folder.file("p", R"({"currency":"INR","input":3,"output":1})")).cached_input, 3);
  const std::pair<const char*, const char*> faults[] = {
      {"[]", "expected an object"},
      {R"({"currency":"EUR","input":1})", "expected output"},
      {R"({"input":1,"output":1})", "expected currency"},
      {R"({"currency":"EUR","output":1})", "expected input"},
      {R"({"currency":"euro","input":1,"output":1})", "three capital letters"},
      {R"({"currency":"EUR","input":-1,"output":1})", "input: expected a number from 0"},
      {R"({"currency":"EUR","input":"1","output":1})", "input: expected a number"},
      {R"({"currency":"EUR","input":1e300,"output":1})", "input: expected a number"},
      {R"({"currency":"EUR","input":1,"input":2,"output":1})", "stands twice"},
      {R"({"currency":"EUR","input":1,"output":1,"ouput":1})", "ouput: expected currency"},
  };
  for (const auto& [text, expected] : faults) {
    EXPECT_NE(error(text).find(expected), std::string::npos) << text << ": " << error(text);
  }
}

}  // namespace
}  // namespace minke
