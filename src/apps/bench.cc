#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "apps/about.h"
#include "apps/arguments/model_path.h"
#include "apps/measure/former_report.h"
#include "apps/measure/peaks.h"
#include "apps/measure/random_model.h"
#include "apps/measure/read_speed.h"
#include "apps/measure/speed_report.h"
#include "apps/measure/token_speed.h"
#include "apps/verbs.h"
#include "base/cpu/isa.h"
#include "base/cpu/topology.h"

namespace minke {
namespace {

namespace fs = std::filesystem;

struct BenchOptions {
  std::string model, shape;
  std::optional<std::string> compare_to;
  DType type = DType::kQ4_K;
  std::optional<int64_t> layers;
  int threads = 0;
  DType kv_type = kDefaultKvType;
  SpeedPoints points = {{128, 512, 2048}, {0, 4096, 16384}, 32, 3};
  bool json = false;
};

// A folder for temporary files that nobody else can write to, removed in the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "minke-bench-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
      fail(name, "cannot create this folder: {}", std::strerror(errno));
    }
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// A model made for one measurement. Its file is unlinked as soon as it is mapped.
Bundle load_random(const BenchOptions& options, Console& console) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / (options.shape + ".gguf");
  write_random_model({options.shape, options.type, 0, options.layers}, path, console);
  return load_bundle(path);
}

// Points that the model has room for; says which it has not.
FittingPoints chosen_points(const BenchOptions& options, int64_t context, Console& console) {
  FittingPoints points = points_within(options.points, context);
  if (points.fitting.prefill.empty() && points.fitting.depths.empty()) {
    fail("bench", "expected a point within the model's context of {} tokens, found none", context);
  }
  for (const int64_t count : points.left_out.prefill) {
    console.note(
        fmt::format("prefill of {} left out: the model's context is {} tokens", count, context));
  }
  for (const int64_t depth : points.left_out.depths) {
    console.note(
        fmt::format("decode at depth {} left out: with {} more, the model's context of {} "
                    "tokens is too short",
                    depth, options.points.decode_tokens, context));
  }
  return points;
}

void require_shared_point(const FormerReport& former, const SpeedPoints& points) {
  const auto among = [](const std::map<int64_t, double>& speeds) {
    return [&speeds](int64_t point) { return speeds.contains(point); };
  };
  if (std::any_of(points.prefill.begin(), points.prefill.end(), among(former.prefill))) return;
  if (std::any_of(points.depths.begin(), points.depths.end(), among(former.decode))) return;
  fail(printable(former.file, 200),
       "expected one of the prompts or depths measured here, found none");
}

void measure_speeds(const Bundle& bundle, const SpeedPoints& points, SpeedReport& report,
                    Console& console) {
  TokenSpeed speed(*bundle.model, points,
                   {.threads = report.threads, .isa = report.isa, .kv_type = report.kv_type},
                   console);
  speed.warm_up();
  for (const int64_t count : points.prefill) {
    report.prefill.push_back({count, speed.prefill(count)});
  }
  for (const int64_t depth : points.depths) {
    report.decode.push_back({depth, speed.decode(depth)});
  }
}

int bench(const BenchOptions& options, Console& console) {
  if (options.model.empty() == options.shape.empty()) {
    throw UsageError("usage: expected either MODEL or --shape; see minke bench --help");
  }
  // Everything that can be wrong comes before what takes long.
  std::optional<FormerReport> former;
  if (options.compare_to) former = read_former_report(*options.compare_to);
  SpeedReport report;
  report.isa = chosen_isa();
  report.threads = options.threads > 0 ? options.threads : usable_cores();
  const fs::path path = options.model.empty() ? fs::path(options.shape) : find_model(options.model);
  const Bundle bundle = options.model.empty() ? load_random(options, console) : load_bundle(path);
  const ModelFacts& facts = bundle.model->facts();
  report.model = about(bundle, path);
  const FittingPoints points = chosen_points(options, facts.context_length, console);
  if (former) {
    require_same_subject(*former, report.model.name, report.model.type, report.model.parameters,
                         report.threads);
    require_shared_point(*former, points.fitting);
  }
  report.left_out = points.left_out;
  report.decode_tokens = points.fitting.decode_tokens;
  report.repeat = points.fitting.repeat;
  report.active_bytes = active_weight_bytes(*bundle.model);
  report.active_weights = active_weight_count(*bundle.model);
  report.kv_type = options.kv_type;
  report.cache_bytes_per_token = facts.kv.stored_as(options.kv_type).bytes_per_token();
  report.read_gb_per_second = measure_read_gb_per_second(report.threads);
  report.peaks = measure_peaks(report.isa, report.threads);
  measure_speeds(bundle, points.fitting, report, console);
  if (options.json) {
    console.write_json(as_json(report, former));
  } else {
    console.write(as_table(report, former));
  }
  return 0;
}

// A list of numbers with commas between them.
void add_list(CLI::App& verb, const std::string& option, std::vector<int64_t>& values, int64_t low,
              const std::string& help) {
  const auto set = [&values, option, low](const std::string& text) {
    values.clear();
    for (size_t start = 0; start <= text.size();) {
      const size_t end = std::min(text.find(',', start), text.size());
      values.push_back(parse_integer(option, text.substr(start, end - start), low, 1 << 30));
      start = end + 1;
    }
  };
  verb.add_option_function<std::string>(option, set, help)->type_name("N,N,...");
}

constexpr const char* kFooter =
    R"(First the machine's limits are measured, with as many threads: the speed of reading memory, and
of multiplying and accumulating in registers (one of which is two operations), with the best
instructions of the level.

A prompt costs two operations for each weight that its tokens pass, of the head for the last
token only; attention is not counted. Quantized weights are compared with the peak of 8-bit
values, others with that of bfloat16 where they fit into it and the level has instructions for it,
else with that of float32.

A decoded token reads every active weight and the cache of all tokens before it. A model that
fits into the processor's cache may pass 100 %.

Points beyond the model's context are left out. docs/bench.md describes what --json prints.
--shape writes a model into the folder for temporary files (TMPDIR) and removes it.)";

}  // namespace

void add_bench(CLI::App& app, Action& action) {
  const auto o = std::make_shared<BenchOptions>();
  CLI::App& verb = add_verb(app, action, "bench", "measure prefill and decode", o, bench);
  add_model(verb, o->model, /*required=*/false);
  CLI::Option* shape = add_shape(verb, o->shape);
  add_type(verb, o->type)->needs(shape);
  add_integer(verb, "--layers", o->layers, 1, 4096, "only the first N layers of the shape [all]")
      ->needs(shape);
  add_threads(verb, o->threads);
  add_kv_type(verb, o->kv_type);
  SpeedPoints& points = o->points;
  add_list(verb, "--prefill", points.prefill, 1, "sizes of the prompts [128,512,2048]");
  add_list(verb, "--depths", points.depths, 0,
           "tokens in the context when decoding begins [0,4096,16384]");
  add_integer(verb, "--decode-tokens", points.decode_tokens, 1, 1 << 20, "tokens to decode [32]");
  add_integer(verb, "--repeat", points.repeat, 1, 1000, "measure so often, tell the median [3]");
  verb.add_option("--compare-to", o->compare_to,
                  "what --json printed at another time, to show the ratio of speeds to it")
      ->type_name("FILE");
  add_json(verb, o->json);
  verb.footer(kFooter);
}

}  // namespace minke
