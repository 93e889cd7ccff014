#include <csignal>

#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "apps/about.h"
#include "apps/arguments/model_path.h"
#include "apps/reply.h"
#include "apps/terminal/line_editor.h"
#include "apps/terminal/progress.h"
#include "apps/terminal/stop_signal.h"
#include "apps/verbs.h"
#include "base/core/atomic_file.h"
#include "base/core/utf8.h"
#include "base/cpu/isa.h"

namespace minke {
namespace {

constexpr SamplingFallback kFallback = {.temperature = 0.6, .top_p = 0.95};
// Reasoning is long. Memory is taken only as the conversation grows.
constexpr int64_t kUsualContext = 16384;

constexpr std::string_view kHelp =
    "/help         this text\n"
    "/reset        forget the conversation, keep the system message\n"
    "/system TEXT  set the system message; without TEXT, remove it\n"
    "/stats        tokens and speed\n"
    "/save FILE    write the conversation to FILE as JSON\n"
    "/exit         leave\n"
    "Ctrl-C stops a reply; at the prompt, twice leaves. Ctrl-D leaves.\n";

struct ChatOptions {
  std::string model, system;
  bool no_think = false, quiet = false;
  int64_t max_tokens = 0, context = 0;
  int threads = 0;
  DType kv_type = kDefaultKvType;
  SamplingFlags sampling;
};

std::string_view role_name(Role role) {
  switch (role) {
    case Role::kSystem:
      return "system";
    case Role::kUser:
      return "user";
    case Role::kAssistant:
      return "assistant";
    case Role::kTool:
      return "tool";
  }
  return "unknown";
}

// Where the user's messages come from: an editor on a terminal, plain lines elsewhere.
class Messages {
 public:
  explicit Messages(const Console& console) {
    if (::isatty(STDIN_FILENO) == 1 && console.out_is_terminal()) editor_.emplace("> ");
  }

  bool interactive() const { return editor_.has_value(); }

  // False when the user leaves. Ctrl-C drops the line; a second one on an empty line leaves.
  bool next(std::string& line, Console& console) {
    if (!editor_) return reader_.next(line);
    bool warned = false;
    for (;;) {
      switch (editor_->next(line)) {
        case LineEditor::Input::kLine:
          return true;
        case LineEditor::Input::kEnd:
          console.write_error("\n");
          return false;
        case LineEditor::Input::kStopped:
          break;
      }
      console.write_error("\n");
      if (warned || stop_signal() != SIGINT) throw_if_stopped();
      forget_stop_signal();
      console.write_error("Ctrl-C again leaves.\n");
      warned = true;
    }
  }

 private:
  std::optional<LineEditor> editor_;
  LineReader reader_;
};

class Chat {
 public:
  Chat(const ChatOptions& options, Console& console)
      : console_(console),
        path_(find_model(options.model)),
        bundle_(load_bundle(path_)),
        renderer_(detect_chat_template(bundle_.require_tokenizer().spec()), *bundle_.tokenizer),
        generation_(generation_options(
            bundle_, &renderer_, chosen_sampling(options.sampling, bundle_.defaults, kFallback),
            options.max_tokens)),
        session_(*bundle_.model,
                 {.threads = options.threads,
                  .isa = chosen_isa(),
                  .context = options.context > 0
                                 ? options.context
                                 : std::min(kUsualContext, bundle_.model->facts().context_length),
                  .kv_type = options.kv_type}),
        generator_(session_) {
    conversation_.thinking = !options.no_think;
    set_system(options.system);
    if (options.no_think && renderer_.chat_template().no_thinking_prefix.empty()) {
      console_.note("--no-think: this model's chat format has no such switch; it changes nothing");
    }
    if (!options.quiet) {
      console_.note(fmt::format("{}, {}, {} threads, context {}", in_words(about(bundle_, path_)),
                                isa_name(chosen_isa()), session_.threads(), session_.capacity()));
    }
  }

  int run(bool quiet) {
    Messages messages(console_);
    if (messages.interactive() && !quiet) {
      console_.write_error("Type a message. /help lists commands, Ctrl-D leaves.\n");
    }
    bool failed = false;
    std::string line;
    while (!leave_ && messages.next(line, console_)) {
      if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
      try {
        require_utf8(line, "message");
        if (!command(line)) answer(line);
      } catch (const OutputError&) {
        throw;
      } catch (const Error& error) {
        // One message that cannot be answered does not end the conversation.
        console_.note(error.what());
        failed = true;
      }
    }
    return failed && !messages.interactive() ? 1 : 0;
  }

 private:
  bool command(const std::string& line);
  void answer(const std::string& text);
  void set_system(const std::string& text);
  void reset();
  void show_stats();
  void save(const std::string& name);

