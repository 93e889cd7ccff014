#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "base/core/byte_reader.h"
#include "base/core/error.h"
#include "model/formats/open_checkpoint.h"
#include "model/formats/parse.h"

namespace minke {
namespace {

constexpr uint64_t kMaxHeaderBytes = 100'000'000;

// Types of the safetensors format, with their size in bits.
struct SafetensorsType {
  std::string_view name;
  uint64_t bits;
  std::optional<DType> type;  // empty: Minke does not compute it
};
constexpr SafetensorsType kTypes[] = {
    {"F32", 32, DType::kF32},
    {"F16", 16, DType::kF16},
    {"BF16", 16, DType::kBF16},
    {"F8_E4M3", 8, DType::kF8E4M3},
    {"F64", 64, {}},
    {"I64", 64, {}},
    {"U64", 64, {}},
    {"I32", 32, {}},
    {"U32", 32, {}},
    {"I16", 16, {}},
    {"U16", 16, {}},
    {"I8", 8, {}},
    {"U8", 8, {}},
    {"BOOL", 8, {}},
    {"F8_E5M2", 8, {}},
    {"F8_E8M0", 8, {}},
    {"C64", 64, {}},
    {"F4", 4, {}},
};

using simdjson::dom::element;

std::string_view kind_of(element value) {
  switch (value.type()) {
    case simdjson::dom::element_type::ARRAY:
      return "a list";
    case simdjson::dom::element_type::OBJECT:
      return "an object";
    case simdjson::dom::element_type::STRING:
      return "a text";
    case simdjson::dom::element_type::BOOL:
      return "true or false";
    case simdjson::dom::element_type::NULL_VALUE:
      return "null";
    default:
      return "a number that does not fit";
  }
}

element field(element entry, const char* key, const std::string& where) {
  element value;
  if (entry.at_key(key).get(value) != simdjson::SUCCESS) {
    fail(where, "expected a field \"{}\", found none", key);
  }
  return value;
}

std::vector<int64_t> integers(element entry, const char* key, const std::string& where) {
  const element list = field(entry, key, where);
  simdjson::dom::array items;
  if (list.get(items) != simdjson::SUCCESS) {
    fail(where, "\"{}\": expected a list of integers, found {}", key, kind_of(list));
  }
  std::vector<int64_t> values;
  for (const element item : items) {
    int64_t value = 0;
    if (item.get(value) != simdjson::SUCCESS || value < 0) {
      fail(where, "\"{}\": expected integers of at least 0, found {}", key,
           value < 0 ? std::to_string(value) : std::string(kind_of(item)));
    }
    values.push_back(value);
  }
  return values;
}

// The tensors of one file.
class Reader {
 public:
  Reader(const FileView& file, Checkpoint& into) : file_(file), into_(into) {}

  void read(const std::function<bool(std::string_view)>& wanted) {
    ByteReader reader(file_.bytes, file_.name);
    const auto header_bytes = reader.read<uint64_t>("header length");
    if (header_bytes > kMaxHeaderBytes) {
      fail(file_.name, "expected a safetensors header of at most {} bytes, found {}",
           kMaxHeaderBytes, header_bytes);
    }
    const auto text = reader.take(header_bytes, "header");
    data_ = file_.bytes.subspan(reader.offset());
    // Bytes in errors of the syntax count from the begin of the header.
    const auto document = JsonDocument::parse(
        {reinterpret_cast<const char*>(text.data()), text.size()}, file_.name + ": header");
    simdjson::dom::object header;
    if (document.root().get(header) != simdjson::SUCCESS) {
      fail(file_.name, "expected a JSON object as header, found {}", kind_of(document.root()));
    }
    for (const auto& [name, entry] : header) {
      if (name != "__metadata__") add(name, entry, wanted(name));
    }
    check_overlaps(std::move(extents_), file_.name);
  }

 private:
  void add(std::string_view name, element entry, bool wanted) {
    const std::string where = fmt::format("{}: tensor '{}'", file_.name, printable(name));
    if (!entry.is_object()) fail(where, "expected an object, found {}", kind_of(entry));
    const element dtype = field(entry, "dtype", where);
    std::string_view type_name;
    if (dtype.get(type_name) != simdjson::SUCCESS) {
      fail(where, "\"dtype\": expected a text, found {}", kind_of(dtype));
    }
    const std::vector<int64_t> dims = integers(entry, "shape", where);
    const std::vector<int64_t> range = integers(entry, "data_offsets", where);
    const auto available = static_cast<int64_t>(data_.size());
    if (range.size() != 2 || range[0] > range[1] || range[1] > available) {
      fail(where,
           "\"data_offsets\": expected a begin and an end within {} bytes of data, found [{}]",
           available, fmt::join(range, ", "));
    }
    const auto* type = std::find_if(std::begin(kTypes), std::end(kTypes),
                                    [&](const auto& t) { return t.name == type_name; });
    const bool known = type != std::end(kTypes);
    if (known) check_size(where, *type, dims, range);
    extents_.push_back({static_cast<uint64_t>(range[0]), static_cast<uint64_t>(range[1]), name});
    if (!wanted) return;
    if (!known || !type->type) {
      into_.add_unusable(std::string(name),
                         fmt::format("type {} is not computed", printable(type_name, 20)));
    } else if (dims.size() > Shape::kMaxRank) {
      into_.add_unusable(std::string(name), fmt::format("expected at most {} dimensions, found {}",
                                                        Shape::kMaxRank, dims.size()));
    } else {
      Tensor t;
      t.type = *type->type;
      t.shape = Shape(dims);
      t.data = const_cast<uint8_t*>(data_.data() + range[0]);
      t.owner = file_.owner;
      into_.add(std::string(name), std::move(t));
    }
  }

  static void check_size(const std::string& where, const SafetensorsType& type,
                         const std::vector<int64_t>& dims, const std::vector<int64_t>& range) {
    // A zero does not excuse the other dimensions: a row must have a size even if there is none.
    uint64_t bits = type.bits, rest = type.bits;
    bool overflow = false;
    for (const int64_t dim : dims) {
      bits *= static_cast<uint64_t>(dim);
      overflow |= __builtin_mul_overflow(rest, std::max<uint64_t>(dim, 1), &rest);
    }
    const auto bytes = static_cast<uint64_t>(range[1] - range[0]);
    if (overflow || bits / 8 + (bits % 8 != 0) != bytes) {
      fail(where, "expected {} bytes for {} of shape [{}], found {}",
           overflow ? "2^61 or more" : std::to_string(bits / 8), type.name, fmt::join(dims, ", "),
           bytes);
    }
  }

  const FileView& file_;
  Checkpoint& into_;
  std::span<const uint8_t> data_;
  std::vector<Extent> extents_;
};

}  // namespace

void parse_safetensors(const FileView& file, const std::function<bool(std::string_view)>& wanted,
                       Checkpoint& into) {
  Reader(file, into).read(wanted);
}

void read_safetensors(const std::filesystem::path& file, Checkpoint& into) {
  parse_safetensors(
      map_file(file), [](std::string_view) { return true; }, into);
}

}  // namespace minke
