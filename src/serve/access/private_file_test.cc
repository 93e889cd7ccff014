#include "serve/access/private_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/core/test_folder.h"

namespace minke {
namespace {

using testing::error_of;
using testing::TempFolder;

mode_t mode_of(const std::filesystem::path& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 07777 : 0;
}

TEST(PrivateFile, IsWrittenForItsOwnerAlone) {
  const TempFolder folder;
  write_private_file(folder / "a", "one");
  EXPECT_EQ(read_private_file(folder / "a", 100).text, "one");
  EXPECT_EQ(mode_of(folder / "a"), 0600u);
  write_private_file(folder / "a", "");
  EXPECT_EQ(read_private_file(folder / "a", 100).text, "");
  const std::filesystem::directory_iterator files(folder.path());
  EXPECT_EQ(std::distance(files, {}), 1) << "no draft is left";
}

TEST(PrivateFile, KeepsTheOwnerOfTheOneBefore) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  const TempFolder folder;
  write_private_file(folder / "a", "one");
  ASSERT_EQ(::chown((folder / "a").c_str(), 65534, 65534), 0);
  write_private_file(folder / "a", "two");
  struct stat status {};
  ASSERT_EQ(::stat((folder / "a").c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, 65534u);
  EXPECT_EQ(mode_of(folder / "a"), 0600u);
}

TEST(PrivateFile, IsNotReadIfOthersCouldToo) {
  const TempFolder folder;
  write_private_file(folder / "a", "one");
  for (const mode_t mode : {0640, 0604, 0620, 0601}) {
    ASSERT_EQ(::chmod((folder / "a").c_str(), mode), 0);
    EXPECT_NE(error_of([&] { read_private_file(folder / "a", 100); }).find("mode 0600"),
              std::string::npos);
  }
}

TEST(PrivateFile, RefusesWhatIsNoFileOrTooLarge) {
  const TempFolder folder;
  write_private_file(folder / "a", "12345");
  EXPECT_EQ(read_private_file(folder / "a", 5).text, "12345");
  EXPECT_NE(error_of([&] { read_private_file(folder / "a", 4); }).find("at most 4 bytes"),
            std::string::npos);
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_NE(error_of([&] { read_private_file(folder / "pipe", 5); }).find("expected a file"),
            std::string::npos);
  EXPECT_NE(error_of([&] { read_private_file(folder / "none", 5); }), "");
  EXPECT_NE(error_of([&] { write_private_file(folder / "no" / "a", ""); }), "");
}

TEST(PrivateFile, StampChangesWithTheFile) {
  const TempFolder folder;
  EXPECT_EQ(stamp_of(folder / "a"), FileStamp{});
  write_private_file(folder / "a", "one");
  const FileStamp first = stamp_of(folder / "a");
  EXPECT_EQ(read_private_file(folder / "a", 100).stamp, first);
  write_private_file(folder / "a", "two");
  EXPECT_NE(stamp_of(folder / "a"), first);
}

TEST(FolderLock, IsHeldByOne) {
  const TempFolder folder;
  {
    const FolderLock lock(folder / "a", 0);
    EXPECT_NE(error_of([&] { FolderLock(folder / "b", 0.02); }).find("another process"),
              std::string::npos);
  }
  EXPECT_EQ(error_of([&] { FolderLock(folder / "b", 0); }), "");
}

}  // namespace
}  // namespace minke
