#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/arguments/output_file.h"
#include "apps/terminal/progress.h"
#include "apps/terminal/stop_signal.h"
#include "apps/verbs.h"
#include "learn/data/encoder.h"
#include "learn/data/shards.h"
#include "learn/data/text_files.h"
#include "learn/data/tokenizer_files.h"
#include "learn/tasks/task.h"
#include "model/families/bundle.h"
#include "model/formats/write_tokenizer.h"

namespace minke {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kLeastVocabulary = 256 + kControlTokens;
constexpr int kMostVocabulary = 1 << 20;
constexpr int64_t kMostSeed = std::numeric_limits<int64_t>::max();

// What `find` gives for a name from the command line, which is wrong usage if it is unknown.
template <typename Find>
decltype(auto) named(const Find& find) {
  try {
    return find();
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
}

void require_new(const std::filesystem::path& path, bool force) {
  require_replaceable(path);
  std::error_code ignored;
  if (!force && std::filesystem::exists(path, ignored))
    fail(printable(path.string()), "is there already; --force replaces it");
}

// ---- minke data problems

struct ProblemsOptions {
  std::string task, language = "en", split = "train", format = "jsonl";
  int level = 1;
  int64_t count = 10;
  uint64_t seed = 0;
};

Json problem_json(const Problem& problem, const std::string& split) {
  return {{"task", problem.task},         {"language", language_code(problem.language)},
          {"level", problem.level},       {"split", split},
          {"question", problem.question}, {"reasoning", problem.reasoning},
          {"answer", problem.answer},     {"solution", problem.solution}};
}

int print_problems(const ProblemsOptions& options, Console& console) {
  const Task& task = named([&]() -> const Task& { return task_named(options.task); });
  const Language language = named([&] { return language_from_code(options.language); });
  if (options.level > task.levels()) {
    throw UsageError(fmt::format("--level: expected 1 to {} for {}, found {}", task.levels(),
                                 task.name(), options.level));
  }
  const Split split = options.split == "train" ? Split::kTrain : Split::kHeldOut;
  for (int64_t i = 0; i < options.count; ++i) {
    throw_if_stopped();
    Rng rng(Rng(options.seed, static_cast<uint64_t>(i)).next());
    const Problem problem = task.make(language, options.level, split, rng);
    if (options.format == "jsonl") {
      console.write(problem_json(problem, options.split).dump() + "\n");
    } else {
      console.write(fmt::format("{}\n<think>\n{}\n</think>\n\n{}\n\n", problem.question,
                                problem.reasoning, problem.answer));
    }
  }
  return 0;
}

void add_choice(CLI::App& verb, const std::string& option, std::string& value,
                const std::string& first, const std::string& second, const std::string& help) {
  const auto set = [&value, option, first, second](const std::string& text) {
    if (text != first && text != second) {
      throw CLI::ValidationError(
          option, fmt::format("expected {} or {}, found \"{}\"", first, second, printable(text)));
    }
    value = text;
  };
  verb.add_option_function<std::string>(option, set, fmt::format("{} [{}]", help, value))
      ->type_name("NAME");
}

void add_problems(CLI::App& data, Action& action) {
  const auto o = std::make_shared<ProblemsOptions>();
  CLI::App& verb =
      add_verb(data, action, "problems", "print problems of a task", o, print_problems);
  verb.add_option("TASK", o->task, "the name of a task")->required()->type_name("");
  verb.add_option("--language", o->language, "ar, zh, en, de, hi or id [en]")->type_name("CODE");
  add_integer(verb, "--level", o->level, 1, std::numeric_limits<int>::max(),
              "how hard, from 1 to what the task has [1]");
  add_choice(verb, "--split", o->split, "train", "held-out",
             "train, or held-out: those that no training sees");
  add_integer(verb, "-n", o->count, 1, kMostSeed, "how many [10]");
  add_integer(verb, "--seed", o->seed, 0, kMostSeed, "the same seed gives the same problems [0]");
  add_choice(verb, "--format", o->format, "jsonl", "text",
             "jsonl: an object a line; text: to read");
}

// ---- minke data tokenizer

struct TokenizerOptions {
  std::string folder;
  std::vector<std::string> files;
  bool tasks = false, force = false, json = false;
  int vocabulary = 4096;
  uint64_t bytes = 50'000'000;
};

constexpr const char* kBytesFormat = "{:.1f} MB of text";

double megabytes(const BpeTrainer& trainer) {
  return static_cast<double>(trainer.bytes()) / 1e6;
}

// False once the budget is used up, which is told: what comes behind it is not looked at.
bool add_files_to(BpeTrainer& trainer, const std::vector<std::string>& files, Progress& progress) {
  bool room = true;
  for (const std::string& file : files) {
    if (!room) return false;
    read_texts(file, [&](const TextRecord& record) {
      throw_if_stopped();
      progress.show(fmt::format(kBytesFormat, megabytes(trainer)));
      return room = trainer.add(plain_text(record));
    });
  }
  return room;
}

// Problems of all tasks, languages and levels in turn, until the budget is used up.
void add_problems_to(BpeTrainer& trainer, Progress& progress) {
  for (uint64_t n = 0;; ++n) {
    progress.show(fmt::format(kBytesFormat, megabytes(trainer)));
    for (const Task* task : all_tasks()) {
      for (const Language language : kLanguages) {
        for (int level = 1; level <= task->levels(); ++level) {
          throw_if_stopped();
          Rng rng(n);
          const Problem problem = task->make(language, level, Split::kTrain, rng);
          for (const std::string* text : {&problem.question, &problem.reasoning, &problem.answer}) {
            if (!trainer.add(*text + "\n")) return;
          }
        }
      }
    }
  }
}

int train_tokenizer(const TokenizerOptions& options, Console& console) {
  if (options.files.empty() == !options.tasks)
    throw UsageError("usage: expected either FILE... or --tasks; see minke data tokenizer --help");
  const std::filesystem::path folder = options.folder;
  for (const char* name : {"tokenizer.json", "tokenizer_config.json"})
    require_new(folder / name, options.force);
  BpeTrainer trainer(training_stages(), options.bytes);
  Progress progress(console, "tokenizer");
  const bool all = add_files_to(trainer, options.files, progress);
  if (options.tasks) add_problems_to(trainer, progress);
  progress.clear();
  if (!all) {
    console.note(
        fmt::format("--bytes is used up after {} bytes of text; what comes behind "
                    "them is not looked at",
                    trainer.bytes()));
  }
  const auto wanted = static_cast<size_t>(options.vocabulary - kControlTokens);
  const BpeVocabulary vocabulary = trainer.train(wanted, 2, [&](size_t tokens) {
    throw_if_stopped();
    progress.show(static_cast<int64_t>(tokens), static_cast<int64_t>(wanted), "merging");
  });
  progress.clear();
  if (vocabulary.tokens.size() < wanted) {
    fail("--vocab", "expected texts with pairs enough for {} tokens, found {} in {} bytes",
         options.vocabulary, vocabulary.tokens.size() + kControlTokens, trainer.bytes());
  }
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) fail(printable(options.folder), "cannot make the folder: {}", error.message());
  write_tokenizer(training_spec(vocabulary, options.folder), folder);
  if (options.json) {
    console.write_json({{"output", options.folder},
                        {"tokens", options.vocabulary},
                        {"merges", vocabulary.merges.size()},
                        {"bytes", trainer.bytes()}});
  } else {
    console.note(fmt::format("{}: {} tokens, of {} bytes of text", options.folder,
                             options.vocabulary, trainer.bytes()));
  }
  return 0;
}

void add_tokenizer(CLI::App& data, Action& action) {
  const auto o = std::make_shared<TokenizerOptions>();
  CLI::App& verb = add_verb(data, action, "tokenizer", "train a tokenizer", o, train_tokenizer);
  verb.add_option("DIR", o->folder, "the folder to write it to")->required()->type_name("");
  verb.add_option("FILE", o->files, "texts: *.jsonl, or UTF-8 with blank lines between")
      ->type_name("");
  verb.add_flag("--tasks", o->tasks, "instead of files, problems of all tasks");
  add_integer(verb, "--vocab", o->vocabulary, kLeastVocabulary, kMostVocabulary,
              "tokens, control tokens included [4096]");
  add_integer(verb, "--bytes", o->bytes, 1, int64_t{1} << 40,
              "most bytes of text to look at [50000000]");
  verb.add_flag("--force", o->force, "replace a tokenizer that is there");
  add_json(verb, o->json);
}

// ---- minke data tokens

struct TokensOptions {
  std::vector<std::string> files;
  std::string tokenizer, output;
  bool force = false, json = false;
};

void add_record(const TextRecord& record, const DocumentEncoder& encoder, ShardWriter& shard) {
  std::vector<Document> documents;
  try {
    if (const auto* text = std::get_if<std::string>(&record.content)) {
      documents.push_back(encoder.text(*text));
    } else {
      documents = encoder.replies(std::get<Conversation>(record.content));
    }
  } catch (const Error& error) {
    fail(record.where, "{}", error.what());
  }
  for (const Document& document : documents) shard.add(document, record.where);
}

int write_tokens(const TokensOptions& options, Console& console) {
  require_new(options.output, options.force);
  for (const std::string& file : options.files) require_another_file(options.output, file);
  const auto tokenizer = load_tokenizer(options.tokenizer);
  const DocumentEncoder encoder(*tokenizer);
  ShardWriter shard(options.output, shard_vocabulary(*tokenizer));
  Progress progress(console, "tokens");
  for (const std::string& file : options.files) {
    read_texts(file, [&](const TextRecord& record) {
      throw_if_stopped();
      add_record(record, encoder, shard);
      progress.show(fmt::format("{} documents, {:.1f} M tokens", shard.documents(),
                                static_cast<double>(shard.tokens()) / 1e6));
      return true;
    });
  }
  progress.clear();
  shard.commit();
  if (options.json) {
    console.write_json({{"output", options.output},
                        {"documents", shard.documents()},
                        {"tokens", shard.tokens()},
                        {"loss_tokens", shard.loss_tokens()}});
  } else {
    console.note(fmt::format("{}: {} documents, {} tokens, of which {} count", options.output,
                             shard.documents(), shard.tokens(), shard.loss_tokens()));
  }
  return 0;
}

void add_tokens(CLI::App& data, Action& action) {
  const auto o = std::make_shared<TokensOptions>();
  CLI::App& verb =
      add_verb(data, action, "tokens", "write texts as a shard of tokens", o, write_tokens);
  verb.add_option("FILE", o->files, "texts: *.jsonl, or UTF-8 with blank lines between")
      ->required()
      ->type_name("");
  verb.add_option("--tokenizer", o->tokenizer, "a folder with tokenizer.json, or a GGUF file")
      ->required()
      ->type_name("DIR");
  verb.add_option("-o,--output", o->output, "the shard to write")->required()->type_name("SHARD");
  verb.add_flag("--force", o->force, "replace SHARD if it is there");
  add_json(verb, o->json);
}

}  // namespace

void add_data(CLI::App& app, Action& action) {
  CLI::App* data = app.add_subcommand("data", "make training data: problems, tokenizers, shards");
  data->footer("");
  data->require_subcommand(1);
  add_problems(*data, action);
  add_tokenizer(*data, action);
  add_tokens(*data, action);
}

}  // namespace minke
