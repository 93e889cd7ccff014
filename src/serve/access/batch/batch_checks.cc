#include "serve/access/batch/batch_checks.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/core/error.h"
#include "base/core/utf8.h"

namespace minke {
namespace {

constexpr size_t kMostNameBytes = 255;
constexpr size_t kMostMetadata = 16, kMostMetadataName = 64, kMostMetadataValue = 512;
constexpr int64_t kMostWindowHours = 168;
constexpr int64_t kHourSeconds = 3600;

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kMostNameBytes && utf8_valid(text) &&
         std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

void check_metadata(const BatchMetadata& metadata) {
  if (metadata.size() > kMostMetadata) {
    fail("metadata", "expected at most {} pairs, found {}", kMostMetadata, metadata.size());
  }
  for (const auto& [name, value] : metadata) {
    if (name.size() > kMostMetadataName || value.size() > kMostMetadataValue) {
      fail("metadata", "expected names of at most {} bytes and values of at most {}, found \"{}\"",
           kMostMetadataName, kMostMetadataValue, printable(name));
    }
    if (!utf8_valid(name) || !utf8_valid(value)) fail("metadata", "expected UTF-8");
  }
}

}  // namespace

void check_new_file(const NewFile& file, const BatchStoreOptions& options) {
  const auto size = static_cast<int64_t>(file.content.size());
  if (std::find(options.purposes.begin(), options.purposes.end(), file.purpose) ==
      options.purposes.end()) {
    fail("purpose", "expected one of {}, found \"{}\"", joined(options.purposes),
         printable(file.purpose));
  }
  if (!is_name(file.name)) {
    fail("filename", "expected 1 to {} bytes of UTF-8 without control bytes, found \"{}\"",
         kMostNameBytes, printable(file.name));
  }
  if (size == 0 || size > options.file_bytes) {
    fail("file", "expected 1 to {} bytes, found {}", options.file_bytes, size);
  }
}

void check_new_batch(const NewBatch& batch, const BatchStoreOptions& options) {
  if (std::find(options.endpoints.begin(), options.endpoints.end(), batch.endpoint) ==
      options.endpoints.end()) {
    fail("endpoint", "expected one of {}, found \"{}\"", joined(options.endpoints),
         printable(batch.endpoint));
  }
  check_metadata(batch.metadata);
}

int64_t window_seconds(const std::string& window) {
  int64_t hours = 0;
  const auto read = std::from_chars(window.data(), window.data() + window.size(), hours);
  if (read.ec != std::errc() || std::string_view(read.ptr) != "h" || hours < 1 ||
      hours > kMostWindowHours) {
    fail("completion_window", "expected 1h to {}h, found \"{}\"", kMostWindowHours,
         printable(window));
  }
  return hours * kHourSeconds;
}

}  // namespace minke
