#include "serve/api/responses/responses_request.h"

#include <algorithm>
#include <initializer_list>
#include <limits>

#include "serve/api/message_fields.h"
#include "serve/api/responses/responses_input.h"

namespace minke {
namespace {

constexpr int64_t kMostTokens = std::numeric_limits<int32_t>::max();

class RequestReader {
 public:
  ResponsesRequest read(std::string_view text) {
    const RequestBody body = RequestBody::parse(text, ValueStatus::kBadRequest);
    JsonObject root(body.root(), out_.ignored);
    refuse_state(root);
    out_.turn.model = root.need("model").text(1, 256);
    if (const auto stream = root.get("stream")) out_.stream = stream->boolean();
    const auto instructions = root.get("instructions");
    echo("instructions", instructions ? WireJson(instructions->text()) : WireJson());
    read_numbers(root);
    read_text(root);
    read_reasoning(root);
    read_tools(root);
    read_tool_choice(root);
    read_include(root);
    read_names(root);
    read_metadata(root);
    read_without_effect(root);
    out_.turn.conversation.messages = read_responses_input(root);
    root.close();
    return std::move(out_);
  }

 private:
  void echo(const std::string& name, WireJson value) { out_.echo[name] = std::move(value); }

  static void refuse_state(JsonObject& root) {
    for (const std::string_view name : {"previous_response_id", "conversation", "prompt"}) {
      if (const auto field = root.get(name)) {
        field->refused("nothing is stored here: send the whole conversation as input");
      }
    }
    const auto background = root.get("background");
    if (background && background->boolean()) background->refused("not supported");
    for (const std::string_view name : {"moderation", "context_management"}) {
      if (const auto field = root.get(name)) field->refused("not supported");
    }
    for (const std::string_view name : {"presence_penalty", "frequency_penalty"}) {
      const auto field = root.get(name);
      if (field && field->number(-2, 2) != 0) field->refused("not supported");
    }
  }

  void read_numbers(JsonObject& root) {
    SamplingOptions& sampling = out_.turn.sampling;
    out_.has_seed = read_sampling(root, sampling);
    const auto temperature = root.get("temperature");
    const auto top_p = root.get("top_p");
    echo("temperature", temperature ? temperature->number(0, 2) : 1.0);
    echo("top_p", top_p ? top_p->number(0, 1) : 1.0);
    echo("presence_penalty", 0);
    echo("frequency_penalty", 0);
    const auto most = root.get("max_output_tokens");
    if (most) out_.turn.max_tokens = most->integer(1, kMostTokens);
    echo("max_output_tokens", most ? WireJson(out_.turn.max_tokens) : WireJson());
    // It counts calls of tools that run on the server, of which there are none.
    const auto calls = root.get("max_tool_calls");
    echo("max_tool_calls", calls ? WireJson(calls->integer(1, kMostTokens)) : WireJson());
    const auto top = root.get("top_logprobs");
    if (top) out_.turn.top = static_cast<int>(top->integer(0, 20));
    out_.turn.log_probabilities = out_.turn.top > 0;
    echo("top_logprobs", out_.turn.top);
  }

  void read_text(JsonObject& root) {
    const auto text = root.get("text");
    const auto format = text ? text->get("format") : std::nullopt;
    WireJson echoed = {{"type", "text"}};
    if (format) {
      const std::string_view type =
          format->need("type").one_of({"text", "json_object", "json_schema"});
      echoed["type"] = type;
      if (type == "json_object") out_.turn.format = TextFormat::kJsonObject;
      if (type == "json_schema") read_schema(*format, echoed);
    }
    WireJson whole = {{"format", std::move(echoed)}};
    if (const auto verbosity = text ? text->get("verbosity") : std::nullopt) {
      whole["verbosity"] = verbosity->one_of({"low", "medium", "high"});
      out_.ignored.add("text.verbosity");
    }
    echo("text", std::move(whole));
  }

  void read_schema(const JsonField& format, WireJson& echoed) {
    out_.turn.format = TextFormat::kJsonSchema;
    out_.turn.format_text = format.need("schema").object_json();
    echoed["name"] = format.need("name").name(kMostNameBytes);
    if (const auto description = format.get("description")) {
      echoed["description"] = description->text();
    }
    echoed["schema"] = wire_value(out_.turn.format_text);
    const auto strict = format.get("strict");
    echoed["strict"] = strict && strict->boolean();
  }

  void read_reasoning(JsonObject& root) {
    const auto reasoning = root.get("reasoning");
    const auto effort = reasoning ? reasoning->get("effort") : std::nullopt;
    const auto summary = reasoning ? reasoning->get("summary") : std::nullopt;
    WireJson echoed = {{"effort", nullptr}, {"summary", nullptr}};
    if (effort) {
      const std::string_view word =
          effort->one_of({"none", "minimal", "low", "medium", "high", "xhigh", "max"});
      out_.turn.conversation.thinking = word != "none";
      echoed["effort"] = word;
    }
    if (summary) {
      echoed["summary"] = summary->one_of({"auto", "concise", "detailed"});
      out_.ignored.add("reasoning.summary");
    }
    echo("reasoning", std::move(echoed));
  }

  void read_tools(JsonObject& root) {
    WireJson echoed = WireJson::array();
    if (const auto tools = root.get("tools")) {
      for (const JsonField& tool : tools->items(kMostTools)) {
        if (tool.need("type").text() != "function") {
          tool.refused_type("tools other than functions, those");
        }
        read_function(tool, "parameters", out_.turn);
        const Tool& read = out_.turn.conversation.tools.back();
        const bool described = tool.get("description").has_value();
        echoed.push_back({{"type", "function"},
                          {"name", read.name},
                          {"description", described ? WireJson(read.description) : WireJson()},
                          {"parameters", wire_value(read.parameters)},
                          {"strict", static_cast<bool>(out_.turn.strict_tools.back())}});
      }
    }
    echo("tools", std::move(echoed));
    const auto parallel = root.get("parallel_tool_calls");
    out_.turn.parallel_tools = !parallel || parallel->boolean();
    echo("parallel_tool_calls", out_.turn.parallel_tools);
  }

