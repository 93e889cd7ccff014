#include <algorithm>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <random>
#include <thread>

#include <fmt/format.h>
#include <malloc.h>
#include <sys/stat.h>

#include "apps/about.h"
#include "apps/arguments/model_path.h"
#include "apps/arguments/serve_options.h"
#include "apps/measure/read_speed.h"
#include "apps/page.h"
#include "apps/reply.h"
#include "apps/terminal/stop_signal.h"
#include "apps/verbs.h"
#include "base/cpu/isa.h"
#include "model/families/active_bytes.h"
#include "serve/access/batch_store.h"
#include "serve/api/batch_runner.h"
#include "serve/api/service.h"
#include "serve/api/turns/engine_turns.h"
#include "serve/http/server.h"

namespace minke {
namespace {

namespace fs = std::filesystem;

// What answers are sampled with where neither the request nor the model's publisher says.
constexpr SamplingFallback kFallback = {.temperature = 1, .top_p = 1};
constexpr double kPollSeconds = 0.1;
constexpr double kSampleEnergySeconds = 5;

uint64_t random_number() {
  thread_local std::random_device device;
  return uint64_t{device()} << 32 | device();
}

int64_t now() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// Bytes a second, 0 if there is no memory to measure it with. Takes about a tenth of a second.
double read_bandwidth(int threads) {
  constexpr int64_t kBytes = 128 << 20;
  constexpr int kPasses = 3;
  try {
    return 1e9 * measure_read_gb_per_second(threads, kBytes, kPasses);
  } catch (const Error&) {
    return 0;
  }
}

int64_t bytes_of(const std::optional<double>& gib, int64_t otherwise) {
  return gib ? static_cast<int64_t>(*gib * 1073741824.0) : otherwise;
}

// Tells the weights apart from all others that a store of prefixes may have seen: where the files
// are, how long, and when they were last written.
std::string weights_name(const fs::path& path) {
  std::vector<fs::path> files;
  if (fs::is_directory(path)) {
    for (const auto& entry : fs::directory_iterator(path)) files.push_back(entry.path());
  } else {
    files.push_back(path);
  }
  std::sort(files.begin(), files.end());
  std::string name;
  for (const fs::path& file : files) {
    struct stat info {};
    if (::stat(file.c_str(), &info) != 0) continue;
    name += fmt::format("{} {} {}.{:09} {}\n", fs::canonical(file).string(), info.st_size,
                        info.st_mtim.tv_sec, info.st_mtim.tv_nsec, info.st_ino);
  }
  return name;
}

EngineOptions engine_options(const ServeOptions& options, const fs::path& path,
                             std::function<void(const std::string&)> warn) {
  EngineOptions engine;
  engine.session.threads = options.threads;
  engine.session.isa = chosen_isa();
  engine.session.context = options.context;
  engine.session.kv_type = options.kv_type;
  engine.sequences = options.sequences;
  engine.queue = options.queue;
  engine.cache_bytes = bytes_of(options.cache_gib, 0);
  engine.store = options.store;
  engine.store_bytes = bytes_of(options.store_gib, int64_t{8} << 30);
  engine.store_name = weights_name(path);
  engine.warn = std::move(warn);
  return engine;
}

HttpOptions http_options(const ServeOptions& options) {
  HttpOptions http;
  http.address = options.host;
  http.port = static_cast<uint16_t>(options.port);
  http.allowed_hosts = options.hosts;
  http.allowed_origins = options.origins;
  http.threads = 2;
  return http;
}

// Requests may have bodies of megabytes, whose texts and tokens are as large. glibc maps blocks so
// large by themselves and gives them back, but raises the size from which it does to the largest
// that was given back, up to 32 MiB: then they lie in the heaps of its threads, which keep what was
// once used. With the size fixed, memory after requests of 14 MB is what it was before (32 MiB
// instead of 174 with models/minke-micro.gguf).
void give_back_large_blocks() {
  constexpr int kMappedBytes = 1 << 20;
  ::mallopt(M_MMAP_THRESHOLD, kMappedBytes);
}

// Everything that answers, put together in the order in which it depends on one another.
class Server {
 public:
  Server(const ServeOptions& options, const fs::path& path, Console& console)
      : options_(options),
        console_(console),
        bundle_(load_bundle(path)),
        about_(about(bundle_, path)),
        engine_(std::in_place, *bundle_.model, engine_options(options, path, warner())) {
    const Tokenizer& tokenizer = bundle_.require_tokenizer();
    try {
      renderer_.emplace(detect_chat_template(tokenizer.spec()), tokenizer);
    } catch (const Error& error) {
      warn(fmt::format("no chats, only completions: {}", error.what()));
    }
    open_stores();
    put_together(path);
  }

