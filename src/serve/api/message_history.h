#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "serve/api/request_reader.h"
#include "serve/api/turn.h"

namespace minke {

// Puts together the messages of a conversation from the pieces in which clients send it. Clients
// give calls names and say of each result whose it is; in a conversation results stand behind
// their calls, in the order of these. What the assistant says, thinks and calls until somebody else
// speaks is one message. Throws ApiFailure, naming the piece, for a result that nobody asked for
// and for a call that is left without one: the model would take one result for another.
class MessageHistory {
 public:
  // kJoined: what one role says in a row is one message, lines apart.
  enum class Turns { kApart, kJoined };
  explicit MessageHistory(Turns turns) : turns_(turns) {}

  // `role` is not kTool.
  void say(Role role, std::string text);
  void think(const std::string& text);  // the assistant
  void call(const JsonField& id, ToolCall call);
  void result(const JsonField& id, std::string text);
  std::vector<Message> finish();

 private:
  struct OpenCall {
    JsonField id;
    std::string result{};
    bool answered = false;
  };

  void add_message(Role role, std::string content);
  Message& assistant();
  void place_results();

  Turns turns_;
  std::vector<Message> messages_;
  std::vector<OpenCall> calls_;  // of the last message, if it is the assistant's
  std::unordered_map<std::string, size_t> call_of_;
  size_t answered_ = 0;
};

}  // namespace minke
