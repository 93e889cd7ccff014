#include "serve/access/clock.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>

#include <fmt/core.h>

namespace minke {

double unix_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string utc_time(double seconds) {
  // What a date of four digits can say; a clock beyond it has nothing to tell.
  const auto milliseconds = std::llround(std::clamp(seconds, 0.0, 253402300799.0) * 1000);
  const std::time_t whole = milliseconds / 1000;
  std::tm parts{};
  ::gmtime_r(&whole, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     milliseconds % 1000);
}

}  // namespace minke
