#pragma once

// For tests only.

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "model/families/bundle.h"
#include "model/families/gguf_tensors.h"
#include "model/families/shapes.h"
#include "serve/engine/scheduler.h"

namespace minke::testing {

// Random weights of every V3 feature, loaded once.
inline const Model& model() {
  static const Bundle loaded = [] {
    const std::filesystem::path path =
        std::filesystem::temp_directory_path() / fmt::format("minke-sched-{}.gguf", getpid());
    write_random_gguf(*make_model(named_shape("deepseek-v3-mini")), "mini", DType::kQ4_K, 1, path);
    Bundle b = load_bundle(path);
    std::filesystem::remove(path);
    return b;
  }();
  return *loaded.model;
}

inline constexpr int64_t kContext = 1024;

inline int64_t page_bytes() {
  return model().facts().kv.page_bytes();
}

inline EngineOptions options(int64_t sequences, int64_t pages = 64) {
  EngineOptions o;
  o.session.threads = 2;
  o.session.isa = machine_isa();
  o.session.context = kContext;
  o.sequences = sequences;
  o.cache_bytes = pages * page_bytes();
  return o;
}

inline EngineOptions stored_in(const std::filesystem::path& folder, EngineOptions o) {
  o.store = folder;
  o.store_bytes = int64_t{1} << 30;
  o.store_name = "weights 1";
  return o;
}

inline EngineRequest request(int prompt, int seed, int64_t max_tokens, float temperature = 1) {
  EngineRequest r;
  for (int t = 0; t < prompt; ++t) r.prompt.push_back(2 + (t * 37 + seed * 101) % 250);
  r.options.max_tokens = max_tokens;
  r.options.sampling.temperature = temperature;
  r.options.sampling.seed = static_cast<uint64_t>(seed);
  r.log_probabilities = true;
  r.top = 3;
  return r;
}

// What one request hears.
struct Ear : EngineListener {
  void started(int64_t cached) override {
    ++starts;
    cached_tokens = cached;
  }
  void scored(std::span<const EngineToken> prompt) override {
    scores.assign(prompt.begin(), prompt.end());
  }
  void token(const EngineToken& token) override { tokens.push_back(token); }
  void finished(const EngineReceipt& r) override {
    ++ends;
    receipt = r;
  }
  void failed(const std::string& message) override {
    ++ends;
    failure = message;
  }

  bool same_as(const Ear& other) const {
    const auto equal = [](const EngineToken& a, const EngineToken& b) {
      if (a.id != b.id || a.log_probability != b.log_probability) return false;
      return std::equal(a.top.begin(), a.top.end(), b.top.begin(), b.top.end(),
                        [](const TokenProbability& x, const TokenProbability& y) {
                          return x.id == y.id && x.log_probability == y.log_probability;
                        });
    };
    return std::equal(tokens.begin(), tokens.end(), other.tokens.begin(), other.tokens.end(),
                      equal) &&
           std::equal(scores.begin(), scores.end(), other.scores.begin(), other.scores.end(),
                      equal);
  }

  int starts = 0, ends = 0;
  int64_t cached_tokens = 0;
  std::vector<EngineToken> tokens, scores;
  EngineReceipt receipt;
  std::string failure;
};

using Ears = std::vector<std::shared_ptr<Ear>>;

inline Ears run(Scheduler& scheduler, std::vector<EngineRequest> requests) {
  Ears ears;
  for (auto& r : requests) {
    scheduler.check(r);
    ears.push_back(std::make_shared<Ear>());
    scheduler.submit(static_cast<int64_t>(ears.size()), std::move(r), ears.back());
  }
  while (scheduler.step()) {
  }
  for (const auto& ear : ears) {
    EXPECT_EQ(ear->starts, 1);
    EXPECT_EQ(ear->ends, 1);
  }
  return ears;
}

inline std::shared_ptr<Ear> alone(EngineRequest r) {
  Scheduler scheduler(model(), options(1));
  return run(scheduler, {std::move(r)})[0];
}

}  // namespace minke::testing
