#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace minke {

// Money for a million tokens of each kind.
struct PriceTable {
  std::string currency;     // "EUR": three capital letters (ISO 4217)
  double input = 0;         // tokens of the prompt that were computed
  double cached_input = 0;  // tokens of the prompt that were not
  double output = 0;        // tokens of the reply
};

// Reads {"currency": "EUR", "input": 0.2, "cached_input": 0.02, "output": 0.8}; cached_input is
// that of input if it is absent. Throws Error for anything else.
PriceTable read_prices(const std::filesystem::path& path);

// What a request has used.
struct RequestCost {
  int64_t prompt_tokens = 0;
  int64_t cached_tokens = 0;  // of the prompt
  int64_t completion_tokens = 0;
  double cpu_seconds = 0;  // of all threads
  double bytes_read = 0;   // its share of the weights that were read for it
  double seconds = 0;      // in which they were read
};

// What the machine and its owner say about costs; what is not known is not told.
struct CostBasis {
  double read_bandwidth = 0;                         // bytes a second, as measured; 0: not known
  std::optional<double> joules_per_cpu_second = {};  // see EnergyMeter
  std::optional<PriceTable> prices = {};
};

struct Receipt {
  RequestCost cost;
  std::optional<double> roofline_percent = {};  // of the machine's read bandwidth
  std::optional<double> joules = {};
  std::optional<double> price = {};
  std::string currency;  // of price
};

// `cost` has 0 <= cached_tokens <= prompt_tokens and nothing below 0.
Receipt make_receipt(const RequestCost& cost, const CostBasis& basis);

// {"prompt_tokens": 12, "cached_tokens": 4, "completion_tokens": 40, "cpu_seconds": 1.25,
//  "roofline_percent": 71.5, "energy_joules": 9.5, "cost": {"amount": 0.000034, "currency": "EUR"}}
nlohmann::ordered_json receipt_json(const Receipt& receipt);

// The same as the value of a header, a dictionary of RFC 8941:
// prompt=12, cached=4, completion=40, cpu=1.250, roofline=71.500, joules=9.500,
// cost="0.000034000 EUR"
std::string receipt_header(const Receipt& receipt);

}  // namespace minke
