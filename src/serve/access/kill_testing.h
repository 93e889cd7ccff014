#pragma once

// For tests only.

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <ctime>

namespace minke::testing {

// The system kills this process so much later, wherever it is then. A timer, because a parent that
// waits to kill its child does so when the scheduler lets it.
inline void be_killed_in(int64_t microseconds) {
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGKILL;
  timer_t timer{};
  itimerspec time{};
  time.it_value.tv_sec = microseconds / 1'000'000;
  time.it_value.tv_nsec = microseconds % 1'000'000 * 1000 + 1;
  if (::timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 ||
      ::timer_settime(timer, 0, &time, nullptr) != 0) {
    std::abort();
  }
}

}  // namespace minke::testing
