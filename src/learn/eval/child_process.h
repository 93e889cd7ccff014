#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace minke {

inline constexpr size_t kMostExtraBytes = 16384;

// A program started without a shell, told all it needs through its standard input, and listened to
// for a limited time.
struct ChildTask {
  std::vector<std::string> command;  // an absolute path, then the arguments
  std::string input;
  std::string extra = {};  // if not empty, what its descriptor 3 gives; at most kMostExtraBytes
  std::chrono::milliseconds time{0};
  int64_t memory = 0;  // bytes of address space
  size_t output = 0;   // bytes of what it prints that are read
};

struct ChildResult {
  enum class End { kExited, kSignalled, kOutOfTime, kTooMuchOutput };
  End end = End::kExited;
  int code = 0;        // of the exit
  std::string output;  // standard output and standard error in one
};

// Runs it in a process group of its own, with no environment, no other descriptors and limits on
// memory, processor time, the size of files and core dumps; as nobody if this process is root's.
// When a limit of time or output is passed, the group is killed. Throws Error if the system has no
// process or descriptor left.
ChildResult run_child(const ChildTask& task);

}  // namespace minke
