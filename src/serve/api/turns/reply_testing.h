#pragma once

// For tests only.

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/core/check.h"
#include "base/core/rng.h"
#include "serve/api/turns/reply_constraint.h"
#include "text/chat/test_tokenizer.h"

namespace minke::testing {

inline constexpr const char* kWeather =
    R"({"type": "object", "properties": {"city": {"enum": ["Rome", "Oslo"]},
        "days": {"type": "integer", "minimum": 1, "maximum": 3}},
        "required": ["city", "days"], "additionalProperties": false})";

// A format with all that constraints need of it.
struct Chat {
  explicit Chat(ChatFormat format, bool text_markers = false)
      : tokenizer(spec(format, text_markers)),
        renderer(chat_template(format), tokenizer),
        vocabulary(std::make_shared<ReplyVocabulary>(tokenizer, renderer)),
        stops(renderer.stop_ids()) {}

  // With tokens that go over the places where a constraint begins or ends.
  static TokenizerSpec spec(ChatFormat format, bool text_markers) {
    TokenizerSpec spec = chat_test_spec(format, text_markers);
    for (const char* piece :
         {"\":{\"", "{\"name", "{\"arguments\":{\"", "weather\",\"arguments\":{\"", "weather\",",
          ">{", ">{\"", ">x", "_call>", "think>{\"", "\"}}"}) {
      spec.tokens.emplace_back(piece);
    }
    if (!text_markers) return spec;
    for (const char* piece : {"</think>{\"x", "</think>x", "<tool_call>x",
                              "<tool_call>{\"name\":\"weather\",\"arguments\":{\""}) {
      spec.tokens.emplace_back(piece);
    }
    return spec;
  }

  static ChatTemplate chat_template(ChatFormat format) {
    ChatTemplate t;
    t.format = format;
    return t;
  }

  std::shared_ptr<const ReplyRules> rules(const TurnRequest& request, bool thinking = false,
                                          const GrammarLimits& limits = {}) {
    return reply_rules({&renderer, vocabulary, stops, thinking}, request, limits);
  }
  std::shared_ptr<TokenConstraint> constraint(const TurnRequest& request, bool thinking = false) {
    const auto compiled = rules(request, thinking);
    return compiled ? reply_constraint(compiled) : nullptr;
  }
  // `text` in the longest tokens that begin with what is left of it.
  std::vector<int32_t> longest_tokens(std::string_view text) const {
    std::vector<int32_t> ids;
    while (!text.empty()) {
      int32_t best = -1;
      size_t size = 0;
      for (int32_t id = 0; id < tokenizer.size(); ++id) {
        const std::string_view bytes = tokenizer.bytes(id, true);
        if (bytes.size() > size && text.starts_with(bytes)) {
          best = id;
          size = bytes.size();
        }
      }
      ids.push_back(best);
      text.remove_prefix(size);
    }
    return ids;
  }

  Tokenizer tokenizer;
  ChatRenderer renderer;
  std::shared_ptr<const ReplyVocabulary> vocabulary;
  std::vector<int32_t> stops;
};

inline TurnRequest with_tools() {
  TurnRequest request;
  request.conversation.tools = {{"weather", "", kWeather}, {"weatherman", "", ""}};
  request.strict_tools = {true, false};
  return request;
}

inline std::vector<int32_t> allowed_ids(TokenConstraint& constraint, const Tokenizer& tokenizer) {
  std::vector<uint64_t> bits((static_cast<size_t>(tokenizer.size()) + 63) / 64);
  constraint.allowed(bits);
  std::vector<int32_t> ids;
  for (int32_t id = 0; id < tokenizer.size(); ++id) {
    if (bits[static_cast<size_t>(id) / 64] >> (id % 64) & 1) ids.push_back(id);
  }
  return ids;
}

inline bool allows(TokenConstraint& constraint, const Tokenizer& tokenizer, int32_t id) {
  const auto ids = allowed_ids(constraint, tokenizer);
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

// Whether a reply may be written in these tokens.
inline bool takes(Chat& chat, TokenConstraint& constraint, std::span<const int32_t> ids) {
  for (const int32_t id : ids) {
    if (!allows(constraint, chat.tokenizer, id)) return false;
    constraint.accept(id);
  }
  return true;
}
inline bool takes(Chat& chat, TokenConstraint& constraint, std::string_view text) {
  return takes(chat, constraint, chat.longest_tokens(text));
}

inline std::string replaced(std::string text, std::string_view what, std::string_view with) {
  const size_t at = text.find(what);
  CHECK(at != std::string::npos);
  return text.replace(at, what.size(), with);
}

inline constexpr ChatFormat kToolFormats[] = {ChatFormat::kChatMl, ChatFormat::kDeepSeekV25,
                                              ChatFormat::kDeepSeekV3, ChatFormat::kDeepSeekR1,
                                              ChatFormat::kDeepSeekV31};

// Random draws within the constraint until a token ends the reply; what the client would see.
inline Message drawn(Chat& chat, TokenConstraint& constraint, uint64_t seed) {
  Rng rng(seed);
  Message reply;
  ReplyParser parser = chat.renderer.parser(false);
  const auto keep = [&](const ReplyDelta& delta) {
    reply.content += delta.content;
    for (const ToolCall& call : delta.tool_calls) reply.tool_calls.push_back(call);
  };
  for (int i = 0; i < 4000; ++i) {
    const auto ids = allowed_ids(constraint, chat.tokenizer);
    if (ids.empty()) break;
    const int32_t id = ids[rng.below(ids.size())];
    constraint.accept(id);
    if (std::find(chat.stops.begin(), chat.stops.end(), id) != chat.stops.end()) {
      keep(parser.finish());
      return reply;
    }
    keep(parser.add(id));
  }
  ADD_FAILURE() << "no end; so far: " << reply.content;
  return reply;
}

inline void expect_weather(const ToolCall& call) {
  EXPECT_EQ(call.name, "weather");
  const auto arguments = nlohmann::json::parse(call.arguments);
  EXPECT_EQ(arguments.size(), 2U);
  EXPECT_TRUE(arguments.at("city") == "Rome" || arguments.at("city") == "Oslo");
  EXPECT_TRUE(arguments.at("days") >= 1 && arguments.at("days") <= 3);
}

}  // namespace minke::testing
