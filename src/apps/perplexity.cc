#include <algorithm>
#include <chrono>
#include <cmath>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "apps/about.h"
#include "apps/arguments/model_path.h"
#include "apps/terminal/progress.h"
#include "apps/terminal/stop_signal.h"
#include "apps/verbs.h"
#include "base/core/mapped_file.h"
#include "base/core/utf8.h"
#include "base/cpu/isa.h"
#include "serve/engine/session.h"

namespace minke {
namespace {

constexpr int64_t kUsualContext = 2048;

struct PerplexityOptions {
  std::string model, file;
  int64_t context = 0, tokens = 0;
  int threads = 0;
  DType kv_type = kDefaultKvType;
  bool json = false;
};

// -log softmax(logits)[id], in double precision.
double negative_log_likelihood(std::span<const float> logits, int32_t id) {
  const double top = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit - top);
  return top + std::log(sum) - logits[static_cast<size_t>(id)];
}

// Mean of the scored tokens' negative log-likelihoods, and its standard error.
class Likelihoods {
 public:
  // Welford's update.
  void add(double value) {
    ++count_;
    const double step = value - mean_;
    mean_ += step / static_cast<double>(count_);
    squares_ += step * (value - mean_);
  }
  int64_t count() const { return count_; }
  double perplexity() const { return std::exp(mean_); }
  // The bounds of the 95 % confidence interval, `side` -1 or 1.
  double bound(int side) const {
    const auto n = static_cast<double>(count_);
    const double error = count_ > 1 ? std::sqrt(squares_ / (n - 1) / n) : 0;
    return std::exp(mean_ + side * 1.96 * error);
  }

 private:
  int64_t count_ = 0;
  double mean_ = 0, squares_ = 0;
};

struct Windows {
  std::vector<int32_t> text;  // ids of the file
  std::optional<int32_t> bos;
  int64_t size;  // tokens of a window, BOS included

  int64_t step() const { return size - (bos ? 1 : 0); }
  int64_t count() const { return (static_cast<int64_t>(text.size()) + step() - 1) / step(); }
  std::vector<int32_t> window(int64_t index) const {
    const int64_t first = index * step();
    const int64_t last = std::min(first + step(), static_cast<int64_t>(text.size()));
    std::vector<int32_t> ids(text.begin() + first, text.begin() + last);
    if (bos) ids.insert(ids.begin(), *bos);
    return ids;
  }
};

std::string text_of(const std::string& file) {
  std::string text = read_text_file(file);
  require_utf8(text, printable(file, 4096));
  return text;
}

Windows split(const PerplexityOptions& options, const std::string& text, const Bundle& bundle) {
  const Tokenizer& tokenizer = bundle.require_tokenizer();
  Windows windows{tokenizer.encode(text), std::nullopt, 0};
  if (options.tokens > 0 && options.tokens < static_cast<int64_t>(windows.text.size())) {
    windows.text.resize(static_cast<size_t>(options.tokens));
  }
  if (tokenizer.spec().add_bos) windows.bos = tokenizer.bos();
  const int64_t most = bundle.model->facts().context_length;
  windows.size = options.context > 0 ? options.context : std::min(kUsualContext, most);
  const int64_t least = windows.bos ? 3 : 2;
  if (windows.size < least) {
    fail("context", "expected at least {} tokens to score one by another, found {}", least,
         windows.size);
  }
  return windows;
}

int perplexity(const PerplexityOptions& options, Console& console) {
  const Isa isa = chosen_isa();
  const auto path = find_model(options.model);
  const std::string text = text_of(options.file);
  const Bundle bundle = load_bundle(path);
  const Windows windows = split(options, text, bundle);
  Session session(*bundle.model, {.threads = options.threads,
                                  .isa = isa,
                                  .context = windows.size,
                                  .kv_type = options.kv_type});
  const auto start = std::chrono::steady_clock::now();
  Likelihoods likelihoods;
  Progress progress(console, "perplexity");
  for (int64_t w = 0; w < windows.count(); ++w) {
    const auto ids = windows.window(w);
    session.truncate(0);
    session.score(ids, Phase::kPrefill, [&](int64_t index, std::span<const float> logits) {
      throw_if_stopped();
      if (index + 1 == static_cast<int64_t>(ids.size())) return;
      likelihoods.add(negative_log_likelihood(logits, ids[static_cast<size_t>(index) + 1]));
      progress.show(likelihoods.count(), static_cast<int64_t>(windows.text.size()),
                    fmt::format("{:.4f} so far", likelihoods.perplexity()));
    });
  }
  progress.clear();
  if (likelihoods.count() == 0) {
    fail(options.file, "expected a text of at least {} tokens, found {}", windows.bos ? 1 : 2,
         windows.text.size());
  }
  if (!std::isfinite(likelihoods.perplexity())) {
    fail(options.model, "the model gave unusable logits; its weights may be damaged");
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const double speed = static_cast<double>(windows.text.size()) / seconds;
  if (options.json) {
    console.write_json({{"perplexity", likelihoods.perplexity()},
                        {"low", likelihoods.bound(-1)},
                        {"high", likelihoods.bound(1)},
                        {"tokens", likelihoods.count()},
                        {"windows", windows.count()},
                        {"context", windows.size},
                        {"tokens_per_second", speed},
                        {"model", model_name(path)},
                        {"isa", isa_name(isa)},
                        {"kv_type", dtype_name(options.kv_type)},
                        {"threads", session.threads()}});
    return 0;
  }
  std::string line = fmt::format("perplexity {:.4f}", likelihoods.perplexity());
  // One token says nothing of the spread.
  if (likelihoods.count() > 1) {
    line += fmt::format(", 95 % confidence {:.4f} to {:.4f}", likelihoods.bound(-1),
                        likelihoods.bound(1));
  }
  console.write(line + "\n");
  console.flush();
  console.write_error(fmt::format("{} tokens in {} windows of {}, {} tokens/s\n",
                                  likelihoods.count(), windows.count(), windows.size,
                                  human_number(speed)));
  return 0;
}

}  // namespace

void add_perplexity(CLI::App& app, Action& action) {
  const auto o = std::make_shared<PerplexityOptions>();
  CLI::App& verb =
      add_verb(app, action, "perplexity", "how well a model predicts a text", o, perplexity);
  add_model(verb, o->model);
  verb.add_option("FILE", o->file, "the text, UTF-8")->required()->type_name("");
  add_integer(verb, "--context", o->context, 2, int64_t{1} << 30,
              "tokens of a window [2048, or the model's own]");
  add_integer(verb, "--tokens", o->tokens, 1, std::numeric_limits<int64_t>::max(),
              "only the first N tokens of the text [all]");
  add_threads(verb, o->threads);
  add_kv_type(verb, o->kv_type);
  add_json(verb, o->json);
  verb.footer(
      "The text is cut into windows, each begun by the model's begin token if its prompts have\n"
      "one. The first token of a window is not scored: nothing stands before it.");
}

}  // namespace minke
