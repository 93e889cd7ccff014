#include "serve/api/message_fields.h"

#include <algorithm>
#include <limits>

namespace minke {

std::string read_texts(const JsonField& content, std::initializer_list<std::string_view> types) {
  if (content.is_string()) return content.text();
  std::string joined;
  bool first = true;
  for (const JsonField& part : content.items(kMostParts)) {
    const std::string type = part.need("type").text();
    if (std::find(types.begin(), types.end(), type) == types.end()) {
      part.refused_type("the model reads text alone: contents");
    }
    if (!first) joined += '\n';
    joined += part.need(type == "refusal" ? "refusal" : "text").text();
    first = false;
  }
  return joined;
}

void read_function(const JsonField& tool, std::string_view schema_key, TurnRequest& turn) {
  Tool function;
  const JsonField name = tool.need("name");
  function.name = name.name(kMostNameBytes);
  for (const Tool& other : turn.conversation.tools) {
    if (other.name == function.name) name.refused("two tools have this name");
  }
  if (const auto description = tool.get("description")) function.description = description->text();
  const auto schema = tool.get(schema_key);
  function.parameters = schema ? schema->object_json() : R"({"type":"object","properties":{}})";
  const auto strict = tool.get("strict");
  turn.strict_tools.push_back(strict && strict->boolean());
  turn.conversation.tools.push_back(std::move(function));
}

bool read_sampling(JsonObject& request, SamplingOptions& sampling) {
  const auto temperature = request.get("temperature");
  sampling.temperature = temperature ? static_cast<float>(temperature->number(0, 2)) : 1;
  const auto top_p = request.get("top_p");
  // The sampler keeps the most likely token for the smallest share, and knows no share of 0.
  sampling.top_p =
      top_p ? std::max(static_cast<float>(top_p->number(0, 1)), std::numeric_limits<float>::min())
            : 1;
  const auto seed = request.get("seed");
  if (seed) sampling.seed = seed->seed();
  return seed.has_value();
}

void choose_function(const JsonField& name, TurnRequest& turn) {
  turn.named_tool = name.text();
  const auto& tools = turn.conversation.tools;
  const bool known = std::any_of(tools.begin(), tools.end(),
                                 [&](const Tool& tool) { return tool.name == turn.named_tool; });
  if (!known) name.invalid("the name of one of the tools");
  turn.tool_choice = ToolChoice::kNamed;
}

}  // namespace minke
