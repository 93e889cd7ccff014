#include "model/formats/parse.h"

#include <algorithm>

#include "base/core/error.h"
#include "base/core/mapped_file.h"

namespace minke {

FileView map_file(const std::filesystem::path& path) {
  auto file = MappedFile::open(path);
  return {file->bytes(), file->name(), file};
}

void check_overlaps(std::vector<Extent> extents, const std::string& file) {
  std::sort(extents.begin(), extents.end(),
            [](const Extent& a, const Extent& b) { return a.begin < b.begin; });
  const Extent* last = nullptr;  // of those with bytes
  for (const Extent& e : extents) {
    if (e.begin == e.end) continue;
    if (last != nullptr && e.begin < last->end) {
      fail(file, "tensor '{}': expected bytes of its own, found them to begin inside tensor '{}'",
           printable(e.name), printable(last->name));
    }
    last = &e;
  }
}

}  // namespace minke
