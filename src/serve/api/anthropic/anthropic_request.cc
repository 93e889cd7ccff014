#include "serve/api/anthropic/anthropic_request.h"

#include <array>
#include <limits>

#include <fmt/format.h>

#include "base/core/error.h"
#include "serve/api/message_fields.h"
#include "serve/api/message_history.h"

namespace minke {
namespace {

using Words = std::span<const std::string_view>;

constexpr std::array<std::string_view, 17> kKnown = {
    "model",       "messages", "system",    "max_tokens",  "stop_sequences", "stream",
    "temperature", "top_p",    "top_k",     "seed",        "thinking",       "tools",
    "tool_choice", "metadata", "container", "mcp_servers", "output_config"};
constexpr std::array<std::string_view, 1> kText = {"text"};

class RequestReader {
 public:
  explicit RequestReader(const ThinkingSignature& signature) : signature_(signature) {}

  AnthropicRequest read(std::string_view text, AnthropicPurpose purpose) {
    const MessageBody body = MessageBody::parse(text);
    const MessageField root = body.root();
    out_.ignored = body.unknown(kKnown);
    out_.turn.model = root.need("model").text(1, 256);
    constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
    if (purpose == AnthropicPurpose::kReply) {
      out_.turn.max_tokens = root.need("max_tokens").integer(1, kMost);
    }
    if (const auto stream = root.get("stream")) out_.stream = stream->boolean();
    out_.has_seed = read_sampling(root, out_.turn.sampling);
    if (const auto top_k = root.get("top_k")) {
      out_.turn.sampling.top_k = static_cast<int>(top_k->integer(0, kMost));
    }
    read_stops(root);
    read_thinking(root);
    read_tools(root);
    read_tool_choice(root);
    read_output(root);
    read_metadata(root);
    refuse_services(root);
    read_conversation(root);
    return std::move(out_);
  }

 private:
  void read_stops(const MessageField& root) {
    const auto stops = root.get("stop_sequences");
    if (!stops) return;
    for (const MessageField& stop : stops->items(kMostStops)) {
      out_.turn.stops.push_back(stop.text(1, 1024));
    }
  }

  void read_thinking(const MessageField& root) {
    out_.turn.conversation.thinking = false;
    const auto thinking = root.get("thinking");
    if (!thinking) return;
    constexpr std::array<std::string_view, 3> kTypes = {"enabled", "disabled", "adaptive"};
    out_.turn.conversation.thinking = thinking->need("type").word(kTypes) != "disabled";
    if (const auto budget = thinking->get("budget_tokens")) {
      budget->integer(1, std::numeric_limits<int32_t>::max());
      out_.ignored.push_back("thinking.budget_tokens");
    }
  }

  void read_tools(const MessageField& root) {
    const auto tools = root.get("tools");
    if (!tools) return;
    for (const MessageField& tool : tools->items(kMostTools)) {
      const auto type = tool.get("type");
      if (type && type->text() != "custom") tool.refuse_type("tools that run on the server, those");
      tool.need("input_schema");
      read_function(tool, "input_schema", out_.turn);
    }
  }

  void read_tool_choice(const MessageField& root) {
    const auto choice = root.get("tool_choice");
    if (!choice) return;
    constexpr std::array<std::string_view, 4> kTypes = {"auto", "any", "tool", "none"};
    const std::string type = choice->need("type").word(kTypes);
    if (type == "none") out_.turn.tool_choice = ToolChoice::kNone;
    if (type == "any") {
      if (out_.turn.conversation.tools.empty()) choice->refuse("there are no tools to choose from");
      out_.turn.tool_choice = ToolChoice::kRequired;
    }
    if (type == "tool") choose_function(choice->need("name"), out_.turn);
    if (const auto single = choice->get("disable_parallel_tool_use")) {
      out_.turn.parallel_tools = !single->boolean();
    }
  }

