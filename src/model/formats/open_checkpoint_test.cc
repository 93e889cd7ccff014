#include "model/formats/open_checkpoint.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "model/formats/parse.h"
#include "model/formats/test_files.h"

namespace minke {
namespace {

using testing::error_of;
using testing::TempFolder;
using testing::write_file;

void make_pipe(const std::filesystem::path& path) {
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
}

// Nobody writes into these pipes: a reader that waits for one never ends.
TEST(SpecialFiles, APipeIsRefusedWithoutWaiting) {
  const TempFolder folder;
  const auto pipe = folder / "model.gguf";
  make_pipe(pipe);
  EXPECT_EQ(error_of([&] { open_checkpoint(pipe); }),
            pipe.string() + ": expected a regular file or a folder, found a pipe");
  EXPECT_EQ(error_of([&] { read_gguf(pipe); }),
            pipe.string() + ": expected a regular file, found a pipe");
}

TEST(SpecialFiles, ADeviceIsRefused) {
  EXPECT_EQ(error_of([] { open_checkpoint("/dev/zero"); }),
            "/dev/zero: expected a regular file or a folder, found a device");
  EXPECT_EQ(error_of([] { map_file("/dev/zero"); }),
            "/dev/zero: expected a regular file, found a device");
}

TEST(SpecialFiles, PipesInAFolderAreRefusedWithoutWaiting) {
  const TempFolder folder;
  make_pipe(folder / "config.json");
  EXPECT_EQ(error_of([&] { open_checkpoint(folder.path()); }),
            (folder / "config.json").string() + ": expected a regular file, found a pipe");
  std::filesystem::remove(folder / "config.json");
  write_file(folder / "config.json", "{}");
  make_pipe(folder / "model.safetensors");
  EXPECT_EQ(error_of([&] { open_checkpoint(folder.path()); }),
            (folder / "model.safetensors").string() + ": expected a regular file, found a pipe");
}

TEST(SpecialFiles, AFolderIsNoFileOfAFolder) {
  const TempFolder folder;
  std::filesystem::create_directory(folder / "config.json");
  EXPECT_EQ(error_of([&] { open_checkpoint(folder.path()); }),
            (folder / "config.json").string() + ": expected a regular file, found a folder");
}

}  // namespace
}  // namespace minke