  Console& console_;
  std::filesystem::path path_;
  Bundle bundle_;
  ChatRenderer renderer_;
  GenerationOptions generation_;
  Session session_;
  Generator generator_;
  Conversation conversation_;
  std::optional<GenerationResult> last_;
  std::string saved_as_;
  bool leave_ = false;
};

// Whether the line was a command. Other lines that begin with a slash, such as paths, are messages.
bool Chat::command(const std::string& line) {
  if (!line.starts_with('/')) return false;
  const size_t space = line.find_first_of(" \t");
  const std::string word = line.substr(0, space);
  const size_t rest = line.find_first_not_of(" \t", space);
  const std::string text = rest == std::string::npos ? "" : line.substr(rest);
  if (word == "/help") {
    console_.write_error(kHelp);
  } else if (word == "/reset") {
    reset();
  } else if (word == "/system") {
    set_system(text);
  } else if (word == "/stats") {
    show_stats();
  } else if (word == "/save") {
    save(text);
  } else if (word == "/exit" || word == "/quit") {
    leave_ = true;
  } else if (word.find('/', 1) == std::string::npos) {
    fail(printable(word), "not a command; /help lists them");
  } else {
    return false;
  }
  return true;
}

void Chat::set_system(const std::string& text) {
  auto& messages = conversation_.messages;
  if (!messages.empty() && messages.front().role == Role::kSystem) messages.erase(messages.begin());
  if (!text.empty()) messages.insert(messages.begin(), message(Role::kSystem, text));
}

void Chat::reset() {
  std::erase_if(conversation_.messages, [](const Message& m) { return m.role != Role::kSystem; });
}

void Chat::show_stats() {
  console_.write_error(fmt::format("{} messages, {} of {} tokens of the context\n",
                                   conversation_.messages.size(), session_.length(),
                                   session_.capacity()));
  if (last_) {
    console_.write_error(
        fmt::format("last reply: {}, {} reused\n", in_words(*last_), last_->reused_tokens));
  }
}

void Chat::save(const std::string& name) {
  if (name.empty()) fail("/save", "expected the name of a file");
  std::error_code ignored;
  if (name != saved_as_ && std::filesystem::exists(name, ignored)) {
    fail(printable(name), "is there already; choose another name");
  }
  auto messages = nlohmann::ordered_json::array();
  for (const Message& m : conversation_.messages) {
    nlohmann::ordered_json entry = {{"role", role_name(m.role)}, {"content", m.content}};
    if (!m.reasoning.empty()) entry["reasoning"] = m.reasoning;
    for (const ToolCall& call : m.tool_calls) {
      entry["tool_calls"].push_back({{"name", call.name}, {"arguments", call.arguments}});
    }
    messages.push_back(std::move(entry));
  }
  const nlohmann::ordered_json all = {{"model", model_name(path_)},
                                      {"messages", std::move(messages)}};
  using Json = nlohmann::ordered_json;
  AtomicFile file(name);
  file.write(all.dump(2, ' ', false, Json::error_handler_t::replace));
  file.write("\n");
  file.commit();
  saved_as_ = name;
}

void Chat::answer(const std::string& text) {
  Conversation asked = conversation_;
  asked.messages.push_back(message(Role::kUser, text));
  const auto prompt = renderer_.render(asked);
  const auto length = static_cast<int64_t>(prompt.ids.size());
  if (length >= session_.capacity()) {
    fail("context", "the conversation has {} tokens, the context {}; /reset starts anew", length,
         session_.capacity());
  }
  ReplyReader reader(*bundle_.tokenizer, renderer_.parser(prompt.starts_in_thinking));
  ReplyPrinter printer(console_);
  Progress progress(console_, "reading");
  last_ = generator_.generate(prompt.ids, generation_, [&](int32_t id) {
    if (id < 0) {
      progress.show(session_.length(), length);
    } else {
      progress.clear();
      printer.print(reader.add(id));
    }
    return stop_signal() == 0;
  });
  progress.clear();
  printer.print(reader.finish());
  printer.finish();
  if (last_->reason == FinishReason::kLength) {
    console_.note(session_.length() == session_.capacity()
                      ? "the context is full; /reset starts anew"
                      : "the reply was cut at --max-tokens");
  }
  // A reply that was stopped stays in the conversation as far as it came.
  asked.messages.push_back(reader.reply());
  conversation_ = std::move(asked);
  ++generation_.sampling.seed;
  if (stop_signal() == SIGINT) forget_stop_signal();
  throw_if_stopped();
}

int chat(const ChatOptions& options, Console& console) {
  return Chat(options, console).run(options.quiet);
}

}  // namespace

void add_chat(CLI::App& app, Action& action) {
  const auto o = std::make_shared<ChatOptions>();
  CLI::App& verb = add_verb(app, action, "chat", "talk with a model", o, chat);
  add_model(verb, o->model);
  add_integer(verb, "-n,--max-tokens", o->max_tokens, 1, std::numeric_limits<int64_t>::max(),
              "most tokens of a reply [until the model ends it]");
  const auto set_system = [o](std::string text) { o->system = std::move(text); };
  add_text(verb, "--system", set_system, "the system message");
  verb.add_flag("--no-think", o->no_think, "answer at once, where the chat format has the switch");
  add_sampling(verb, o->sampling, "0.6");
  add_context(verb, o->context, "16384, or the model's own");
  add_threads(verb, o->threads);
  add_kv_type(verb, o->kv_type);
  verb.add_flag("--quiet", o->quiet, "nothing on standard error but errors");
  verb.footer("Commands:\n" + std::string(kHelp) +
              "\nWhen standard input is not a terminal, each of its lines is a message.");
}

}  // namespace minke
