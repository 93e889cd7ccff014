#include <cmath>
#include <limits>

#include "base/core/atomic_file.h"
#include "base/core/check.h"
#include "base/core/error.h"
#include "model/formats/gguf_types.h"
#include "model/formats/write_checkpoint.h"

namespace minke {
namespace {

constexpr uint32_t kVersion = 3;
constexpr uint64_t kAlignment = 32;

template <typename T>
bool fits(int64_t value) {
  return value >= std::numeric_limits<T>::min() &&
         value <= static_cast<int64_t>(std::numeric_limits<T>::max());
}

uint64_t padded(uint64_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

// Keys that describe the file a value came from, not the model.
bool describes_layout(std::string_view key) {
  return key == "general.alignment" || key.starts_with("split.");
}

// Writes the parts of a GGUF file that stand before the tensor data.
class HeaderWriter {
 public:
  HeaderWriter(AtomicFile& file, std::string path) : file_(file), path_(std::move(path)) {}

  void text(std::string_view value) {
    file_.write_value(uint64_t{value.size()});
    file_.write(value);
  }

  void value(const std::string& key, const MetaValue& value) {
    where_ = fmt::format("{}: metadata '{}'", path_, printable(key));
    text(key);
    std::visit([this](const auto& v) { put(v); }, value);
  }

  void tensor(const TensorToWrite& tensor, uint64_t offset) {
    const std::string where = fmt::format("{}: tensor '{}'", path_, printable(tensor.name));
    const DTypeInfo& info = dtype_info(tensor.type);
    if (info.ggml_id < 0) fail(where, "GGUF files cannot hold type {}", info.name);
    if (tensor.shape.rank() == 0 || tensor.shape.elements() == 0) {
      fail(where, "GGUF files cannot hold a tensor of shape {}", tensor.shape.to_string());
    }
    if (tensor.shape.last() % info.block_elements != 0) {
      fail(where, "expected rows of a multiple of {} values for {}, found shape {}",
           info.block_elements, info.name, tensor.shape.to_string());
    }
    text(tensor.name);
    file_.write_value(static_cast<uint32_t>(tensor.shape.rank()));
    for (int i = tensor.shape.rank() - 1; i >= 0; --i) {
      file_.write_value(static_cast<uint64_t>(tensor.shape[i]));
    }
    file_.write_value(static_cast<uint32_t>(info.ggml_id));
    file_.write_value(offset);
  }

 private:
  template <typename T>
  void typed(GgufType type, T value) {
    file_.write_value(type);
    file_.write_value(value);
  }

  float single(double value) const {
    if (std::isfinite(value) && std::fabs(value) > std::numeric_limits<float>::max()) {
      fail(where_, "expected a number that fits float32, found {}", value);
    }
    return static_cast<float>(value);
  }

  void put(bool value) { typed(GgufType::kBool, uint8_t{value}); }
  void put(double value) { typed(GgufType::kF32, single(value)); }
  void put(const std::string& value) {
    file_.write_value(GgufType::kText);
    text(value);
  }
  void put(uint64_t value) {
    if (value > uint64_t{INT64_MAX}) return typed(GgufType::kU64, value);
    put(static_cast<int64_t>(value));
  }
  void put(int64_t value) {
    if (fits<uint32_t>(value)) {
      typed(GgufType::kU32, static_cast<uint32_t>(value));
    } else if (fits<int32_t>(value)) {
      typed(GgufType::kI32, static_cast<int32_t>(value));
    } else if (value >= 0) {
      typed(GgufType::kU64, static_cast<uint64_t>(value));
    } else {
      typed(GgufType::kI64, value);
    }
  }

  void array_header(GgufType type, uint64_t count) {
    file_.write_value(GgufType::kArray);
    file_.write_value(type);
    file_.write_value(count);
  }

  template <typename T>
  void numbers(GgufType type, const std::vector<double>& values) {
    array_header(type, values.size());
    for (const double value : values) file_.write_value(static_cast<T>(value));
  }

  void put(const MetaObject& object) {
    fail(where_, "GGUF files cannot hold {}", describe(MetaValue(object)));
  }

  void put(const MetaArray& array) {
    if (!array.bytes.empty()) {
      array_header(static_cast<GgufType>(array.gguf_type), array.count);
      file_.write(array.bytes);
      return;
    }
    switch (array.kind) {
      case MetaArray::Kind::kText:
        array_header(GgufType::kText, array.texts.size());
        for (const std::string& value : array.texts) text(value);
        return;
      case MetaArray::Kind::kBool:
        return numbers<uint8_t>(GgufType::kBool, array.numbers);
      case MetaArray::Kind::kNumber:
        array_header(GgufType::kF32, array.numbers.size());
        for (const double value : array.numbers) file_.write_value(single(value));
        return;
      case MetaArray::Kind::kInteger: {
        bool small = true;
        for (const double v : array.numbers) small &= fits<int32_t>(static_cast<int64_t>(v));
        if (small) return numbers<int32_t>(GgufType::kI32, array.numbers);
        return numbers<int64_t>(GgufType::kI64, array.numbers);
      }
      case MetaArray::Kind::kNested:
        fail(where_, "GGUF files cannot hold {}", describe(MetaValue(array)));
    }
  }

  AtomicFile& file_;
  std::string path_;
  std::string where_;  // the value being written, for errors
};

uint64_t tensor_bytes(const TensorToWrite& tensor) {
  return static_cast<uint64_t>(tensor.shape.rows() * row_bytes(tensor.type, tensor.shape.last()));
}

}  // namespace

void write_gguf(const std::filesystem::path& path, const Metadata& metadata,
                const std::vector<TensorToWrite>& tensors) {
  AtomicFile file(path);
  HeaderWriter header(file, path.string());
  uint64_t values = 0;
  for (const auto& [key, value] : metadata.values()) values += describes_layout(key) ? 0 : 1;
  file.write("GGUF");
  file.write_value(kVersion);
  file.write_value(uint64_t{tensors.size()});
  file.write_value(values);
  for (const auto& [key, value] : metadata.values()) {
    if (!describes_layout(key)) header.value(key, value);
  }
  uint64_t offset = 0;
  for (const TensorToWrite& tensor : tensors) {
    header.tensor(tensor, offset);
    offset += padded(tensor_bytes(tensor));
  }
  file.pad(kAlignment);
  for (const TensorToWrite& tensor : tensors) {
    const auto bytes = tensor.bytes();
    CHECK(bytes.size() == tensor_bytes(tensor));
    file.write(bytes);
    file.pad(kAlignment);
  }
  file.commit();
}

}  // namespace minke
