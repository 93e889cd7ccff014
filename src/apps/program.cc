#include "apps/program.h"

#include <algorithm>
#include <exception>
#include <new>
#include <sstream>
#include <string>
#include <vector>

#include "apps/terminal/help.h"
#include "apps/terminal/nearest_name.h"
#include "apps/terminal/stop_signal.h"
#include "apps/verbs.h"

namespace minke {
namespace {

constexpr int kFailed = 1;
constexpr int kWrongUsage = 2;

constexpr const char* kFooter =
    R"(MODEL is a GGUF file, a Hugging Face folder, or the name of either in the folder of models,
${XDG_CACHE_HOME:-$HOME/.cache}/minke/models. `minke VERB --help` says more about a verb.

  minke run model.gguf -p "What is the capital of France?"
  minke chat model.gguf
  minke bench --shape deepseek-v2-lite --type Q4_K)";

void declare(CLI::App& app, const std::string& version, Action& action) {
  app.set_version_flag("--version", "minke " + version, "print the version");
  app.set_help_flag("-h,--help", "print this text");
  app.require_subcommand(1);
  app.footer(kFooter);
  app.formatter(help_formatter());
  add_run(app, action);
  add_chat(app, action);
  add_inspect(app, action);
  add_tokenize(app, action);
  add_detokenize(app, action);
  add_logits(app, action);
  add_perplexity(app, action);
  add_convert(app, action);
  add_quantize(app, action);
  add_synth(app, action);
  add_bench(app, action);
  add_data(app, action);
  add_train(app, action);
  add_grpo(app, action);
  add_report(app, action);
  add_eval(app, action);
  add_serve(app, action);
  add_keys(app, action);
  add_audit(app, action);
}

// The words behind `minke`. `minke help VERB` is another way to say `minke VERB --help`.
std::vector<std::string> words_of(int argc, const char* const* argv) {
  std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  if (!words.empty() && words.front() == "help") {
    words.erase(words.begin());
    words.emplace_back("--help");
  }
  return words;
}

// " (did you mean NAME?)" with what could stand in the place of `typed`, an option or a verb.
std::string suggestion(const CLI::App& command, const std::string& typed) {
  std::vector<std::string> names;
  if (typed.starts_with("-")) {
    for (const CLI::Option* option : command.get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
  } else {
    for (const CLI::App* verb : command.get_subcommands(nullptr)) names.push_back(verb->get_name());
  }
  const std::string name = nearest_name(typed.substr(0, typed.find('=')), names);
  return name.empty() ? "" : " (did you mean " + name + "?)";
}

// The message of a command line that could not be understood, as `where: what`.
std::string explain(const CLI::App& app, const CLI::ParseError& error) {
  std::string command = "minke";
  const CLI::App* verb = &app;
  while (!verb->get_subcommands().empty()) {
    verb = verb->get_subcommands().front();
    command += " " + verb->get_name();
  }
  const bool verb_missing = verb->get_require_subcommand_min() > 0;
  const std::string help = "; see " + command + " --help";
  // What nothing takes is told before what is missing: it is the more likely mistake.
  if (const auto extras = app.remaining(/*recurse=*/true); !extras.empty()) {
    const std::string extra = printable(extras.front());
    const std::string meant = suggestion(*verb, extras.front());
    if (extra.starts_with("-")) return extra + ": not an option of " + command + meant + help;
    if (verb_missing) return extra + ": not a verb of " + command + meant + help;
    const bool prompts = verb->get_option_no_throw("--prompt") != nullptr;
    return extra + ": " + command + " takes no such argument" +
           (prompts ? "; a prompt goes in quotes behind -p" : "") + help;
  }
  const std::string what = error.what();
  constexpr std::string_view kRequired = " is required";
  if (what.ends_with(kRequired)) {
    const std::string missing = what.substr(0, what.size() - kRequired.size());
    return (verb_missing ? "usage: expected a verb" : missing + ": missing") + help;
  }
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    const bool missing = what.ends_with(" missing");
    return what.substr(0, what.find(": ")) +
           (missing ? ": expected a value behind it" : ": given more than once") + help;
  }
  return (what.find(": ") == std::string::npos ? "usage: " + what : what) + help;
}

int parse_and_act(int argc, const char* const* argv, const std::string& version, Console& console) {
  CLI::App app("Minke runs DeepSeek-style models on CPUs.", "minke");
  Action action;
  declare(app, version, action);
  try {
    std::vector<std::string> words = words_of(argc, argv);
    std::ranges::reverse(words);  // as CLI11 takes them
    app.parse(std::move(words));
  } catch (const CLI::Success& asked) {
    // --help or --version.
    std::ostringstream text;
    app.exit(asked, text, text);
    console.write(text.str());
    console.flush();
    return 0;
  } catch (const CLI::ParseError& error) {
    console.note(explain(app, error));
    return kWrongUsage;
  }
  const int code = action(console);
  console.flush();
  return code;
}

}  // namespace

int run_program(int argc, const char* const* argv, const std::string& version) {
  reserve_standard_streams();
  Console console;
  try {
    watch_stop_signals();
    return parse_and_act(argc, argv, version, console);
  } catch (const Stopped& stopped) {
    return 128 + stopped.signal;
  } catch (const UsageError& error) {
    console.note(error.what());
    return kWrongUsage;
  } catch (const std::bad_alloc&) {
    console.note("memory: the system has not enough for this command");
  } catch (const std::exception& error) {
    console.note(error.what());
  }
  return kFailed;
}

}  // namespace minke
