#pragma once

#include <string>

namespace minke {

// The system calls of a program that a model wrote, as a filter for seccomp: the bytes of an array
// of sock_filter, which is what bubblewrap reads from the descriptor of --seccomp. Refuses
//   - calls that leave memory behind without a mapping, which no limit of the process counts, and
//     shared mappings, which can be unmapped in part with the same result;
//   - parts of the kernel that are large, seldom used and of no use to such a program;
//   - calls newer than the list, for nobody has looked at them (x32 numbers are among them);
//   - sockets of other families than those that a network namespace confines.
// Refused calls give EPERM; those that the C library has another way for, ENOSYS. A call of another
// architecture's table, such as int 0x80, ends the process. For x86-64.
std::string system_call_filter();

}  // namespace minke
