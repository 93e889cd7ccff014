#pragma once

#include <cstdint>
#include <filesystem>

namespace minke {

// Keeps a folder of pages within its budget. Looks only at files that have the names of pages or of
// pages being written. Other processes may add and remove files meanwhile.
class PageFolder {
 public:
  // Makes the folder if it is missing. Throws Error if it cannot.
  PageFolder(const std::filesystem::path& path, int64_t budget);

  const std::filesystem::path& path() const { return path_; }
  // Removes pages, those that were not used for the longest time first, until there is room for
  // `bytes` more, which then count as added. False if there cannot be. What others
  // add is seen now and then: N processes may pass the budget by N parts in kParts.
  bool make_room(int64_t bytes);

  static constexpr int64_t kParts = 16;
  // Files that were being written and did not change for so long belong to nobody.
  static constexpr int64_t kStaleSeconds = 3600;

 private:
  void scan(int64_t room);

  std::filesystem::path path_;
  int64_t budget_;
  int64_t bytes_ = 0;   // of pages, as of the last scan, and what was added since
  int64_t unseen_ = 0;  // bytes added since the last scan
  bool scanned_ = false;
};

}  // namespace minke
