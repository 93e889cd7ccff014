#include "serve/api/openai/chat.h"

#include "serve/api/openai/chat_reply.h"
#include "serve/api/openai/chat_request.h"
#include "serve/api/start_answer.h"

namespace minke {

OpenAiChat::OpenAiChat(TurnRunner& runner, OpenAiOptions options)
    : runner_(&runner), options_(std::move(options)) {}

void OpenAiChat::answer(const HttpRequest& request, const std::shared_ptr<HttpReply>& reply,
                        std::string_view caller) const {
  start_answer<ChatReply>(reply, [&](std::shared_ptr<ChatReply>& answer) {
    const std::string name = runner_->model_name();
    ChatRequest chat = read_chat_request(request.body, name, options_, caller);
    ChatReply::Shape shape;
    shape.choices = chat.turn.choices;
    shape.log_probabilities = chat.turn.log_probabilities;
    shape.include_usage = chat.include_usage;
    shape.reasoning = options_.reasoning;
    answer = std::make_shared<ChatReply>(
        answer_head("chatcmpl-", chat.stream ? "chat.completion.chunk" : "chat.completion", name,
                    options_),
        shape, AnswerSink(reply, chat.stream, chat.ignored));
    answer->accepted(runner_->start(std::move(chat.turn), answer));
  });
}

}  // namespace minke
