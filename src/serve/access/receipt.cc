#include "serve/access/receipt.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <nlohmann/json.hpp>

#include "base/core/check.h"
#include "base/core/error.h"
#include "base/core/json.h"

namespace minke {
namespace {

constexpr double kMillion = 1e6;
constexpr double kMostPrice = 1e9;

void read_price(simdjson::dom::element value, const std::string& where, double& price) {
  if (value.get(price) != simdjson::SUCCESS || !(price >= 0 && price <= kMostPrice)) {
    fail(where, "expected a number from 0 to {}, found {}", kMostPrice, describe_json(value));
  }
}

bool is_currency(std::string_view text) {
  return text.size() == 3 &&
         text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") == std::string_view::npos;
}

// Rounded to what a reader can use, and what RFC 8941 allows.
std::string three_decimals(double value) {
  return fmt::format("{:.3f}", std::min(value, 999999999999.0));
}

double rounded(double value, double digits) {
  return std::round(value * digits) / digits;
}

}  // namespace

PriceTable read_prices(const std::filesystem::path& path) {
  const JsonDocument document = JsonDocument::read(path);
  const std::string& file = document.name();
  simdjson::dom::object object;
  if (document.root().get(object) != simdjson::SUCCESS) {
    fail(file, "expected an object, found {}", describe_json(document.root()));
  }
  PriceTable prices;
  std::set<std::string_view> seen;
  for (const auto& [name, value] : object) {
    const std::string where = fmt::format("{}: {}", file, printable(name));
    if (!seen.insert(name).second) fail(where, "stands twice");
    std::string_view text;
    if (name == "currency") {
      if (value.get(text) != simdjson::SUCCESS || !is_currency(text)) {
        fail(where, "expected three capital letters, found {}", describe_json(value));
      }
      prices.currency = text;
    } else if (name == "input") {
      read_price(value, where, prices.input);
    } else if (name == "cached_input") {
      read_price(value, where, prices.cached_input);
    } else if (name == "output") {
      read_price(value, where, prices.output);
    } else {
      fail(where, "expected currency, input, cached_input or output");
    }
  }
  for (const char* name : {"currency", "input", "output"}) {
    if (!seen.contains(name)) fail(file, "expected {}, found none", name);
  }
  if (!seen.contains("cached_input")) prices.cached_input = prices.input;
  return prices;
}

Receipt make_receipt(const RequestCost& cost, const CostBasis& basis) {
  CHECK(cost.cached_tokens >= 0 && cost.cached_tokens <= cost.prompt_tokens);
  CHECK(cost.completion_tokens >= 0 && cost.cpu_seconds >= 0);
  Receipt receipt{.cost = cost, .roofline_percent = {}, .joules = {}, .price = {}, .currency = {}};
  if (basis.read_bandwidth > 0 && cost.seconds > 0) {
    receipt.roofline_percent = 100 * cost.bytes_read / cost.seconds / basis.read_bandwidth;
  }
  if (basis.joules_per_cpu_second) {
    receipt.joules = *basis.joules_per_cpu_second * cost.cpu_seconds;
  }
  if (basis.prices) {
    const auto computed = static_cast<double>(cost.prompt_tokens - cost.cached_tokens);
    receipt.price = (computed * basis.prices->input +
                     static_cast<double>(cost.cached_tokens) * basis.prices->cached_input +
                     static_cast<double>(cost.completion_tokens) * basis.prices->output) /
                    kMillion;
    receipt.currency = basis.prices->currency;
  }
  return receipt;
}

nlohmann::ordered_json receipt_json(const Receipt& receipt) {
  nlohmann::ordered_json json{{"prompt_tokens", receipt.cost.prompt_tokens},
                              {"cached_tokens", receipt.cost.cached_tokens},
                              {"completion_tokens", receipt.cost.completion_tokens},
                              {"cpu_seconds", rounded(receipt.cost.cpu_seconds, 1e6)}};
  if (receipt.roofline_percent) json["roofline_percent"] = rounded(*receipt.roofline_percent, 100);
  if (receipt.joules) json["energy_joules"] = rounded(*receipt.joules, 1e6);
  if (receipt.price) {
    json["cost"] = {{"amount", rounded(*receipt.price, 1e12)}, {"currency", receipt.currency}};
  }
  return json;
}

std::string receipt_header(const Receipt& receipt) {
  std::string text =
      fmt::format("prompt={}, cached={}, completion={}, cpu={}", receipt.cost.prompt_tokens,
                  receipt.cost.cached_tokens, receipt.cost.completion_tokens,
                  three_decimals(receipt.cost.cpu_seconds));
  if (receipt.roofline_percent) {
    text += fmt::format(", roofline={}", three_decimals(*receipt.roofline_percent));
  }
  if (receipt.joules) text += fmt::format(", joules={}", three_decimals(*receipt.joules));
  // A decimal of RFC 8941 has three digits behind its point, too few for the price of one request.
  if (receipt.price) text += fmt::format(", cost=\"{:.9f} {}\"", *receipt.price, receipt.currency);
  return text;
}

}  // namespace minke
