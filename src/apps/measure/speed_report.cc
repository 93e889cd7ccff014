#include "apps/measure/speed_report.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/core/check.h"

namespace minke {
namespace {

using Json = nlohmann::ordered_json;
using Speeds = std::map<int64_t, double>;

std::optional<double> found_at(const Speeds* speeds, int64_t tokens) {
  if (speeds == nullptr) return std::nullopt;
  const auto found = speeds->find(tokens);
  return found == speeds->end() ? std::nullopt : std::optional(found->second);
}

Json peak_json(const std::optional<Peak>& peak) {
  if (!peak) return nullptr;
  return {{"instruction", peak->instruction},
          {"operations_per_second", peak->operations_per_second}};
}

void add_former(Json& row, const Speeds* former, const SpeedReport::Row& found) {
  const auto before = found_at(former, found.tokens);
  if (!before) return;
  row["former_tokens_per_second"] = *before;
  row["ratio"] = found.speed / *before;
}

Json prefill_json(const SpeedReport& r, const Speeds* former) {
  Json rows = Json::array();
  for (const auto& p : r.prefill) {
    Json row = {{"tokens", p.tokens},
                {"tokens_per_second", p.speed},
                {"operations_per_token", r.operations_per_token(p)},
                {"operations_per_second", r.operations_per_token(p) * p.speed},
                {"percent_of_peak", r.percent_of_peak(p)}};
    add_former(row, former, p);
    rows.push_back(std::move(row));
  }
  return rows;
}

Json decode_json(const SpeedReport& r, const Speeds* former) {
  Json rows = Json::array();
  for (const auto& d : r.decode) {
    Json row = {{"depth", d.tokens},
                {"tokens_per_second", d.speed},
                {"bytes_per_token", r.bytes_per_token(d)},
                {"gb_per_second", r.gb_per_second(d)},
                {"percent_of_read_limit", r.percent_of_read_limit(d)}};
    add_former(row, former, d);
    rows.push_back(std::move(row));
  }
  return rows;
}

// The last two columns of a row; empty without a former report.
std::string former_columns(const Speeds* former, const SpeedReport::Row& found) {
  if (former == nullptr) return "";
  const auto before = found_at(former, found.tokens);
  if (!before) return fmt::format("{:>10}{:>8}", "-", "-");
  return fmt::format("{:>10.1f}{:>8.3f}", *before, found.speed / *before);
}

std::string former_titles(const Speeds* former) {
  return former == nullptr ? "" : fmt::format("{:>10}{:>8}", "before", "ratio");
}

std::string in_words(std::string_view values, const std::optional<Peak>& peak) {
  if (!peak) return fmt::format("{:<5}-\n", values);
  return fmt::format("{:<5}{} Top/s ({})\n", values,
                     human_number(peak->operations_per_second / 1e12), peak->instruction);
}

std::string limits_table(const SpeedReport& r, const std::optional<FormerReport>& former) {
  std::string out = fmt::format("model    {}\n", in_words(r.model));
  out += fmt::format("machine  {}, {} {}\n", isa_name(r.isa), r.threads,
                     r.threads == 1 ? "thread" : "threads");
  out += fmt::format("limits   {:.1f} GB/s read from memory\n", r.read_gb_per_second);
  out += "         " + in_words("int8", r.peaks.int8);
  out += "         " + in_words("bf16", r.peaks.bf16);
  out += "         " + in_words("f32", r.peaks.f32);
  if (former) {
    out += fmt::format("before   {}\n         {}, {:.1f} GB/s read from memory\n",
                       printable(former->file), printable(former->isa), former->read_gb_per_second);
  }
  return out;
}

std::string prefill_table(const SpeedReport& r, const Speeds* former) {
  std::string out =
      fmt::format("\n{:<20}{:>10}{:>12}{:>9}{:>15}{}\n", "prefill", "tokens/s", "op a token",
                  "Top/s", fmt::format("of {} peak", r.prefill_limit()), former_titles(former));
  for (const auto& p : r.prefill) {
    const double operations = r.operations_per_token(p);
    out += fmt::format("{:<20}{:>10.1f}{:>12}{:>9}{:>13.1f} %{}\n",
                       fmt::format("  {} {}", p.tokens, p.tokens == 1 ? "token" : "tokens"),
                       p.speed, human_count(static_cast<int64_t>(operations)),
                       human_number(operations * p.speed / 1e12), r.percent_of_peak(p),
                       former_columns(former, p));
  }
  return out;
}

std::string decode_table(const SpeedReport& r, const Speeds* former) {
  std::string out = fmt::format("\n{:<20}{:>10}{:>12}{:>9}{:>15}{}\n", "decode", "tokens/s",
                                "read each", "GB/s", "of read limit", former_titles(former));
  for (const auto& d : r.decode) {
    out += fmt::format("{:<20}{:>10.1f}{:>12}{:>9.1f}{:>13.1f} %{}\n",
                       fmt::format("  at depth {}", d.tokens), d.speed,
                       human_bytes(r.bytes_per_token(d)), r.gb_per_second(d),
                       r.percent_of_read_limit(d), former_columns(former, d));
  }
  return out;
}

}  // namespace

std::string_view SpeedReport::prefill_limit() const {
  const auto type = dtype_from_name(model.type);
  CHECK(type);
  if (is_quantized(*type)) return "int8";
  // bfloat16 holds every value of these exactly.
  const bool narrow = *type == DType::kBF16 || *type == DType::kF8E4M3;
  return narrow && peaks.bf16 ? "bf16" : "f32";
}

double SpeedReport::peak() const {
  const std::string_view limit = prefill_limit();
  const auto& found = limit == "int8" ? peaks.int8 : limit == "bf16" ? peaks.bf16 : peaks.f32;
  return found ? found->operations_per_second : 0;
}

double SpeedReport::operations_per_token(const Row& row) const {
  return 2 * (static_cast<double>(active_weights.layers) +
              static_cast<double>(active_weights.head) / static_cast<double>(row.tokens));
}

double SpeedReport::percent_of_peak(const Row& row) const {
  return 100 * operations_per_token(row) * row.speed / peak();
}

int64_t SpeedReport::bytes_per_token(const Row& row) const {
  return active_bytes + row.tokens * cache_bytes_per_token;
}

double SpeedReport::gb_per_second(const Row& row) const {
  return row.speed * static_cast<double>(bytes_per_token(row)) / 1e9;
}

double SpeedReport::percent_of_read_limit(const Row& row) const {
  return 100 * gb_per_second(row) / read_gb_per_second;
}

nlohmann::ordered_json as_json(const SpeedReport& r, const std::optional<FormerReport>& former) {
  Json all = {{"model", r.model.name},
              {"family", r.model.family},
              {"type", r.model.type},
              {"parameters", r.model.parameters},
              {"weight_bytes", r.model.bytes},
              {"active_weight_bytes", r.active_bytes},
              {"active_weights", r.active_weights.layers},
              {"head_weights", r.active_weights.head},
              {"kv_type", dtype_name(r.kv_type)},
              {"cache_bytes_per_token", r.cache_bytes_per_token},
              {"isa", isa_name(r.isa)},
              {"threads", r.threads},
              {"decode_tokens", r.decode_tokens},
              {"repeat", r.repeat},
              {"read_gb_per_second", r.read_gb_per_second},
              {"peaks",
               {{"int8", peak_json(r.peaks.int8)},
                {"bf16", peak_json(r.peaks.bf16)},
                {"f32", peak_json(r.peaks.f32)}}},
              {"prefill_limit", r.prefill_limit()},
              {"prefill", prefill_json(r, former ? &former->prefill : nullptr)},
              {"decode", decode_json(r, former ? &former->decode : nullptr)},
              {"left_out", {{"prefill", r.left_out.prefill}, {"depths", r.left_out.depths}}}};
  if (former) {
    all["former"] = {{"file", former->file},
                     {"isa", former->isa},
                     {"read_gb_per_second", former->read_gb_per_second}};
  }
  return all;
}

std::string as_table(const SpeedReport& r, const std::optional<FormerReport>& former) {
  std::string out = limits_table(r, former);
  if (!r.prefill.empty()) out += prefill_table(r, former ? &former->prefill : nullptr);
  if (!r.decode.empty()) out += decode_table(r, former ? &former->decode : nullptr);
  return out;
}

}  // namespace minke
