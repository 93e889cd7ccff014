#include <set>

#include <nlohmann/json.hpp>

#include "base/core/atomic_file.h"
#include "base/core/check.h"
#include "base/core/error.h"
#include "base/core/utf8.h"
#include "model/formats/write_checkpoint.h"

namespace minke {
namespace {

constexpr size_t kHeaderAlignment = 8;

std::string header_text(const std::string& path, const std::map<std::string, std::string>& metadata,
                        const std::vector<TensorToWrite>& tensors) {
  // Keeps the order of the tensors, which is that of their data.
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  for (const auto& [key, value] : metadata) {
    if (!utf8_valid(key) || !utf8_valid(value)) {
      fail(path, "metadata '{}': expected UTF-8 text", printable(key));
    }
    header["__metadata__"][key] = value;
  }
  std::set<std::string_view> names;
  int64_t offset = 0;
  for (const TensorToWrite& tensor : tensors) {
    const std::string where = fmt::format("{}: tensor '{}'", path, printable(tensor.name));
    if (is_quantized(tensor.type)) {
      fail(where, "safetensors files cannot hold type {}", dtype_name(tensor.type));
    }
    if (!utf8_valid(tensor.name) || !names.insert(tensor.name).second) {
      fail(where, "expected a name in UTF-8 that no other tensor has");
    }
    auto dims = nlohmann::ordered_json::array();
    for (int i = 0; i < tensor.shape.rank(); ++i) dims.push_back(tensor.shape[i]);
    const int64_t end = offset + tensor.shape.elements() * dtype_info(tensor.type).block_bytes;
    nlohmann::ordered_json entry;
    entry["dtype"] = dtype_name(tensor.type);
    entry["shape"] = std::move(dims);
    entry["data_offsets"] = {offset, end};
    header.push_back({tensor.name, std::move(entry)});
    offset = end;
  }
  std::string text = header.dump();
  text.append((kHeaderAlignment - text.size() % kHeaderAlignment) % kHeaderAlignment, ' ');
  return text;
}

}  // namespace

void write_safetensors(const std::filesystem::path& path,
                       const std::map<std::string, std::string>& metadata,
                       const std::vector<TensorToWrite>& tensors) {
  const std::string header = header_text(path.string(), metadata, tensors);
  AtomicFile file(path);
  file.write_value(uint64_t{header.size()});
  file.write(header);
  for (const TensorToWrite& tensor : tensors) {
    const auto bytes = tensor.bytes();
    const int64_t expected = tensor.shape.elements() * dtype_info(tensor.type).block_bytes;
    CHECK(static_cast<int64_t>(bytes.size()) == expected);
    file.write(bytes);
  }
  file.commit();
}

}  // namespace minke