  void read_tool_choice(JsonObject& root) {
    const auto choice = root.get("tool_choice");
    echo("tool_choice", "auto");
    if (!choice) return;
    if (choice->is_object()) return read_choice_object(*choice);
    const std::string_view word = choice->one_of({"none", "auto", "required"});
    if (word == "none") out_.turn.tool_choice = ToolChoice::kNone;
    if (word == "required") require_tool(*choice);
    echo("tool_choice", word);
  }

  void require_tool(const JsonField& choice) {
    if (out_.turn.conversation.tools.empty()) choice.refused("there are no tools to choose from");
    out_.turn.tool_choice = ToolChoice::kRequired;
  }

  void read_choice_object(const JsonField& choice) {
    const std::string type = choice.need("type").text();
    if (type == "function") {
      choose_function(choice.need("name"), out_.turn);
      echo("tool_choice", {{"type", "function"}, {"name", out_.turn.named_tool}});
    } else if (type == "allowed_tools") {
      read_allowed_tools(choice);
    } else {
      choice.refused_type("choices");
    }
  }

  // The others are as if they had not been sent.
  void read_allowed_tools(const JsonField& choice) {
    const std::string_view mode = choice.need("mode").one_of({"auto", "required"});
    auto& tools = out_.turn.conversation.tools;
    std::vector<bool> allowed(tools.size());
    WireJson echoed = WireJson::array();
    for (const JsonField& tool : choice.need("tools").items(kMostTools)) {
      if (tool.need("type").text() != "function") tool.refused_type("tools");
      const JsonField name = tool.need("name");
      const std::string text = name.text();
      const auto found = std::find_if(tools.begin(), tools.end(),
                                      [&](const Tool& known) { return known.name == text; });
      if (found == tools.end()) name.invalid("the name of one of the tools");
      allowed[found - tools.begin()] = true;
      echoed.push_back({{"type", "function"}, {"name", text}});
    }
    keep_tools(allowed);
    if (mode == "required") require_tool(choice);
    echo("tool_choice", {{"type", "allowed_tools"}, {"mode", mode}, {"tools", std::move(echoed)}});
  }

  void keep_tools(const std::vector<bool>& allowed) {
    std::vector<Tool> tools;
    std::vector<bool> strict;
    for (size_t i = 0; i < allowed.size(); ++i) {
      if (!allowed[i]) continue;
      tools.push_back(std::move(out_.turn.conversation.tools[i]));
      strict.push_back(out_.turn.strict_tools[i]);
    }
    out_.turn.conversation.tools = std::move(tools);
    out_.turn.strict_tools = std::move(strict);
  }

  void read_include(JsonObject& root) {
    const auto include = root.get("include");
    if (!include) return;
    for (const JsonField& item : include->items(64)) {
      if (item.one_of({"message.output_text.logprobs", "reasoning.encrypted_content",
                       "file_search_call.results", "web_search_call.results",
                       "web_search_call.action.sources", "message.input_image.image_url",
                       "computer_call_output.output.image_url", "code_interpreter_call.outputs"}) ==
          "message.output_text.logprobs")
        out_.turn.log_probabilities = true;
    }
  }

  void read_names(JsonObject& root) {
    for (const std::string name : {"user", "safety_identifier", "prompt_cache_key"}) {
      const auto field = root.get(name);
      const std::string text = field ? field->text(0, kMostUserBytes) : "";
      if (name != "prompt_cache_key" && !text.empty()) out_.user = text;
      // A response has no null for this one.
      if (name != "user" || field) echo(name, field ? WireJson(text) : WireJson());
    }
    if (root.get("prompt_cache_key")) out_.ignored.add("prompt_cache_key");
  }

  void read_metadata(JsonObject& root) {
    WireJson echoed = WireJson::object();
    if (const auto metadata = root.get("metadata")) {
      for (const auto& [key, value] : metadata->members(16)) {
        if (key.size() > 64) metadata->refused("expected keys of at most 64 bytes");
        echoed[key] = value.text(0, 512);
      }
    }
    echo("metadata", std::move(echoed));
  }

  // Checked, answered with what holds, and of no effect.
  void read_without_effect(JsonObject& root) {
    if (const auto store = root.get("store"); store && store->boolean()) {
      out_.ignored.add("store");
    }
    echo("store", false);
    if (const auto truncation = root.get("truncation")) {
      if (truncation->one_of({"auto", "disabled"}) == "auto") out_.ignored.add("truncation");
    }
    echo("truncation", "disabled");
    if (const auto tier = root.get("service_tier")) {
      const std::string_view word =
          tier->one_of({"auto", "default", "flex", "scale", "priority", "fast", "ultrafast"});
      if (word != "auto" && word != "default") out_.ignored.add("service_tier");
    }
    echo("service_tier", "default");
    if (const auto options = root.get("stream_options")) {
      const auto padding = options->get("include_obfuscation");
      if (padding && padding->boolean()) {
        out_.ignored.add("stream_options.include_obfuscation");
      }
    }
    echo("background", false);
    echo("previous_response_id", nullptr);
  }

  ResponsesRequest out_;
};

}  // namespace

ResponsesRequest read_responses_request(std::string_view body) {
  return RequestReader().read(body);
}

}  // namespace minke
