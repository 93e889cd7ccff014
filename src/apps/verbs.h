#pragma once

#include <functional>
#include <memory>

#include "apps/arguments/options.h"
#include "apps/terminal/console.h"
#include "base/cpu/topology.h"

namespace minke {

// What the command line asks for; gives the exit code. Errors are thrown.
using Action = std::function<int(Console&)>;

// Each verb declares itself and its options as a subcommand of `app`, and sets `action` when the
// command line names it.
void add_run(CLI::App& app, Action& action);
void add_chat(CLI::App& app, Action& action);
void add_inspect(CLI::App& app, Action& action);
void add_tokenize(CLI::App& app, Action& action);
void add_detokenize(CLI::App& app, Action& action);
void add_logits(CLI::App& app, Action& action);
void add_perplexity(CLI::App& app, Action& action);
void add_convert(CLI::App& app, Action& action);
void add_quantize(CLI::App& app, Action& action);
void add_synth(CLI::App& app, Action& action);
void add_bench(CLI::App& app, Action& action);
void add_data(CLI::App& app, Action& action);
void add_train(CLI::App& app, Action& action);
void add_grpo(CLI::App& app, Action& action);
void add_report(CLI::App& app, Action& action);
void add_eval(CLI::App& app, Action& action);
void add_serve(CLI::App& app, Action& action);
void add_keys(CLI::App& app, Action& action);
void add_audit(CLI::App& app, Action& action);

// What is looked at for every verb whose options have the members in question, before it acts.
template <typename Options>
void check_options(const Options& options, Console& console) {
  if constexpr (requires {
                  options.shape;
                  options.layers;
                }) {
    require_layers(options.shape, options.layers);
  }
  if constexpr (requires { options.threads; }) {
    bool quiet = false;
    if constexpr (requires { options.quiet; }) quiet = options.quiet;
    if (!quiet) warn_of_threads(options.threads, usable_cores(), console);
  }
}

// The subcommand `name`, which runs `act` with the options that are bound to `options`.
template <typename Options>
CLI::App& add_verb(CLI::App& app, Action& action, const char* name, const char* help,
                   const std::shared_ptr<Options>& options, int (*act)(const Options&, Console&)) {
  CLI::App* verb = app.add_subcommand(name, help);
  verb->footer("");  // not the program's
  verb->callback([&action, options, act] {
    action = [options, act](Console& console) {
      check_options(*options, console);
      return act(*options, console);
    };
  });
  return *verb;
}

}  // namespace minke
