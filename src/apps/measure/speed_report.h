#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "apps/about.h"
#include "apps/measure/former_report.h"
#include "apps/measure/peaks.h"
#include "apps/measure/token_speed.h"
#include "model/families/active_bytes.h"

namespace minke {

// What `minke bench` found: the machine's limits, and how near to them a model runs. Speeds are
// tokens of a second.
struct SpeedReport {
  About model;
  Isa isa = Isa::kScalar;
  int threads = 0;
  double read_gb_per_second = 0;
  Peaks peaks;
  int64_t active_bytes = 0;  // weights that a decoded token reads
  ActiveWeightCount active_weights;
  DType kv_type = kDefaultKvType;
  int64_t cache_bytes_per_token = 0;
  int64_t decode_tokens = 0, repeat = 0;

  struct Row {
    int64_t tokens;  // of the prompt; or in the context when decoding began
    double speed;
  };
  std::vector<Row> prefill, decode;
  SpeedPoints left_out;  // longer than the model's context

  // --- prefill against arithmetic: two operations for each weight and token, of the head once a
  // prompt. Attention is left out, so that long prompts reach less.
  std::string_view prefill_limit() const;  // "int8", "bf16", "f32": what such weights could use
  double peak() const;                     // operations of a second
  double operations_per_token(const Row& prefill_row) const;
  double percent_of_peak(const Row& prefill_row) const;

  // --- decode against memory: active weights, and the cache of all tokens before.
  int64_t bytes_per_token(const Row& decode_row) const;
  double gb_per_second(const Row& decode_row) const;
  double percent_of_read_limit(const Row& decode_row) const;
};

// Members: docs/bench.md. With the figures of a former report beside those it shares.
nlohmann::ordered_json as_json(const SpeedReport& report,
                               const std::optional<FormerReport>& former);
// Lines of at most 100 columns, but for names that are longer.
std::string as_table(const SpeedReport& report, const std::optional<FormerReport>& former);

}  // namespace minke
