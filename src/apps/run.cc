#include <limits>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "apps/about.h"
#include "apps/arguments/model_path.h"
#include "apps/reply.h"
#include "apps/terminal/progress.h"
#include "apps/terminal/stop_signal.h"
#include "apps/verbs.h"
#include "base/core/utf8.h"
#include "base/cpu/isa.h"

namespace minke {
namespace {

constexpr SamplingFallback kFallback = {.temperature = 0, .top_p = 1};
// Where --context is not given: at least this, and room for a reply of this length.
constexpr int64_t kUsualContext = 4096;
constexpr int64_t kUsualReply = 2048;

struct RunOptions {
  std::string model, prompt, system;
  bool raw = false, no_think = false, quiet = false, json = false;
  int64_t max_tokens = 0, context = 0;
  int threads = 0;
  DType kv_type = kDefaultKvType;
  SamplingFlags sampling;
};

std::string prompt_text(const RunOptions& options) {
  if (options.prompt != "-") return options.prompt;
  std::string text = read_standard_input();
  require_utf8(text, "standard input");
  // The end of the last line belongs to the file, not to the question.
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

// A prompt in ids, and how to read what follows it.
struct Question {
  std::vector<int32_t> ids;
  std::optional<ChatRenderer> renderer;
  std::unique_ptr<ReplyReader> reader;
};

Question ask(const RunOptions& options, const std::string& text, const Bundle& bundle,
             Console& console) {
  const Tokenizer& tokenizer = bundle.require_tokenizer();
  Question question;
  if (options.raw) {
    question.ids = tokenizer.encode_prompt(text);
    question.reader = std::make_unique<ReplyReader>(tokenizer);
    return question;
  }
  question.renderer.emplace(detect_chat_template(tokenizer.spec()), tokenizer);
  if (options.no_think && question.renderer->chat_template().no_thinking_prefix.empty()) {
    console.note("--no-think: this model's chat format has no such switch; it changes nothing");
  }
  Conversation conversation;
  if (!options.system.empty()) {
    conversation.messages.push_back(message(Role::kSystem, options.system));
  }
  conversation.messages.push_back(message(Role::kUser, text));
  conversation.thinking = !options.no_think;
  auto prompt = question.renderer->render(conversation);
  question.ids = std::move(prompt.ids);
  question.reader = std::make_unique<ReplyReader>(
      tokenizer, question.renderer->parser(prompt.starts_in_thinking));
  return question;
}

int64_t chosen_context(const RunOptions& options, const Model& model, size_t prompt) {
  if (options.context > 0) return options.context;
  const int64_t reply = options.max_tokens > 0 ? options.max_tokens : kUsualReply;
  const int64_t most = model.facts().context_length;
  const auto room = std::min(most, static_cast<int64_t>(prompt) + std::min(reply, most));
  return std::max(room, std::min(most, kUsualContext));
}

nlohmann::ordered_json as_json(const Message& reply, const GenerationResult& r) {
  auto calls = nlohmann::ordered_json::array();
  for (const ToolCall& call : reply.tool_calls) {
    calls.push_back({{"name", call.name}, {"arguments", call.arguments}});
  }
  return {
      {"text", reply.content},
      {"reasoning", reply.reasoning},
      {"tool_calls", calls},
      {"finish_reason", finish_reason_name(r.reason)},
      {"usage", {{"prompt_tokens", r.prompt_tokens}, {"completion_tokens", r.generated_tokens}}},
      {"timings",
       {{"prefill_seconds", r.prefill_seconds},
        {"prefill_tokens_per_second", rate(r.prompt_tokens - r.reused_tokens, r.prefill_seconds)},
        {"decode_seconds", r.decode_seconds},
        {"decode_tokens_per_second", rate(r.generated_tokens, r.decode_seconds)}}}};
}

GenerationResult answer(const RunOptions& options, const Question& question, Session& session,
                        const GenerationOptions& generation, Console& console) {
  Progress progress(console, "reading the prompt");
  ReplyPrinter printer(console);
  const auto prompt_size = static_cast<int64_t>(question.ids.size());
  const auto result = Generator(session).generate(question.ids, generation, [&](int32_t id) {
    if (id < 0) {
      progress.show(session.length(), prompt_size);
    } else {
      progress.clear();
      const ReplyDelta delta = question.reader->add(id);
      if (!options.json) printer.print(delta);
    }
    return stop_signal() == 0;
  });
  progress.clear();
  const ReplyDelta rest = question.reader->finish();
  if (!options.json) {
    printer.print(rest);
    printer.finish();
  }
  return result;
}

// Greedy replies of small models often repeat themselves without an end. What ended such a one is
// told, as llama.cpp does.
void warn_if_full(const GenerationResult& result, const Session& session, const Model& model,
                  Console& console) {
  if (result.reason != FinishReason::kLength || session.length() < session.capacity()) return;
  const int64_t most = model.facts().context_length;
  console.note(
      fmt::format("the reply was cut: the context of {} tokens is full; {}", session.capacity(),
                  session.capacity() < most ? fmt::format("--context allows up to {}", most)
                                            : "this model has no longer one"));
}

int run(const RunOptions& options, Console& console) {
  const Isa isa = chosen_isa();
  const std::string text = prompt_text(options);
  if (text.empty() && !options.raw) throw UsageError("--prompt: expected a text, found none");
  const auto path = find_model(options.model);
  const Bundle bundle = load_bundle(path);
  const SamplingOptions sampling = chosen_sampling(options.sampling, bundle.defaults, kFallback);
  const Question question = ask(options, text, bundle, console);
  const auto generation = generation_options(
      bundle, question.renderer ? &*question.renderer : nullptr, sampling, options.max_tokens);
  Session session(*bundle.model,
                  {.threads = options.threads,
                   .isa = isa,
                   .context = chosen_context(options, *bundle.model, question.ids.size()),
                   .kv_type = options.kv_type});
  if (static_cast<int64_t>(question.ids.size()) > session.capacity()) {
    fail("prompt", "{} tokens do not fit into the context of {}; this model has room for {}",
         question.ids.size(), session.capacity(), bundle.model->facts().context_length);
  }
  const About model = about(bundle, path);
  const bool talk = !options.quiet && !options.json;
  if (talk) {
    console.note(fmt::format("{}, {}, {} threads, context {}", in_words(model), isa_name(isa),
                             session.threads(), session.capacity()));
  }
  const GenerationResult result = answer(options, question, session, generation, console);
  if (options.json) {
    auto json = as_json(question.reader->reply(), result);
    json["model"] = model.name;
    json["isa"] = isa_name(isa);
    json["threads"] = session.threads();
    json["seed"] = sampling.seed;
    console.write_json(json);
  }
  if (!options.quiet) warn_if_full(result, session, *bundle.model, console);
  if (talk) console.write_error(in_words(result) + "\n");
  throw_if_stopped();
  return 0;
}

}  // namespace

void add_run(CLI::App& app, Action& action) {
  const auto o = std::make_shared<RunOptions>();
  CLI::App& verb = add_verb(app, action, "run", "answer one prompt", o, run);
  add_model(verb, o->model);
  const auto set_prompt = [o](std::string text) { o->prompt = std::move(text); };
  add_text(verb, "-p,--prompt", set_prompt, "the prompt; - reads it from standard input")
      ->required();
  add_integer(verb, "-n,--max-tokens", o->max_tokens, 1, std::numeric_limits<int64_t>::max(),
              "most tokens of the reply [until the model ends it]");
  const auto set_system = [o](std::string text) { o->system = std::move(text); };
  CLI::Option* system = add_text(verb, "--system", set_system, "the system message");
  CLI::Option* raw = verb.add_flag("--raw", o->raw, "continue the prompt as it is, no chat format");
  raw->excludes(system);
  verb.add_flag("--no-think", o->no_think, "answer at once, where the chat format has the switch")
      ->excludes(raw);
  add_sampling(verb, o->sampling, "0");
  add_context(verb, o->context, "4096, or what a longer prompt needs");
  add_threads(verb, o->threads);
  add_kv_type(verb, o->kv_type);
  verb.add_flag("--quiet", o->quiet, "nothing on standard error but errors");
  add_json(verb, o->json);
  verb.footer(
      "The reply goes to standard output as it comes. Thinking is dimmed on a terminal and "
      "stands\n"
      "between <think> and </think> elsewhere. Ctrl-C ends the reply and keeps what is there.");
}

}  // namespace minke
