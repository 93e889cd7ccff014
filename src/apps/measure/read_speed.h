#pragma once

#include <cstdint>

namespace minke {

// Bytes that this machine reads from memory in a second, in units of 10^9, with `threads` threads:
// the best of `passes` over a buffer of `bytes`, much larger than its caches. The limit of
// decoding, which reads every active weight once for a token. 512 MiB take about a second; a stop
// signal throws Stopped.
double measure_read_gb_per_second(int threads, int64_t bytes = int64_t{512} << 20, int passes = 8);

}  // namespace minke
