#include "learn/eval/child_process.h"

#include <gtest/gtest.h>

#include "base/core/error.h"

namespace minke {
namespace {

using std::chrono::milliseconds;

ChildResult run(std::vector<std::string> command, std::string input = "",
                milliseconds time = milliseconds(20'000), size_t output = 1000) {
  return run_child({std::move(command), std::move(input), "", time, int64_t{1} << 30, output});
}

TEST(RunChild, TellsWhatIsPrintedAndTheCode) {
  const ChildResult echo = run({"/bin/echo", "$HOME", "a b"});
  EXPECT_EQ(echo.end, ChildResult::End::kExited);
  EXPECT_EQ(echo.code, 0);
  EXPECT_EQ(echo.output, "$HOME a b\n");
  EXPECT_EQ(run({"/bin/false"}).code, 1);
  EXPECT_EQ(run({"/nowhere/program"}).code, 127);
  EXPECT_EQ(run({"/usr/bin/env"}).output, "");
  EXPECT_NE(run({"/bin/cat", "/nowhere/file"}).output.find("No such file"), std::string::npos);
}

TEST(RunChild, SendsAllOfTheInput) {
  std::string input;
  for (int i = 0; i < 300'000; ++i) input += static_cast<char>('a' + i % 26);
  EXPECT_EQ(run({"/bin/cat"}, input, milliseconds(20'000), input.size()).output, input);
  // It ends before it has read a byte.
  EXPECT_EQ(run({"/bin/true"}, input).code, 0);
}

TEST(RunChild, StopsAtItsLimits) {
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(run({"/bin/sleep", "60"}, "", milliseconds(200)).end, ChildResult::End::kOutOfTime);
  const ChildResult endless = run({"/usr/bin/yes"});
  EXPECT_EQ(endless.end, ChildResult::End::kTooMuchOutput);
  EXPECT_EQ(endless.output.size(), 1000u);
  // A limit is passed by the byte after it.
  EXPECT_EQ(run({"/usr/bin/printf", "%1000s", "x"}).end, ChildResult::End::kExited);
  EXPECT_EQ(run({"/usr/bin/printf", "%1001s", "x"}).end, ChildResult::End::kTooMuchOutput);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST(RunChild, HasNoDescriptorsButItsThree) {
  // ls itself opens the folder it lists.
  EXPECT_EQ(run({"/bin/ls", "/proc/self/fd"}).output, "0\n1\n2\n3\n");
}

TEST(RunChild, GivesWhatIsExtra) {
  ChildTask task{{"/bin/cat", "-", "/dev/fd/3"},
                 "a",
                 "",
                 milliseconds(20'000),
                 int64_t{1} << 30,
                 2 * kMostExtraBytes};
  EXPECT_EQ(run_child(task).output.find("a/bin/cat: /dev/fd/3: No such"), 0u);
  task.command = {"/bin/sh", "-c", "cat - <&0; cat <&3"};
  task.extra = std::string(kMostExtraBytes - 1, 'b') + '\0';
  EXPECT_EQ(run_child(task).output, "a" + task.extra);
  task.command = {"/bin/ls", "/proc/self/fd"};
  EXPECT_EQ(run_child(task).output, "0\n1\n2\n3\n4\n");
}

}  // namespace
}  // namespace minke
