#include "base/core/error.h"

#include <gtest/gtest.h>

#include "base/core/mapped_file.h"

namespace minke {
namespace {

TEST(Error, SaysWhereAndWhat) {
  try {
    fail("model.gguf", "expected {}, found {}", 3, 4);
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "model.gguf: expected 3, found 4");
  }
}

TEST(Error, PrintableEscapesControlAndInvalidBytesAndCutsLongNames) {
  EXPECT_EQ(printable("a\n\x1b[31m"), "a\\x0a\\x1b[31m");
  EXPECT_EQ(printable("\xff\xc3\xbc"), "\\xff\xc3\xbc");
  EXPECT_EQ(printable("abcdef", 3), "abc...");
}

TEST(MappedFile, MissingFileAndFolderAreErrors) {
  EXPECT_THROW(MappedFile::open("/no/such/file"), Error);
  EXPECT_THROW(MappedFile::open("/tmp"), Error);
}

}  // namespace
}  // namespace minke
