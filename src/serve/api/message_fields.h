#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/json.h"
#include "serve/api/turn.h"

namespace minke {

// A value in the JSON of a request and the way to it. What is not as it should be throws ApiFailure
// with status 400, whose `param` is the way, "messages[2].content[0].text", and whose message says
// what was expected and what was found.
class MessageField {
 public:
  MessageField(simdjson::dom::element element, std::string path)
      : element_(element), path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  // Throws: "path: why".
  [[noreturn]] void refuse(std::string_view why) const;
  // Throws: "path: expected what, found ...".
  [[noreturn]] void expected(std::string_view what) const;
  // Throws: whatever has this type, the member `type` of this object, is not supported.
  [[noreturn]] void refuse_type(std::string_view what) const;

  bool is_string() const { return element_.is_string(); }
  bool is_object() const { return element_.is_object(); }

  // A member of this object; nothing if it is absent or null.
  std::optional<MessageField> get(std::string_view key) const;
  // A member that must be there.
  MessageField need(std::string_view key) const;
  // The members of this object that are not null, and the elements of this array; at most so many.
  std::vector<std::pair<std::string, MessageField>> named_members(size_t most) const;
  std::vector<MessageField> items(size_t most) const;

  std::string text() const;
  // Of so many bytes.
  std::string text(size_t least, size_t most) const;
  // One of `words`.
  std::string word(std::span<const std::string_view> words) const;
  // A function's name: 1 to 128 of A-Z a-z 0-9 _ -
  std::string name() const;
  bool boolean() const;
  // Reals without a fraction are integers, as JSON Schema has it.
  int64_t integer(int64_t least, int64_t most) const;
  double number(double least, double most) const;
  // This object as a JSON text without white space.
  std::string object_json() const;

 private:
  simdjson::dom::object object() const;

  simdjson::dom::element element_;
  std::string path_;
};

// The body of a request: a JSON object, in which no member stands twice.
class MessageBody {
 public:
  // Throws ApiFailure.
  static MessageBody parse(std::string_view body);

  MessageField root() const { return {document_.root(), ""}; }
  // Members of the root that are there, are not null, and are none of `known`.
  std::vector<std::string> unknown(std::span<const std::string_view> known) const;

 private:
  explicit MessageBody(JsonDocument document) : document_(std::move(document)) {}

  JsonDocument document_;
};

// Most of what a request may have of each; its body is bounded besides.
constexpr size_t kMostMessages = 100'000;
constexpr size_t kMostParts = 10'000;  // of one message
constexpr size_t kMostTools = 512;
constexpr size_t kMostStops = 16;
constexpr size_t kMostUserBytes = 512;

// A text, or a list of objects {"type": one of `types`, "text": text}, joined by newlines.
std::string read_texts(const MessageField& content, std::span<const std::string_view> types);

// {"name", "description", "strict"} and a schema in `schema_key`, added to `turn`. Without a schema
// the function takes no arguments.
void read_function(const MessageField& tool, std::string_view schema_key, TurnRequest& turn);

// "temperature" (0 to 2, else 1), "top_p" (0 to 1, else 1) and "seed" of `root`; false if it has no
// seed.
bool read_sampling(const MessageField& root, SamplingOptions& sampling);

// Makes `turn` call the function that `name` names.
void choose_function(const MessageField& name, TurnRequest& turn);

}  // namespace minke