  void read_output(const MessageField& root) {
    const auto output = root.get("output_config");
    if (!output) return;
    if (output->get("effort")) out_.ignored.push_back("output_config.effort");
    const auto format = output->get("format");
    if (!format) return;
    constexpr std::array<std::string_view, 1> kTypes = {"json_schema"};
    format->need("type").word(kTypes);
    out_.turn.format = TextFormat::kJsonSchema;
    out_.turn.format_text = format->need("schema").object_json();
  }

  void read_metadata(const MessageField& root) {
    const auto metadata = root.get("metadata");
    if (!metadata) return;
    if (const auto user = metadata->get("user_id")) out_.user = user->text(0, kMostUserBytes);
  }

  void refuse_services(const MessageField& root) {
    if (const auto container = root.get("container")) {
      container->refuse("containers are not supported");
    }
    const auto servers = root.get("mcp_servers");
    if (servers && !servers->items(kMostTools).empty()) {
      servers->refuse("MCP servers are not supported: their tools must be called by the client");
    }
  }

  void read_conversation(const MessageField& root) {
    if (const auto system = root.get("system")) {
      std::string text = read_texts(*system, kText);
      if (!text.empty()) history_.say(Role::kSystem, std::move(text));
    }
    const MessageField list = root.need("messages");
    const auto messages = list.items(kMostMessages);
    if (messages.empty()) list.refuse("expected at least one message, found none");
    for (const MessageField& message : messages) {
      constexpr std::array<std::string_view, 3> kRoles = {"user", "assistant", "system"};
      const std::string role = message.need("role").word(kRoles);
      const MessageField content = message.need("content");
      if (role == "assistant") {
        read_assistant(content);
      } else if (role == "user") {
        read_user(content);
      } else {
        history_.say(Role::kSystem, read_texts(content, kText));
      }
    }
    auto& conversation = out_.turn.conversation;
    conversation.messages = history_.finish();
    out_.turn.continue_last = conversation.messages.back().role == Role::kAssistant;
  }

  void read_assistant(const MessageField& content) {
    if (content.is_string()) return history_.say(Role::kAssistant, content.text());
    history_.say(Role::kAssistant, "");
    for (const MessageField& block : content.items(kMostParts)) {
      const std::string type = block.need("type").text();
      if (type == "text") {
        history_.say(Role::kAssistant, block.need("text").text());
      } else if (type == "thinking") {
        const std::string thinking = block.need("thinking").text();
        const auto signature = block.get("signature");
        if (signature && signature_.fits(thinking, signature->text())) history_.think(thinking);
      } else if (type == "tool_use") {
        history_.call(block.need("id"), {block.need("name").name(), input_json(block)});
      } else if (type != "redacted_thinking") {
        block.refuse_type("blocks of an assistant");
      }
    }
  }

  static std::string input_json(const MessageField& block) {
    const auto input = block.get("input");
    return input ? input->object_json() : "{}";
  }

  // Results come first: in a conversation nothing stands between a call and its result.
  void read_user(const MessageField& content) {
    if (content.is_string()) return history_.say(Role::kUser, content.text());
    std::string text;
    bool said = false;
    const auto blocks = content.items(kMostParts);
    for (const MessageField& block : blocks) {
      const std::string type = block.need("type").text();
      if (type == "tool_result") {
        history_.result(block.need("tool_use_id"), result_text(block));
      } else if (type == "text") {
        if (said) text += '\n';
        text += block.need("text").text();
        said = true;
      } else {
        block.refuse_type("the model reads text alone: blocks");
      }
    }
    if (said || blocks.empty()) history_.say(Role::kUser, std::move(text));
  }

  static std::string result_text(const MessageField& block) {
    const auto content = block.get("content");
    std::string text = content ? read_texts(*content, kText) : "";
    const auto is_error = block.get("is_error");
    return is_error && is_error->boolean() ? "Error: " + text : text;
  }

  const ThinkingSignature& signature_;
  AnthropicRequest out_;
  MessageHistory history_{MessageHistory::Turns::kJoined};
};

}  // namespace

AnthropicRequest read_anthropic_request(std::string_view body, const ThinkingSignature& signature,
                                        AnthropicPurpose purpose) {
  return RequestReader(signature).read(body, purpose);
}

}  // namespace minke
