#include "serve/api/turns/engine_turns.h"

#include <algorithm>
#include <random>
#include <utility>

#include <fmt/core.h>

#include "base/core/error.h"
#include "base/core/rng.h"
#include "serve/api/api_errors.h"
#include "serve/api/turns/reply_constraint.h"
#include "serve/api/turns/turn_choice.h"

namespace minke {
namespace {

uint64_t random_number() {
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

}  // namespace

EngineTurns::EngineTurns(Engine& engine, ServedModel model)
    : engine_(engine), model_(std::move(model)) {
  if (model_.renderer == nullptr) return;
  vocabulary_ = std::make_shared<const ReplyVocabulary>(*model_.tokenizer, *model_.renderer);
}

EngineTurns::~EngineTurns() = default;

ChatRenderer::Prompt EngineTurns::prompt_of(const TurnRequest& request) const {
  if (model_.renderer == nullptr) {
    throw ApiFailure(api_error(
        400, "the model has no chat format; /v1/completions takes its prompts", "messages"));
  }
  Conversation conversation = request.conversation;
  if (request.tool_choice == ToolChoice::kNone) conversation.tools.clear();
  if (!request.continue_last) return model_.renderer->render(conversation);
  const Message last = std::move(conversation.messages.back());
  conversation.messages.pop_back();
  ChatRenderer::Prompt prompt = model_.renderer->render(conversation);
  std::vector<int32_t> begun = model_.renderer->render_reply(last, prompt.starts_in_thinking);
  // The reply goes on, so what would end it is left out.
  const auto& ends = model_.renderer->stop_ids();
  while (!begun.empty() && std::find(ends.begin(), ends.end(), begun.back()) != ends.end()) {
    begun.pop_back();
  }
  prompt.ids.insert(prompt.ids.end(), begun.begin(), begun.end());
  prompt.starts_in_thinking = false;
  return prompt;
}

int64_t EngineTurns::count_tokens(const TurnRequest& request) {
  return static_cast<int64_t>(prompt_of(request).ids.size());
}

std::shared_ptr<TurnHandle> EngineTurns::start(TurnRequest request,
                                               std::shared_ptr<TurnListener> listener) {
  ChatRenderer::Prompt prompt;
  try {
    prompt = prompt_of(request);
  } catch (const Error& error) {
    throw ApiFailure(api_error(400, error.what(), "messages"));
  }
  const auto tokens = static_cast<int64_t>(prompt.ids.size());
  const int64_t room = engine_.context() - tokens;
  if (room <= 0) throw ApiFailure(context_error(tokens, engine_.context()));

  EngineRequest base;
  base.prompt = std::move(prompt.ids);
  base.options = model_.generation;
  base.options.sampling = request.sampling;
  base.options.max_tokens = request.max_tokens > 0 ? std::min(request.max_tokens, room) : room;
  base.options.min_tokens = request.min_tokens;
  base.options.ignore_stop = request.ignore_stop;
  base.log_probabilities = request.log_probabilities;
  base.top = request.top;
  base.owner = request.owner;
  base.caller = request.caller;
  const uint64_t seed = request.sampling.seed;
  const auto rules = reply_rules(
      {model_.renderer, vocabulary_, model_.generation.stop_ids, prompt.starts_in_thinking},
      request);
  if (rules) {
    // The rules know where a reply can only end.
    base.options.min_tokens = 0;
    base.options.ignore_stop = false;
  }

  auto turn = std::make_shared<TurnState>(engine_, std::move(listener), request.choices, tokens);
  for (int i = 0; i < request.choices; ++i) {
    EngineRequest one = base;
    one.options.sampling.seed = i == 0 ? seed : Rng(seed, static_cast<uint64_t>(i)).next();
    try {
      if (rules) one.constraint = reply_constraint(rules);
      auto choice = std::make_shared<TurnChoice>(
          turn, i, *model_.tokenizer, model_.renderer->parser(prompt.starts_in_thinking),
          request.stops, request.log_probabilities, !request.parallel_tools,
          fmt::format("call_{:016x}", random_number()));
      turn->add_request(engine_.submit(std::move(one), std::move(choice)));
    } catch (...) {
      turn->abandon();
      throw ApiFailure(api_error_of(std::current_exception()));
    }
  }
  return turn;
}

}  // namespace minke
