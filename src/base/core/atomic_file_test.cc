#include "base/core/atomic_file.h"

#include <thread>

#include <gtest/gtest.h>

#include "base/core/test_folder.h"

namespace minke {
namespace {

using testing::error_of;
using testing::FileSizeLimit;
using testing::read_file;
using testing::TempFolder;
using testing::write_file;

std::vector<std::string> names_in(const TempFolder& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    names.push_back(entry.path().filename().string());
  }
  return names;
}

TEST(AtomicFile, AppearsOnlyWhenCommitted) {
  const TempFolder folder;
  write_file(folder / "f", "old");
  {
    AtomicFile file(folder / "f");
    file.write("new");
    file.pad(8);
    file.write_value(uint16_t{0x4241});
    EXPECT_EQ(file.offset(), 10u);
    EXPECT_EQ(read_file(folder / "f"), "old");
    file.commit();
    EXPECT_EQ(read_file(folder / "f"), std::string("new\0\0\0\0\0AB", 10));
  }
  EXPECT_EQ(read_file(folder / "f").size(), 10u);
  EXPECT_EQ(names_in(folder), std::vector<std::string>{"f"});
}

TEST(AtomicFile, LeavesTheOldFileWhenGivenUp) {
  const TempFolder folder;
  write_file(folder / "f", "old");
  { AtomicFile(folder / "f").write("new"); }
  EXPECT_EQ(read_file(folder / "f"), "old");
  EXPECT_EQ(names_in(folder), std::vector<std::string>{"f"});
}

TEST(AtomicFile, WritesBlocksLargerThanItsBufferInOrder) {
  const TempFolder folder;
  std::string all;
  AtomicFile file(folder / "f");
  for (const size_t size :
       {size_t{10}, size_t{3} << 20, size_t{1} << 20, size_t{700000}, size_t{700000}}) {
    std::string part(size, static_cast<char>('a' + all.size() % 26));
    file.write(part);
    all += part;
  }
  file.commit();
  EXPECT_TRUE(read_file(folder / "f") == all);
}

TEST(AtomicFile, TwoWritersOfOnePathEachWriteAWholeFile) {
  const TempFolder folder;
  const std::string a(3 << 20, 'a'), b(2 << 20, 'b');
  {
    AtomicFile first(folder / "f"), second(folder / "f"), given_up(folder / "f");
    first.write(a);
    second.write(b);
    given_up.write("c");
    EXPECT_EQ(names_in(folder).size(), 3u);
    second.commit();
    EXPECT_TRUE(read_file(folder / "f") == b);
    first.commit();
    EXPECT_TRUE(read_file(folder / "f") == a);
  }
  EXPECT_TRUE(read_file(folder / "f") == a);
  EXPECT_EQ(names_in(folder), std::vector<std::string>{"f"});
}

TEST(AtomicFile, WritersAtOnceLeaveOneWholeFile) {
  const TempFolder folder;
  const auto write_often = [&](char letter) {
    for (int i = 0; i < 20; ++i) {
      AtomicFile file(folder / "f");
      file.write(std::string(200'000, letter));
      file.commit();
    }
  };
  std::thread other(write_often, 'x');
  write_often('y');
  other.join();
  const std::string content = read_file(folder / "f");
  EXPECT_TRUE(content == std::string(200'000, 'x') || content == std::string(200'000, 'y'));
  EXPECT_EQ(names_in(folder), std::vector<std::string>{"f"});
}

TEST(AtomicFile, DoesNotTouchAFileUnderAnotherNameOfTheKind) {
  const TempFolder folder;
  write_file(folder / "f.tmp", "mine");
  AtomicFile file(folder / "f");
  file.write("new");
  file.commit();
  EXPECT_EQ(read_file(folder / "f.tmp"), "mine");
}

TEST(AtomicFile, AFailedWriteIsAnErrorAndLeavesNothingBehind) {
  const TempFolder folder;
  std::string message;
  {
    const FileSizeLimit limit(1 << 20);
    message = error_of([&] {
      AtomicFile file(folder / "full");
      for (int i = 0; i < 8; ++i) file.write(std::string(300'000, 'a'));
      file.commit();
    });
  }
  EXPECT_EQ(message.rfind((folder / "full").string() + ": cannot write ", 0), 0u) << message;
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  EXPECT_NE(error_of([&] { AtomicFile(folder / "no/such/f"); }).find("cannot create"),
            std::string::npos);
}

}  // namespace
}  // namespace minke
