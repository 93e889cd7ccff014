#include "serve/api/turns/call_forms.h"

#include <string>
#include <string_view>

#include "base/core/check.h"
#include "text/chat/formats.h"

namespace minke {
namespace {

// A name and arguments that no tool has, to find where they stand.
constexpr std::string_view kName = "minke-name";
constexpr std::string_view kArguments = R"({"minke-arguments":0})";

size_t find(std::string_view text, std::string_view what, size_t from = 0) {
  const size_t at = text.find(what, from);
  CHECK(at != std::string_view::npos);
  return at;
}

// Where arguments stand. Renderers may write them with blanks of their own.
struct Place {
  size_t begin, end;
};
Place find_arguments(std::string_view text, size_t from = 0) {
  const size_t begin = find(text, kArguments.substr(0, kArguments.find(':')), from);
  return {begin, find(text, "}", begin) + 1};
}

std::string calls_text(const ChatRenderer& renderer, const TokenTrie& trie, size_t count) {
  Message message;
  message.role = Role::kAssistant;
  message.tool_calls.assign(count, {std::string(kName), std::string(kArguments)});
  std::string text;
  for (const int32_t id : renderer.render_reply(message, false)) text += trie.bytes(id);
  return text;
}

}  // namespace

CallForms call_forms(const ChatRenderer& renderer, const ReplyVocabulary& vocabulary) {
  const auto bytes_of = [&](Marker marker) {
    const auto id = vocabulary.markers.id(marker);
    return id ? vocabulary.trie.bytes(*id) : vocabulary.markers.spelling(marker);
  };
  const std::string one = calls_text(renderer, vocabulary.trie, 1);
  const size_t name = find(one, kName);
  const Place arguments = find_arguments(one);
  CallForms forms;
  forms.reply.before = one.substr(0, name);
  const size_t behind = name + kName.size();
  forms.reply.middle = one.substr(behind, arguments.begin - behind);
  forms.reply.after = one.substr(arguments.end);
  const std::string two = calls_text(renderer, vocabulary.trie, 2);
  forms.reply.between = two.substr(arguments.end, find(two, kName, arguments.end) - arguments.end);
  forms.reply.free_blanks = format_rules(renderer.chat_template().format).tools == ToolStyle::kJson;

  forms.inside = forms.reply;
  const std::string_view begin = bytes_of(Marker::kCallBegin), end = bytes_of(Marker::kCallEnd);
  std::string& before = forms.inside.before;
  before.erase(0, find(before, begin) + begin.size());
  std::string& after = forms.inside.after;
  after.erase(find(after, end) + end.size());
  return forms;
}

}  // namespace minke
