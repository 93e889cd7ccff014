#include <algorithm>
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/about.h"
#include "apps/arguments/model_path.h"
#include "apps/arguments/output_file.h"
#include "apps/reply.h"
#include "apps/terminal/progress.h"
#include "apps/terminal/stop_signal.h"
#include "apps/verbs.h"
#include "base/core/atomic_file.h"
#include "base/cpu/isa.h"
#include "learn/eval/data_sets.h"
#include "learn/eval/eval_report.h"
#include "learn/eval/evaluate.h"

namespace minke {
namespace {

constexpr int64_t kUsualProblems = 10;
constexpr double kUsualTemperature = 0.8;  // of several samples
constexpr int64_t kMostSamples = 10000;
constexpr int64_t kMostSeed = std::numeric_limits<int64_t>::max();

struct EvalOptions {
  std::string model, file, format, output;
  std::optional<std::string> split;
  std::vector<std::string> tasks, languages;
  std::vector<int> levels;
  std::optional<int64_t> problems;
  int64_t samples = 1, max_tokens = 256, batch = 16, show = 0;
  std::optional<double> temperature;
  uint64_t seed = 0;
  int threads = 0;
  bool json = false;
};

// `value` of a name that the user gave, or wrong usage.
template <typename Find>
auto named(const char* option, const Find& find) {
  try {
    return find();
  } catch (const Error& error) {
    throw UsageError(std::string(option) + ": " + error.what());
  }
}

std::vector<Language> chosen_languages(const EvalOptions& options) {
  if (options.languages.empty()) return {kLanguages.begin(), kLanguages.end()};
  std::vector<Language> languages;
  for (const std::string& code : options.languages) {
    const auto language = named("--languages", [&] { return language_from_code(code); });
    if (std::ranges::find(languages, language) == languages.end()) languages.push_back(language);
  }
  return languages;
}

std::vector<const Task*> chosen_tasks(const EvalOptions& options) {
  if (options.tasks.empty()) return {all_tasks().begin(), all_tasks().end()};
  std::vector<const Task*> tasks;
  for (const std::string& name : options.tasks) {
    const Task* task = named("TASK", [&] { return &task_named(name); });
    if (std::ranges::find(tasks, task) == tasks.end()) tasks.push_back(task);
  }
  return tasks;
}

std::vector<Question> file_questions(const EvalOptions& options) {
  if (options.format.empty()) throw UsageError("--format: missing; --file needs it");
  if (!options.tasks.empty()) throw UsageError("TASK: expected none with --file");
  if (!options.levels.empty()) throw UsageError("--levels: not an option with --file");
  if (options.split) throw UsageError("--split: not an option with --file");
  if (options.languages.size() > 1) {
    throw UsageError("--languages: expected one, that of the file, found several");
  }
  const auto format = named("--format", [&] { return data_set_format_from_name(options.format); });
  const Language language =
      options.languages.empty() ? Language::kEnglish : chosen_languages(options).front();
  return read_data_set(options.file, format, language, options.problems.value_or(0));
}

std::vector<Question> chosen_questions(const EvalOptions& options) {
  if (!options.file.empty()) return file_questions(options);
  if (!options.format.empty()) throw UsageError("--format: goes with --file");
  TaskQuestions wanted;
  wanted.tasks = chosen_tasks(options);
  wanted.languages = chosen_languages(options);
  wanted.levels = options.levels;
  wanted.problems = options.problems.value_or(kUsualProblems);
  wanted.split = options.split == "train" ? Split::kTrain : Split::kHeldOut;
  wanted.seed = options.seed;
  auto questions = task_questions(wanted);
  if (questions.empty()) throw UsageError("--levels: expected a level that the tasks have");
  return questions;
}

double temperature_of(const EvalOptions& options) {
  return options.temperature.value_or(options.samples > 1 ? kUsualTemperature : 0);
}

SamplingOptions sampling_of(const EvalOptions& options) {
  SamplingOptions sampling;
  sampling.temperature = static_cast<float>(temperature_of(options));
  sampling.seed = options.seed;
  if (options.samples > 1 && sampling.temperature == 0) {
    throw UsageError("--temp: expected above 0 for several samples, found 0");
  }
  return sampling;
}

EngineStats ask_all(const EvalOptions& options, const SamplingOptions& sampling,
                    const Bundle& bundle, Scoreboard& board, Console& console) {
  const Tokenizer& tokenizer = bundle.require_tokenizer();
  const ChatRenderer renderer(detect_chat_template(tokenizer.spec()), tokenizer);
  EvaluationOptions evaluation;
  evaluation.generation = generation_options(bundle, &renderer, sampling, options.max_tokens);
  evaluation.batch.slots = options.batch;
  evaluation.batch.session.threads = options.threads;
  evaluation.batch.session.isa = chosen_isa();
  Progress progress(console, "eval");
  const auto go_on = [&] {
    const Tally all = board.all();
    const std::string detail =
        all.questions > 0 ? fmt::format("{:.1f} % right so far", 100 * all.accuracy()) : "";
    progress.show(board.seen_replies(), board.expected_replies(), detail);
    return stop_signal() == 0;
  };
  return evaluate(*bundle.model, renderer, evaluation, board, go_on);
}

double speed(const EngineStats& totals) {
  return rate(totals.generated_tokens, totals.prefill_seconds + totals.decode_seconds);
}

std::string source_of(const EvalOptions& options) {
  if (options.file.empty()) return options.split.value_or("held-out") + " problems";
  return fmt::format("{} ({})", std::filesystem::path(options.file).filename().string(),
                     options.format);
}

std::string in_words(const Scoreboard& board, const EngineStats& totals) {
  const Tally all = board.all();
  std::string line = fmt::format("{} questions", all.questions);
  if (all.questions > 0) {
    line += fmt::format(", {:.1f} % right, {:.1f} tokens a reply, {:.1f} % cut",
                        100 * all.accuracy(), all.tokens_per_reply(), 100 * all.cut_share());
  }
  line += fmt::format("; {} tokens/s", human_number(speed(totals)));
  if (!board.complete()) {
    line += fmt::format("; interrupted after {} of {} replies", board.seen_replies(),
                        board.expected_replies());
  }
  return line;
}

void print(const Scoreboard& board, const EngineStats& totals, Console& console) {
  for (const EvalTable& table : eval_tables(board)) console.write(table_text(table) + "\n");
  for (const WrongReply& wrong : board.wrong()) {
    const std::string text = wrong_text(board, wrong);
    const Question& q = board.questions()[wrong.question];
    console.write(fmt::format("--- {}, {}, level {}, number {}\n{}\n", q.task,
                              language_code(q.language), q.level, q.index + 1,
                              console.out_is_terminal() ? without_controls(text) : text));
  }
  console.write(in_words(board, totals) + "\n");
  console.flush();
}

void print_json(const EvalOptions& options, const std::string& model, const Scoreboard& board,
                const EngineStats& totals, Console& console) {
  nlohmann::ordered_json json = {{"model", model},
                                 {"source", source_of(options)},
                                 {"seed", options.seed},
                                 {"samples", options.samples},
                                 {"temperature", temperature_of(options)},
                                 {"max_tokens", options.max_tokens},
                                 {"batch", options.batch},
                                 {"isa", isa_name(chosen_isa())},
                                 {"prompt_tokens", totals.prompt_tokens},
                                 {"generated_tokens", totals.generated_tokens},
                                 {"tokens_per_second", speed(totals)}};
  json.update(eval_json(board));
  console.write_json(json);
}

void write_page(const EvalOptions& options, const About& model, const Scoreboard& board,
                const EngineStats& totals, Console& console) {
  const std::string page = eval_page(
      board, "Evaluation of " + model.name,
      {{"model", in_words(model)},
       {"questions", source_of(options)},
       {"result", in_words(board, totals)},
       {"seed", std::to_string(options.seed)},
       {"samples", fmt::format("{} at temperature {}", options.samples, temperature_of(options))},
       {"tokens of a reply", fmt::format("at most {}", options.max_tokens)}});
  AtomicFile file(options.output);
  file.write(page);
  file.commit();
  console.note(printable(options.output, 400) + ": written");
}

int eval(const EvalOptions& options, Console& console) {
  const SamplingOptions sampling = sampling_of(options);
  const auto questions = chosen_questions(options);
  const auto path = find_model(options.model);
  if (!options.output.empty()) {
    require_replaceable(options.output);
    require_folder_of(options.output);
    require_another_file(options.output, path);
  }
  const Bundle bundle = load_bundle(path);
  const About model = about(bundle, path);
  Scoreboard board(questions, options.samples, options.show);
  const EngineStats totals = ask_all(options, sampling, bundle, board, console);
  if (options.json) {
    print_json(options, model.name, board, totals, console);
  } else {
    print(board, totals, console);
  }
  if (!options.output.empty()) write_page(options, model, board, totals, console);
  throw_if_stopped();
  return 0;
}

void add_questions(CLI::App& verb, const std::shared_ptr<EvalOptions>& o) {
  verb.add_option("TASK", o->tasks, "names of tasks [all]")->type_name("");
  verb.add_option("--languages", o->languages, "of ar, zh, en, de, hi, id, with commas [all]")
      ->delimiter(',')
      ->type_name("CODES");
  const auto set_levels = [o](const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      o->levels.push_back(
          static_cast<int>(parse_integer("--levels", text, 1, std::numeric_limits<int>::max())));
    }
  };
  verb.add_option_function<std::vector<std::string>>("--levels", set_levels,
                                                     "of the tasks, with commas [all]")
      ->delimiter(',')
      ->type_name("NUMBERS");
  add_integer(verb, "-n", o->problems, 1, int64_t{1} << 30,
              "problems of each task, language and level [10]; with --file of all [all]");
  const auto set_split = [o](const std::string& text) {
    if (text != "train" && text != "held-out") {
      throw CLI::ValidationError(
          "--split", fmt::format("expected held-out or train, found \"{}\"", printable(text)));
    }
    o->split = text;
  };
  verb.add_option_function<std::string>("--split", set_split,
                                        "held-out: problems that no training sees; or train "
                                        "[held-out]")
      ->type_name("NAME");
  verb.add_option("--file", o->file, "instead of tasks, a data set with an object a line")
      ->type_name("FILE");
  verb.add_option(
          "--format", o->format,
          "what the data set is: gsm8k, mgsm, math500, checked (your own problems, with the "
          "name of a checker) or humaneval (Python to complete, which is run)")
      ->type_name("NAME");
}

}  // namespace

