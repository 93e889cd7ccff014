#include <algorithm>

#include <fmt/core.h>

#include "base/core/error.h"
#include "serve/api/api_errors.h"
#include "serve/api/openai/chat_request.h"

namespace minke {
namespace {

constexpr size_t kMostTools = 128, kMostNameBytes = 64, kMostGrammarBytes = 1 << 20;

void require_function(JsonObject& object) {
  const JsonField type = object.need("type");
  const std::string name = type.text();
  if (name != "function") {
    type.refused(fmt::format("this server knows tools of type \"function\" alone, found \"{}\"",
                             printable(name)));
  }
}

void read_tool(const JsonField& field, TurnRequest& turn, IgnoredFields& ignored) {
  JsonObject object(field, ignored);
  require_function(object);
  JsonObject function(object.need("function"), ignored);
  Tool tool;
  const JsonField name = function.need("name");
  tool.name = name.name(kMostNameBytes);
  if (std::ranges::find(turn.conversation.tools, tool.name, &Tool::name) !=
      turn.conversation.tools.end()) {
    name.invalid("a name that no other tool has");
  }
  if (const auto description = function.get("description")) tool.description = description->text();
  if (const auto parameters = function.get("parameters")) {
    tool.parameters = parameters->object_json();
  }
  turn.strict_tools.push_back(function.boolean_or("strict", false));
  turn.conversation.tools.push_back(std::move(tool));
  function.close();
  object.close();
}

// The name in {"function": {"name": ...}}, that of a tool of `turn`.
std::string chosen_name(JsonObject& object, const TurnRequest& turn, IgnoredFields& ignored) {
  JsonObject function(object.need("function"), ignored);
  const JsonField field = function.need("name");
  std::string name = field.text();
  if (std::ranges::find(turn.conversation.tools, name, &Tool::name) ==
      turn.conversation.tools.end()) {
    field.invalid("the name of one of the tools");
  }
  function.close();
  return name;
}

// Tools that may not be called are left out of the prompt.
void read_allowed(JsonObject& choice, TurnRequest& turn, IgnoredFields& ignored) {
  JsonObject allowed(choice.need("allowed_tools"), ignored);
  const std::string_view mode = allowed.need("mode").one_of({"auto", "required"});
  std::vector<std::string> names;
  const JsonField tools = allowed.need("tools");
  for (const JsonField& item : tools.items(kMostTools)) {
    JsonObject object(item, ignored);
    require_function(object);
    names.push_back(chosen_name(object, turn, ignored));
    object.close();
  }
  if (names.empty()) tools.expected("at least one tool");
  allowed.close();
  std::vector<Tool> kept;
  std::vector<bool> strict;
  for (size_t i = 0; i < turn.conversation.tools.size(); ++i) {
    Tool& tool = turn.conversation.tools[i];
    if (std::ranges::find(names, tool.name) == names.end()) continue;
    kept.push_back(std::move(tool));
    strict.push_back(turn.strict_tools[i]);
  }
  turn.conversation.tools = std::move(kept);
  turn.strict_tools = std::move(strict);
  turn.tool_choice = mode == "auto" ? ToolChoice::kAuto : ToolChoice::kRequired;
}

void read_choice(const JsonField& field, TurnRequest& turn, IgnoredFields& ignored) {
  if (field.is_string()) {
    const std::string_view mode = field.one_of({"none", "auto", "required"});
    if (mode == "required" && turn.conversation.tools.empty()) {
      field.refused("expected tools with \"required\", found none");
    }
    turn.tool_choice = mode == "none"   ? ToolChoice::kNone
                       : mode == "auto" ? ToolChoice::kAuto
                                        : ToolChoice::kRequired;
    return;
  }
  if (!field.is_object()) field.expected("a string or an object");
  JsonObject choice(field, ignored);
  const JsonField type = choice.need("type");
  const std::string_view name = type.one_of({"function", "allowed_tools", "custom"});
  if (name == "custom") type.refused("this server knows tools of type \"function\" alone");
  if (name == "allowed_tools") {
    read_allowed(choice, turn, ignored);
  } else {
    turn.named_tool = chosen_name(choice, turn, ignored);
    turn.tool_choice = ToolChoice::kNamed;
  }
  choice.close();
}

void read_schema(JsonObject& format, TurnRequest& turn, IgnoredFields& ignored) {
  JsonObject schema(format.need("json_schema"), ignored);
  schema.need("name").name(kMostNameBytes);
  if (const auto description = schema.get("description")) description->text();
  // A schema is kept to whether `strict` is set or not.
  schema.boolean_or("strict", false);
  turn.format = TextFormat::kJsonObject;
  if (const auto text = schema.get("schema")) {
    turn.format = TextFormat::kJsonSchema;
    turn.format_text = text->object_json();
  }
  schema.close();
}

}  // namespace

void read_tools(JsonObject& request, TurnRequest& turn, IgnoredFields& ignored) {
  request.refuse("functions", "expected tools instead");
  request.refuse("function_call", "expected tool_choice instead");
  if (const auto tools = request.get("tools")) {
    for (const JsonField& tool : tools->items(kMostTools)) read_tool(tool, turn, ignored);
  }
  if (const auto choice = request.get("tool_choice")) read_choice(*choice, turn, ignored);
  turn.parallel_tools = request.boolean_or("parallel_tool_calls", true);
}

void read_format(JsonObject& request, TurnRequest& turn, IgnoredFields& ignored) {
  if (const auto field = request.get("response_format")) {
    JsonObject format(*field, ignored);
    const std::string_view type =
        format.need("type").one_of({"text", "json_object", "json_schema"});
    if (type == "json_object") turn.format = TextFormat::kJsonObject;
    if (type == "json_schema") read_schema(format, turn, ignored);
    format.close();
  }
  if (const auto grammar = request.get("grammar")) {
    std::string text = grammar->text(kMostGrammarBytes);
    if (text.empty()) return;
    if (turn.format != TextFormat::kText) {
      grammar->refused("expected either a grammar or a response_format of JSON, found both");
    }
    turn.format = TextFormat::kGrammar;
    turn.format_text = std::move(text);
  }
}

}  // namespace minke
