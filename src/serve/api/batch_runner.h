#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "serve/access/batch_store.h"
#include "serve/http/server.h"

namespace minke {

struct BatchRunnerParts {
  BatchStore* store = nullptr;  // must outlive the runner
  // Answers a line, now or later and on any thread. Must not wait.
  std::function<void(const BatchLine&, std::shared_ptr<HttpReply>)> answer;
  // Whether another line may begin while `in_hand` are being answered.
  std::function<bool(int64_t in_hand)> has_room;
  std::function<void(const std::string&)> warn;
  double look_seconds = 1;     // between looks at the store when it had nothing to do
  double room_seconds = 0.02;  // between looks for room
};

// Answers the lines of batches, a few at a time, on a thread of its own. An answer that says "try
// again later" (429, 503) is none: the line is given back, and its owner's lines wait as long as
// the answer says. A line that asks for a stream is answered with 400.
class BatchRunner {
 public:
  explicit BatchRunner(BatchRunnerParts parts);
  ~BatchRunner();  // stop()
  BatchRunner(const BatchRunner&) = delete;
  BatchRunner& operator=(const BatchRunner&) = delete;

  // There is something new in the store. May be called from any thread.
  void wake();
  // Cancels the lines that are being answered, and gives them back. Not from several threads.
  void stop();

 private:
  using Clock = std::chrono::steady_clock;
  class LineReply;
  struct Mailbox;
  struct InHand {
    BatchLine line;
    std::weak_ptr<LineReply> reply;
  };

  void run();
  void take_answers();
  void take_answer(const BatchLine& line, const HttpResponse& response);
  bool start_line();
  void look_without_room();
  void pause(const std::string& owner, double seconds);
  void report(const std::string& message);

  BatchRunnerParts parts_;
  std::shared_ptr<Mailbox> mailbox_;
  std::map<int64_t, InHand> in_hand_;  // by a number that counts lines begun; of the thread
  int64_t begun_ = 0;
  std::map<std::string, Clock::time_point> paused_;  // owners, and until when; of the thread
  Clock::time_point looked_;                         // at the store; of the thread
  std::thread thread_;
};

}  // namespace minke