void add_eval(CLI::App& app, Action& action) {
  const auto o = std::make_shared<EvalOptions>();
  CLI::App& verb =
      add_verb(app, action, "eval", "how many problems with known answers a model solves", o, eval);
  add_model(verb, o->model);
  add_questions(verb, o);
  add_integer(verb, "--samples", o->samples, 1, kMostSamples, "replies to each problem [1]");
  constexpr double kMostTemperature = 100;
  add_number(verb, "--temp", o->temperature, 0, kMostTemperature,
             "temperature; 0 always takes the likeliest token [0; 0.8 for several samples]");
  add_integer(verb, "--max-tokens", o->max_tokens, 1, int64_t{1} << 30,
              "most tokens of a reply, thinking included [256]");
  add_integer(verb, "--seed", o->seed, 0, kMostSeed,
              "the same seed gives the same problems, to every model [0]");
  constexpr int64_t kMostSlots = 1024;
  add_integer(verb, "--batch", o->batch, 1, kMostSlots,
              "replies that share forward passes; no result depends on it [16]");
  constexpr int64_t kMostShown = 100000;
  add_integer(verb, "--show", o->show, 0, kMostShown, "wrong replies to print [0]");
  add_threads(verb, o->threads);
  add_json(verb, o->json);
  verb.add_option("-o,--output", o->output, "also write a page with the tables")->type_name("FILE");
  verb.footer(
      "Replies are in the model's chat format, with thinking; what follows it must hold the\n"
      "answer in \\boxed{}. For humaneval it is Python, which runs in bubblewrap, without "
      "network.\n"
      "Intervals are of 95 % (Wilson). Ctrl-C prints what is there so far.");
}

}  // namespace minke
