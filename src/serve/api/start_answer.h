#pragma once

#include <exception>
#include <memory>

#include "serve/api/api_errors.h"
#include "serve/http/server.h"

namespace minke {

// Lets `start` make an answer and start what it waits for, and tells an error of that: through the
// answer if there is one by then, else to `reply`. An answer that has begun is cancelled when its
// client leaves. `start` takes a std::shared_ptr<Answer>& to put the answer in; Answer has
// failed(const ApiError&) and cancel().
template <typename Answer, typename Start>
void start_answer(const std::shared_ptr<HttpReply>& reply, const Start& start) {
  std::shared_ptr<Answer> answer;
  try {
    start(answer);
  } catch (...) {
    const ApiError error = api_error_of(std::current_exception());
    if (answer) return answer->failed(error);
    return reply->send(openai_error(error));
  }
  reply->on_gone([weak = std::weak_ptr(answer)] {
    if (const auto still = weak.lock()) still->cancel();
  });
}

}  // namespace minke