  // What is still being answered tells records, metrics and the audit log of its end, so the engine
  // ends before they do.
  ~Server() {
    runner_.reset();
    engine_.reset();
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Until a stop signal comes.
  void run();

 private:
  std::function<void(const std::string&)> warner() {
    return [this](const std::string& message) { warn(message); };
  }
  void warn(const std::string& message) {
    const std::lock_guard lock(console_mutex_);
    console_.note(message);
  }
  void open_stores();
  void put_together(const fs::path& path);
  void answer_batches();
  void tell_problems();

  const ServeOptions& options_;
  Console& console_;
  std::mutex console_mutex_;
  Bundle bundle_;
  About about_;
  std::optional<Engine> engine_;
  std::optional<ChatRenderer> renderer_;
  std::optional<EngineTurns> turns_;
  std::optional<EngineCompletions> completions_;
  std::optional<TextEndpoints> texts_;
  std::optional<KeyRing> keys_;
  std::optional<QuotaLedger> quotas_;
  std::optional<AuditLog> audit_;
  std::optional<Metrics> metrics_;
  std::optional<BatchStore> batches_;
  EnergyMeter energy_;
  std::optional<ServiceParts> parts_;
  std::string keys_problem_, quotas_problem_;  // as they were told last
  std::optional<Service> service_;
  std::optional<BatchRunner> runner_;  // last: it uses all others
};

void Server::open_stores() {
  if (!options_.keys.empty()) keys_.emplace(options_.keys);
  if (!options_.state.empty()) {
    std::error_code error;
    fs::create_directories(options_.state, error);
    if (error) {
      fail(printable(options_.state), "--state: cannot make the folder: {}", error.message());
    }
  }
  if (keys_) {
    quotas_.emplace(options_.state.empty() ? fs::path() : fs::path(options_.state) / "quota.db");
  }
  if (!options_.state.empty()) {
    BatchStoreOptions batches;
    batches.endpoints = {"/v1/chat/completions", "/v1/completions", "/v1/responses"};
    batches.file_bytes = HttpOptions().body_bytes;
    batches_.emplace(fs::path(options_.state) / "batches", batches);
  }
  if (!options_.audit.empty()) {
    AuditOptions audit;
    audit.content = options_.audit_content;
    audit_.emplace(options_.audit, audit);
  }
}

void Server::put_together(const fs::path& path) {
  const Tokenizer& tokenizer = bundle_.require_tokenizer();
  const std::string name = options_.name.empty() ? model_name(path) : options_.name;
  const ChatRenderer* renderer = renderer_ ? &*renderer_ : nullptr;
  const SamplingOptions sampling = chosen_sampling({}, bundle_.defaults, kFallback);
  const GenerationOptions usual = generation_options(bundle_, renderer, sampling, 0);
  turns_.emplace(*engine_, ServedModel{name, &tokenizer, renderer, usual});
  completions_.emplace(*engine_, tokenizer, generation_options(bundle_, nullptr, sampling, 0),
                       name);

  ServiceParts parts;
  parts.engine = &*engine_;
  parts.turns = &*turns_;
  parts.completions = &*completions_;
  parts.card = {name, options_.aliases, now(), engine_->context()};
  parts.openai.aliases = options_.aliases;
  parts.openai.any_model = !options_.strict_model;
  parts.openai.temperature = sampling.temperature;
  parts.openai.top_p = sampling.top_p;
  parts.openai.top_k = sampling.top_k;
  parts.openai.fingerprint = fmt::format("fp_{}", isa_name(chosen_isa()));
  parts.sources = {random_number, now};
  parts.openai.sources = parts.sources;
  ThinkingSignature::Key key;
  for (uint8_t& byte : key) byte = static_cast<uint8_t>(random_number());
  parts.signature = ThinkingSignature(key);
  texts_.emplace(tokenizer, renderer, parts.card, parts.openai);
  parts.texts = &*texts_;

  MetricsOptions metrics;
  metrics.prefix = options_.metrics;
  metrics.model = name;
  metrics.endpoints = endpoint_names();
  metrics_.emplace(metrics);
  parts.metrics = &*metrics_;
  parts.keys = keys_ ? &*keys_ : nullptr;
  parts.quotas = quotas_ ? &*quotas_ : nullptr;
  parts.batches = batches_ ? &*batches_ : nullptr;
  parts.batch_begun = [this] {
    if (runner_) runner_->wake();
  };
  parts.keeping.metrics = &*metrics_;
  parts.keeping.audit = audit_ ? &*audit_ : nullptr;
  parts.keeping.energy = energy_.available() ? &energy_ : nullptr;
  if (!options_.prices.empty()) parts.keeping.prices = read_prices(options_.prices);
  parts.keeping.read_bandwidth = read_bandwidth(engine_->threads());
  parts.keeping.token_bytes = static_cast<double>(active_weight_bytes(*bundle_.model));
  parts.keeping.model = name;
  parts.keeping.warn = warner();
  parts.page = page_files();
  parts.about = {{"name", name},
                 {"architecture", about_.family},
                 {"parameters", about_.parameters},
                 {"active_parameters", active_parameters(*bundle_.model)},
                 {"context", engine_->context()},
                 {"quantization", about_.type},
                 {"file_bytes", about_.bytes},
                 {"card", model_card(bundle_.checkpoint.metadata(), path)}};
  parts_.emplace(std::move(parts));
  service_.emplace(*parts_);
}

// Batches take the places that nobody else asks for: the last two are for those who wait for an
// answer.
void Server::answer_batches() {
  if (!batches_) return;
  BatchRunnerParts parts;
  parts.store = &*batches_;
  parts.answer = [this](const BatchLine& line, std::shared_ptr<HttpReply> reply) {
    service_->answer_line(line, std::move(reply));
  };
  parts.has_room = [this, places = std::max<int64_t>(1, options_.sequences - 2)](int64_t in_hand) {
    const EngineStats stats = engine_->stats();
    return in_hand < places && stats.waiting == 0 && stats.running < places;
  };
  parts.warn = warner();
  runner_.emplace(std::move(parts));
}

// Each once, until it is another one.
void Server::tell_problems() {
  const auto tell = [&](std::string problem, std::string& told, const char* consequence) {
    if (problem == told) return;
    if (!problem.empty()) warn(fmt::format("{}; {}", problem, consequence));
    told = std::move(problem);
  };
  if (keys_) tell(keys_->problem(), keys_problem_, "the keys that were read before go on");
  if (quotas_) tell(quotas_->problem(), quotas_problem_, "sums of usage are not kept");
}

void Server::run() {
  answer_batches();
  HttpServer http(http_options(options_), service_->handler(), service_->hooks());
  const std::string where =
      options_.host.starts_with("/")
          ? options_.host
          : fmt::format("http://{}:{}",
                        options_.host.find(':') == std::string::npos ? options_.host
                                                                     : "[" + options_.host + "]",
                        http.port());
  warn(fmt::format("{}; {} threads, {} sequences of {} tokens at a time", in_words(about_),
                   engine_->threads(), options_.sequences, engine_->context()));
  warn(fmt::format("serving at {} (Ctrl-C ends)", where));
  double since_sample = 0;
  while (stop_signal() == 0) {
    std::this_thread::sleep_for(std::chrono::duration<double>(kPollSeconds));
    since_sample += kPollSeconds;
    tell_problems();
    if (energy_.available() && since_sample >= kSampleEnergySeconds) {
      energy_.sample();
      since_sample = 0;
    }
  }
  forget_stop_signal();
  service_->stop_taking();
  // Lines of batches are not waited for: they are answered when the server runs again.
  if (runner_) runner_->stop();
  const int64_t open = engine_->stats().running + engine_->stats().waiting;
  if (open > 0) {
    warn(fmt::format("finishing {} requests, for at most {} s (Ctrl-C again: at once)", open,
                     options_.drain));
  }
  // In short waits, so that a second signal is seen.
  double left = static_cast<double>(options_.drain);
  while (left > 0 && stop_signal() == 0 && !engine_->drain(std::min(left, kPollSeconds))) {
    left -= kPollSeconds;
  }
  http.drain(stop_signal() == 0 ? 2 : 0);
}

int serve(const ServeOptions& options, Console& console) {
  check_serve_options(options);
  give_back_large_blocks();
  Server(options, find_model(options.model), console).run();
  return 0;
}

}  // namespace

void add_serve(CLI::App& app, Action& action) {
  const auto o = std::make_shared<ServeOptions>();
  CLI::App& verb =
      add_verb(app, action, "serve", "answer many users over HTTP, with a page", o, &serve);
  add_serve_options(verb, *o);
  verb.footer(
      "Speaks the formats of OpenAI (/v1/chat/completions, /v1/completions, /v1/responses),\n"
      "DeepSeek and Anthropic (/v1/messages); the page is at /. docs/api.md tells more.");
}

}  // namespace minke
