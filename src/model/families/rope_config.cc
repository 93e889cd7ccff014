#include "model/families/rope_config.h"

#include <algorithm>
#include <cmath>

#include "base/core/error.h"

namespace minke {
namespace {

constexpr double kMostTokens = 1e9;

// config.json spells this in four ways: rope_scaling or rope_parameters, with type or rope_type.
// rope_parameters holds the theta too. Returns the prefix of the dictionary in use; "" if there is
// none.
std::string hugging_face_prefix(const Metadata& m) {
  for (const char* prefix : {"rope_scaling.", "rope_parameters."}) {
    const std::string p = prefix;
    const std::string dictionary = p.substr(0, p.size() - 1);
    if (m.has(dictionary)) fail(m.source(), "'{}': expected an object", dictionary);
    if (m.has(p + "rope_type") || m.has(p + "type")) return p;
    if (m.has(p + "factor")) fail(m.source(), "rope scaling: '{}factor' without a type", p);
  }
  return "";
}

// cos and sin are scaled by m(mscale) / m(mscale_all_dim), m(k) = 0.1 k ln(factor) + 1.
double deepseek_magnitude(double factor, double mscale, double mscale_all_dim) {
  const double log_factor = 0.1 * std::log(factor);
  return (mscale * log_factor + 1) / (mscale_all_dim * log_factor + 1);
}

RopeScaling::Kind kind_of(std::string_view name, const std::string& source) {
  using Kind = RopeScaling::Kind;
  if (name == "none" || name == "default" || name.empty()) return Kind::kNone;
  if (name == "linear") return Kind::kLinear;
  if (name == "yarn" || name == "deepseek_yarn") return Kind::kYarn;
  if (name == "llama3") return Kind::kLlama3;
  fail(source, "rope scaling: expected none, linear, yarn or llama3, found \"{}\"",
       printable(name));
}

void read_hugging_face(ConfigVisitor& v, const Metadata& m, double& theta, RopeScaling& s,
                       bool deepseek) {
  const bool nested_theta = m.has("rope_parameters.rope_theta");
  v.number({nested_theta ? "rope_parameters.rope_theta" : "rope_theta", ""}, theta, 1, 1e12, 10000);
  const std::string prefix = hugging_face_prefix(m);
  if (prefix.empty()) return;
  std::string type;
  v.text({prefix + (m.has(prefix + "rope_type") ? "rope_type" : "type"), ""}, type, "none");
  s.kind = kind_of(type, m.source());
  if (s.kind == RopeScaling::Kind::kNone) return;
  v.number({prefix + "factor", ""}, s.factor, 1, 1e6);
  if (s.kind == RopeScaling::Kind::kLinear) return;
  v.number({prefix + "original_max_position_embeddings", ""}, s.original_context, 1, kMostTokens,
           static_cast<double>(m.integer("max_position_embeddings").value_or(4096)));
  if (s.kind == RopeScaling::Kind::kLlama3) {
    v.number({prefix + "low_freq_factor", ""}, s.low_freq_factor, 1e-3, 1e6);
    v.number({prefix + "high_freq_factor", ""}, s.high_freq_factor, 1e-3, 1e6);
    if (s.low_freq_factor >= s.high_freq_factor) {
      fail(m.source(), "rope scaling: expected low_freq_factor {} below high_freq_factor {}",
           s.low_freq_factor, s.high_freq_factor);
    }
    return;
  }
  v.number({prefix + "beta_fast", ""}, s.beta_fast, 1e-3, 1e6, 32);
  v.number({prefix + "beta_slow", ""}, s.beta_slow, 1e-3, 1e6, 1);
  double mscale = 0;
  v.number({prefix + "mscale_all_dim", ""}, s.mscale_all_dim, 0, 100, 0);
  v.number({prefix + "mscale", ""}, mscale, 0, 100, deepseek ? 1 : 0);
  v.number({prefix + "attention_factor", ""}, s.attention_factor, 0, 100, 0);
  // R1-0528-Qwen3-8B gives a factor of the default magnitude instead of the magnitude itself.
  double multiplier = 1;
  v.number({prefix + "attn_factor", ""}, multiplier, 1e-3, 100, 1);
  if (!deepseek && s.attention_factor == 0 && mscale > 0 && s.mscale_all_dim > 0) {
    s.attention_factor = deepseek_magnitude(s.factor, mscale, s.mscale_all_dim);
  }
  if (multiplier != 1) s.attention_factor = multiplier * rope_magnitude(s);
  if (deepseek) {
    s.attention_factor = deepseek_magnitude(s.factor, mscale, s.mscale_all_dim);
  }
}

void read_gguf(ConfigVisitor& v, const Metadata& m, double& theta, RopeScaling& s, bool deepseek) {
  v.number({"", "rope.freq_base"}, theta, 1, 1e12, 10000);
  // Files from before the type was stored scale linearly, under one of two names.
  double factor = 0, old_factor = 0;
  v.number({"", "rope.scaling.factor"}, factor, 0, 1e6, 0);
  v.number({"", "rope.scale_linear"}, old_factor, 0, 1e6, 0);
  std::string type;
  v.text({"", "rope.scaling.type"}, type, factor > 1 || old_factor > 1 ? "linear" : "none");
  s.kind = kind_of(type, m.source());
  if (s.kind == RopeScaling::Kind::kLlama3) {
    fail(m.source(), "rope scaling: expected none, linear or yarn in GGUF, found \"llama3\"");
  }
  if (s.kind == RopeScaling::Kind::kLinear && factor == 0) {
    s.factor = std::max(old_factor, 1.0);
    return;
  }
  if (s.kind == RopeScaling::Kind::kNone) return;
  v.number({"", "rope.scaling.factor"}, s.factor, 1, 1e6);
  if (s.kind == RopeScaling::Kind::kLinear) return;
  v.number({"", "rope.scaling.original_context_length"}, s.original_context, 1, kMostTokens);
  v.number({"", "rope.scaling.yarn_beta_fast"}, s.beta_fast, 1e-3, 1e6, 32);
  v.number({"", "rope.scaling.yarn_beta_slow"}, s.beta_slow, 1e-3, 1e6, 1);
  if (deepseek) {
    // The stored multiplier contains the 0.1. Conversions of May 2024 lack it.
    double multiplier = 0;
    v.number({"", "rope.scaling.yarn_log_multiplier"}, multiplier, 0, 10);
    s.mscale_all_dim = multiplier * 10;
    s.attention_factor = 1;
  } else {
    // A factor of the default magnitude, under two names.
    double first = 1, second = 1;
    v.number({"", "rope.scaling.attn_factor"}, first, 1e-3, 100, 1);
    v.number({"", "rope.scaling.yarn_attn_factor"}, second, 1e-3, 100, 1);
    s.attention_factor = first * second * rope_magnitude(s);
  }
}

}  // namespace

void read_rope(ConfigVisitor& v, const Metadata& metadata, double& theta, RopeScaling& scaling,
               bool deepseek) {
  if (v.naming() == Naming::kHuggingFace) {
    read_hugging_face(v, metadata, theta, scaling, deepseek);
  } else {
    read_gguf(v, metadata, theta, scaling, deepseek);
  }
}

void list_rope(ConfigVisitor& v, double& theta, RopeScaling& s, bool deepseek) {
  using Kind = RopeScaling::Kind;
  v.number({"", "rope.freq_base"}, theta, 1, 1e12);
  if (s.kind == Kind::kNone) return;
  if (s.kind == Kind::kLlama3) {
    // Stored as the tensor rope_freqs instead, which the DeepSeek architecture does not have.
    std::string type = "llama3";
    if (deepseek) v.text({"rope_scaling.type", ""}, type, "none");
    return;
  }
  std::string type = s.kind == Kind::kLinear ? "linear" : "yarn";
  v.text({"", "rope.scaling.type"}, type, "");
  v.number({"", "rope.scaling.factor"}, s.factor, 1, 1e6);
  if (s.kind == Kind::kLinear) return;
  auto context = static_cast<int64_t>(s.original_context);
  if (const auto whole = static_cast<double>(context); whole != s.original_context) {
    v.number({"rope_scaling.original_max_position_embeddings", ""}, s.original_context, 1,
             kMostTokens, whole);
  }
  v.integer({"", "rope.scaling.original_context_length"}, context, 1,
            static_cast<int64_t>(kMostTokens));
  v.number({"", "rope.scaling.yarn_beta_fast"}, s.beta_fast, 1e-3, 1e6);
  v.number({"", "rope.scaling.yarn_beta_slow"}, s.beta_slow, 1e-3, 1e6);
  if (deepseek) {
    // Other than 1 where mscale and mscale_all_dim differ.
    v.number({"rope_scaling.attention_factor", ""}, s.attention_factor, 0, 100, 1);
    double multiplier = s.mscale_all_dim / 10;
    v.number({"", "rope.scaling.yarn_log_multiplier"}, multiplier, 0, 10);
  } else if (s.attention_factor > 0) {
    RopeScaling plain = s;
    plain.attention_factor = 0;
    double multiplier = s.attention_factor / rope_magnitude(plain);
    v.number({"", "rope.scaling.attn_factor"}, multiplier, 1e-3, 100);
  }
}

}  // namespace minke
