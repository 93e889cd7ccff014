#include "serve/api/anthropic/anthropic_request.h"

#include <initializer_list>
#include <limits>

#include <fmt/format.h>

#include "base/core/error.h"
#include "serve/api/message_fields.h"
#include "serve/api/message_history.h"

namespace minke {
namespace {

class RequestReader {
 public:
  explicit RequestReader(const ThinkingSignature& signature) : signature_(signature) {}

  AnthropicRequest read(std::string_view text, AnthropicPurpose purpose) {
    const RequestBody body = RequestBody::parse(text, ValueStatus::kBadRequest);
    JsonObject root(body.root(), out_.ignored);
    out_.turn.model = root.need("model").text(1, 256);
    constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
    // Counting tokens needs none, but it is known.
    root.get("max_tokens");
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
    root.close();
    return std::move(out_);
  }

 private:
  void read_stops(JsonObject& root) {
    const auto stops = root.get("stop_sequences");
    if (!stops) return;
    for (const JsonField& stop : stops->items(kMostStops)) {
      out_.turn.stops.push_back(stop.text(1, 1024));
    }
  }

  void read_thinking(JsonObject& root) {
    out_.turn.conversation.thinking = false;
    const auto thinking = root.get("thinking");
    if (!thinking) return;
    out_.turn.conversation.thinking =
        thinking->need("type").one_of({"enabled", "disabled", "adaptive"}) != "disabled";
    if (const auto budget = thinking->get("budget_tokens")) {
      budget->integer(1, std::numeric_limits<int32_t>::max());
      out_.ignored.add("thinking.budget_tokens");
    }
  }

  void read_tools(JsonObject& root) {
    const auto tools = root.get("tools");
    if (!tools) return;
    for (const JsonField& tool : tools->items(kMostTools)) {
      const auto type = tool.get("type");
      if (type && type->text() != "custom")
        tool.refused_type("tools that run on the server, those");
      tool.need("input_schema");
      read_function(tool, "input_schema", out_.turn);
    }
  }

  void read_tool_choice(JsonObject& root) {
    const auto choice = root.get("tool_choice");
    if (!choice) return;
    const std::string_view type = choice->need("type").one_of({"auto", "any", "tool", "none"});
    if (type == "none") out_.turn.tool_choice = ToolChoice::kNone;
    if (type == "any") {
      if (out_.turn.conversation.tools.empty())
        choice->refused("there are no tools to choose from");
      out_.turn.tool_choice = ToolChoice::kRequired;
    }
    if (type == "tool") choose_function(choice->need("name"), out_.turn);
    if (const auto single = choice->get("disable_parallel_tool_use")) {
      out_.turn.parallel_tools = !single->boolean();
    }
  }

  void read_output(JsonObject& root) {
    const auto output = root.get("output_config");
    if (!output) return;
    if (output->get("effort")) out_.ignored.add("output_config.effort");
    const auto format = output->get("format");
    if (!format) return;
    format->need("type").one_of({"json_schema"});
    out_.turn.format = TextFormat::kJsonSchema;
    out_.turn.format_text = format->need("schema").object_json();
  }

  void read_metadata(JsonObject& root) {
    const auto metadata = root.get("metadata");
    if (!metadata) return;
    if (const auto user = metadata->get("user_id")) out_.user = user->text(0, kMostUserBytes);
  }

  void refuse_services(JsonObject& root) {
    if (const auto container = root.get("container")) {
      container->refused("containers are not supported");
    }
    const auto servers = root.get("mcp_servers");
    if (servers && !servers->items(kMostTools).empty()) {
      servers->refused("MCP servers are not supported: their tools must be called by the client");
    }
  }

  void read_conversation(JsonObject& root) {
    if (const auto system = root.get("system")) {
      std::string text = read_texts(*system, {"text"});
      if (!text.empty()) history_.say(Role::kSystem, std::move(text));
    }
    const JsonField list = root.need("messages");
    const auto messages = list.items(kMostMessages);
    if (messages.empty()) list.refused("expected at least one message, found none");
    for (const JsonField& message : messages) {
      const std::string_view role = message.need("role").one_of({"user", "assistant", "system"});
      const JsonField content = message.need("content");
      if (role == "assistant") {
        read_assistant(content);
      } else if (role == "user") {
        read_user(content);
      } else {
        history_.say(Role::kSystem, read_texts(content, {"text"}));
      }
    }
    auto& conversation = out_.turn.conversation;
    conversation.messages = history_.finish();
    out_.turn.continue_last = conversation.messages.back().role == Role::kAssistant;
  }

  void read_assistant(const JsonField& content) {
    if (content.is_string()) return history_.say(Role::kAssistant, content.text());
    history_.say(Role::kAssistant, "");
    for (const JsonField& block : content.items(kMostParts)) {
      const std::string type = block.need("type").text();
      if (type == "text") {
        history_.say(Role::kAssistant, block.need("text").text());
      } else if (type == "thinking") {
        const std::string thinking = block.need("thinking").text();
        const auto signature = block.get("signature");
        if (signature && signature_.fits(thinking, signature->text())) history_.think(thinking);
      } else if (type == "tool_use") {
        history_.call(block.need("id"),
                      {block.need("name").name(kMostNameBytes), input_json(block)});
      } else if (type != "redacted_thinking") {
        block.refused_type("blocks of an assistant");
      }
    }
  }

  static std::string input_json(const JsonField& block) {
    const auto input = block.get("input");
    return input ? input->object_json() : "{}";
  }

  // Results come first: in a conversation nothing stands between a call and its result.
  void read_user(const JsonField& content) {
    if (content.is_string()) return history_.say(Role::kUser, content.text());
    std::string text;
    bool said = false;
    const auto blocks = content.items(kMostParts);
    for (const JsonField& block : blocks) {
      const std::string type = block.need("type").text();
      if (type == "tool_result") {
        history_.result(block.need("tool_use_id"), result_text(block));
      } else if (type == "text") {
        if (said) text += '\n';
        text += block.need("text").text();
        said = true;
      } else {
        block.refused_type("the model reads text alone: blocks");
      }
    }
    if (said || blocks.empty()) history_.say(Role::kUser, std::move(text));
  }

  static std::string result_text(const JsonField& block) {
    const auto content = block.get("content");
    std::string text = content ? read_texts(*content, {"text"}) : "";
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
