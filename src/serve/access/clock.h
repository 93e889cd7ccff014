#pragma once

#include <functional>
#include <string>

namespace minke {

// Seconds since 1970, UTC. Whatever asks for the time takes a Clock, so that tests can turn it.
using Clock = std::function<double()>;

// The system's clock.
double unix_seconds();

// "2026-11-22T13:02:03.125Z"
std::string utc_time(double seconds);

}  // namespace minke
