#include "model/kv/page_folder.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include <sys/stat.h>

#include "base/core/error.h"

namespace minke {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSuffix = ".page";
constexpr size_t kDigits = 32;

struct PageFile {
  fs::path path;
  timespec used;
  int64_t bytes;
};

// <32 hexadecimal digits>.page, and then `rest`.
bool is_page_name(std::string_view name, std::string_view& rest) {
  if (name.size() < kDigits + kSuffix.size()) return false;
  const std::string_view digits = name.substr(0, kDigits);
  rest = name.substr(kDigits + kSuffix.size());
  return digits.find_first_not_of("0123456789abcdef") == std::string_view::npos &&
         name.substr(kDigits, kSuffix.size()) == kSuffix;
}

bool earlier(const timespec& a, const timespec& b) {
  return a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec : a.tv_nsec < b.tv_nsec;
}

}  // namespace

PageFolder::PageFolder(const fs::path& path, int64_t budget) : path_(path), budget_(budget) {
  std::error_code error;
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), error);
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    fail(path.string(), "cannot make the folder: {}", std::strerror(errno));
  }
  if (!fs::is_directory(path, error)) fail(path.string(), "expected a folder, found a file");
}

// Counts the pages, and removes the oldest of them if there is no room for `room` bytes.
void PageFolder::scan(int64_t room) {
  std::vector<PageFile> files;
  const std::time_t now = std::time(nullptr);
  std::error_code error;
  bytes_ = 0;
  for (fs::directory_iterator it(path_, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    std::string_view rest;
    struct stat s {};
    if (!is_page_name(name, rest) || ::lstat(it->path().c_str(), &s) != 0) continue;
    if (!S_ISREG(s.st_mode)) continue;
    if (rest.empty()) {
      files.push_back({it->path(), s.st_mtim, s.st_size});
      bytes_ += s.st_size;
    } else if (rest.ends_with(".tmp") && s.st_mtime + kStaleSeconds < now) {
      std::error_code ignored;
      fs::remove(it->path(), ignored);
    }
  }
  unseen_ = 0;
  scanned_ = true;
  if (bytes_ + room <= budget_) return;
  std::ranges::sort(files, earlier, &PageFile::used);
  // A part more than is needed, so that not every page needs a scan.
  const int64_t most = std::max<int64_t>(0, budget_ - room - budget_ / kParts);
  for (const PageFile& file : files) {
    if (bytes_ <= most) break;
    fs::remove(file.path, error);
    if (!error) bytes_ -= file.bytes;
  }
}

bool PageFolder::make_room(int64_t bytes) {
  if (bytes > budget_) return false;
  if (!scanned_ || unseen_ > budget_ / kParts || bytes_ + bytes > budget_) scan(bytes);
  if (bytes_ + bytes > budget_) return false;
  bytes_ += bytes;
  unseen_ += bytes;
  return true;
}

}  // namespace minke
