#include <bit>
#include <cstring>

#include <fmt/format.h>

#include "base/core/byte_reader.h"
#include "base/core/error.h"
#include "base/core/mapped_file.h"
#include "model/formats/gguf_types.h"
#include "model/formats/open_checkpoint.h"
#include "model/formats/parse.h"

namespace minke {
namespace {

constexpr uint64_t kDefaultAlignment = 32;
constexpr int kMaxArrayDepth = 4;
// Metadata values and tensors that a file may have: as many as keep what they take in memory (some
// 256 bytes each) below the size of the file itself, and always enough for a small one.
constexpr uint64_t kFreeEntries = 4096;
constexpr uint64_t kBytesPerEntry = 256;

struct Header {
  uint64_t tensors, values;
};

Header read_header(ByteReader& reader) {
  const auto magic = reader.take(4, "magic");
  if (std::memcmp(magic.data(), "GGUF", 4) != 0) {
    const std::string_view found(reinterpret_cast<const char*>(magic.data()), 4);
    fail(reader.name(), "expected a GGUF file (magic \"GGUF\"), found \"{}\"", printable(found));
  }
  const auto version = reader.read<uint32_t>("version");
  if (version != 0 && (version & 0xffff) == 0) {
    fail(reader.name(), "expected a little-endian GGUF file, found a big-endian one (version {})",
         __builtin_bswap32(version));
  }
  if (version != 2 && version != 3) {
    fail(reader.name(), "expected GGUF version 2 or 3, found {}", version);
  }
  const auto tensors = reader.read<uint64_t>("tensor count");
  const auto values = reader.read<uint64_t>("metadata count");
  const uint64_t limit = (reader.offset() + reader.left()) / kBytesPerEntry + kFreeEntries;
  if (tensors > limit || values > limit - tensors) {
    fail(reader.name(),
         "expected at most {} tensors and metadata values in a file of this size, found {} and {}",
         limit, tensors, values);
  }
  return {tensors, values};
}

// Moves past the elements of an array, checking that all of them are in the file.
void skip_elements(ByteReader& reader, uint32_t type, uint64_t count, int depth) {
  const auto size = gguf_value_bytes(type);
  if (!size) fail(reader.name(), "expected a metadata array, found elements of type {}", type);
  if (*size > 0) {
    if (count > reader.left() / static_cast<uint64_t>(*size)) {
      fail(reader.name(), "truncated at byte {}: an array of {} elements of {} bytes, {} are left",
           reader.offset(), count, *size, reader.left());
    }
    reader.take(count * static_cast<uint64_t>(*size), "array elements");
    return;
  }
  for (uint64_t i = 0; i < count; ++i) {
    if (static_cast<GgufType>(type) == GgufType::kText) {
      reader.read_string("array text");
      continue;
    }
    if (depth == kMaxArrayDepth) {
      fail(reader.name(), "expected arrays nested at most {} deep, found more", kMaxArrayDepth);
    }
    const auto inner_type = reader.read<uint32_t>("array type");
    const auto inner_count = reader.read<uint64_t>("array count");
    skip_elements(reader, inner_type, inner_count, depth + 1);
  }
}

MetaArray read_array(ByteReader& reader, const FileView& file) {
  MetaArray array;
  array.gguf_type = reader.read<uint32_t>("array type");
  array.count = reader.read<uint64_t>("array count");
  const size_t start = reader.offset();
  skip_elements(reader, array.gguf_type, array.count, 1);
  array.kind = gguf_array_kind(static_cast<GgufType>(array.gguf_type));
  array.bytes = file.bytes.subspan(start, reader.offset() - start);
  array.owner = file.owner;
  return array;
}

MetaValue read_value(ByteReader& reader, uint32_t type, const FileView& file) {
  switch (static_cast<GgufType>(type)) {
    case GgufType::kU8:
      return uint64_t{reader.read<uint8_t>("u8")};
    case GgufType::kI8:
      return int64_t{reader.read<int8_t>("i8")};
    case GgufType::kU16:
      return uint64_t{reader.read<uint16_t>("u16")};
    case GgufType::kI16:
      return int64_t{reader.read<int16_t>("i16")};
    case GgufType::kU32:
      return uint64_t{reader.read<uint32_t>("u32")};
    case GgufType::kI32:
      return int64_t{reader.read<int32_t>("i32")};
    case GgufType::kU64:
      return reader.read<uint64_t>("u64");
    case GgufType::kI64:
      return reader.read<int64_t>("i64");
    case GgufType::kF32:
      return double{reader.read<float>("f32")};
    case GgufType::kF64:
      return reader.read<double>("f64");
    case GgufType::kBool:
      return reader.read<uint8_t>("bool") != 0;
    case GgufType::kText:
      return std::string(reader.read_string("text"));
    case GgufType::kArray:
      return read_array(reader, file);
  }
  fail(reader.name(), "expected a metadata type from 0 to 12, found {}", type);
}

void read_metadata(ByteReader& reader, uint64_t count, const FileView& file, Metadata& metadata) {
  for (uint64_t i = 0; i < count; ++i) {
    std::string key(reader.read_string("metadata key"));
    // Errors inside a value name its key.
    ByteReader value_reader(file.bytes,
                            fmt::format("{}: metadata '{}'", file.name, printable(key)));
    value_reader.take(reader.offset(), "what was read");
    const auto type = value_reader.read<uint32_t>("value type");
    MetaValue value = read_value(value_reader, type, file);
    reader.take(value_reader.offset() - reader.offset(), "value");
    metadata.set(std::move(key), std::move(value));
  }
}

uint64_t read_alignment(const Metadata& metadata, const FileView& file) {
  const auto alignment = metadata.integer("general.alignment");
  if (!alignment) return kDefaultAlignment;
  if (*alignment <= 0 || *alignment > UINT32_MAX ||
      !std::has_single_bit(static_cast<uint64_t>(*alignment))) {
    fail(file.name, "metadata 'general.alignment': expected a power of two, found {}", *alignment);
  }
  return static_cast<uint64_t>(*alignment);
}

// A tensor as the file describes it. `type` is set if it is a DType, `foreign` if it is another one
// known.
struct TensorInfo {
  std::string_view name;
  std::string where;  // for errors
  Shape shape;
  std::optional<DType> type;
  const ForeignGgmlType* foreign = nullptr;
  uint64_t offset = 0;
  uint64_t bytes = 0;
};

void read_type(uint32_t id, TensorInfo& info) {
  info.type = dtype_from_ggml(id);
  if (info.type) return;
  info.foreign = foreign_ggml_type(id);
  if (info.foreign != nullptr && info.foreign->element_bytes > 0) return;
  fail(info.where, "expected a tensor type that Minke reads, found {} (ggml type {})",
       info.foreign != nullptr ? info.foreign->name : "an unknown one", id);
}

uint64_t size_in_file(const TensorInfo& info) {
  const int64_t columns = info.shape.last();
  const int block = info.type ? dtype_info(*info.type).block_elements : 1;
  const int block_bytes =
      info.type ? dtype_info(*info.type).block_bytes : info.foreign->element_bytes;
  if (columns % block != 0) {
    fail(info.where, "expected rows of a multiple of {} values for {}, found {}", block,
         dtype_name(*info.type), columns);
  }
  uint64_t bytes = 0;
  if (__builtin_mul_overflow(static_cast<uint64_t>(info.shape.elements() / block), block_bytes,
                             &bytes)) {
    fail(info.where, "expected a size of at most 64 bits, found shape {}", info.shape.to_string());
  }
  return bytes;
}

TensorInfo read_tensor_info(ByteReader& reader) {
  TensorInfo info;
  info.name = reader.read_string("tensor name");
  info.where = fmt::format("{}: tensor '{}'", reader.name(), printable(info.name));
  const auto rank = reader.read<uint32_t>("number of dimensions");
  if (rank == 0 || rank > Shape::kMaxRank) {
    fail(info.where, "expected 1 to {} dimensions, found {}", Shape::kMaxRank, rank);
  }
  std::vector<int64_t> dims(rank);
  int64_t product = 1;
  for (uint32_t i = 0; i < rank; ++i) {
    const auto dim = reader.read<uint64_t>("dimension");
    // Fastest first in the file, outermost first here.
    dims[rank - 1 - i] = static_cast<int64_t>(dim);
    if (dim == 0 || dim > INT64_MAX ||
        __builtin_mul_overflow(product, dims[rank - 1 - i], &product)) {
      fail(info.where,
           "expected dimensions above 0 whose product fits 63 bits, found {} as number {}", dim, i);
    }
  }
  info.shape = Shape(dims);
  read_type(reader.read<uint32_t>("tensor type"), info);
  info.offset = reader.read<uint64_t>("tensor offset");
  info.bytes = size_in_file(info);
  return info;
}

void add_tensor(const TensorInfo& info, uint64_t data_start, const FileView& file,
                Checkpoint& into) {
  const uint64_t available = file.bytes.size() - data_start;
  if (info.offset > available || info.bytes > available - info.offset) {
    fail(info.where, "expected {} bytes at offset {} of the data section, found a section of {}",
         info.bytes, info.offset, available);
  }
  if (!info.type) {
    into.add_unusable(std::string(info.name),
                      fmt::format("type {} is not computed", info.foreign->name));
    return;
  }
  Tensor t;
  t.type = *info.type;
  t.shape = info.shape;
  t.data = const_cast<uint8_t*>(file.bytes.data() + data_start + info.offset);
  t.owner = file.owner;
  into.add(std::string(info.name), std::move(t));
}

// What the name of a shard says: "model-00002-of-00003.gguf".
struct ShardName {
  std::string stem;
  int64_t number, count;  // the first shard is number 1
};
std::optional<ShardName> shard_name(std::string_view file_name) {
  constexpr std::string_view kTail = "-00000-of-00000.gguf";
  if (file_name.size() < kTail.size()) return std::nullopt;
  const std::string_view tail = file_name.substr(file_name.size() - kTail.size());
  for (size_t i = 0; i < kTail.size(); ++i) {
    const bool fits = kTail[i] == '0' ? tail[i] >= '0' && tail[i] <= '9' : tail[i] == kTail[i];
    if (!fits) return std::nullopt;
  }
  const auto number_at = [&](size_t i) { return std::stoll(std::string(tail.substr(i, 5))); };
  file_name.remove_suffix(kTail.size());
  return ShardName{std::string(file_name), number_at(1), number_at(10)};
}

void check_split(const Metadata& metadata, const std::string& file, int64_t number, int64_t count) {
  const auto expect = [&](const char* key, int64_t expected) {
    const auto found = metadata.integer(key);
    if (found == expected) return;
    fail(file, "metadata '{}': expected {}, found {}", key, expected,
         found ? std::to_string(*found) : "none");
  };
  expect("split.count", count);
  expect("split.no", number - 1);
}

void read_other_shards(const std::filesystem::path& path, int64_t count, Checkpoint& into) {
  const auto name = shard_name(path.filename().string());
  if (!name || name->count != count) {
    fail(path.string(), "expected a name like model-00001-of-{:05}.gguf for one of {} shards",
         count, count);
  }
  if (name->number != 1) {
    fail(path.string(), "expected the first of {} shards, {}-00001-of-{:05}.gguf, found number {}",
         count, name->stem, count, name->number);
  }
  check_split(into.metadata(), path.string(), 1, count);
  for (int64_t number = 2; number <= count; ++number) {
    const auto shard =
        path.parent_path() / fmt::format("{}-{:05}-of-{:05}.gguf", name->stem, number, count);
    Metadata metadata(shard.string());
    parse_gguf(map_file(shard), metadata, into);
    check_split(metadata, shard.string(), number, count);
  }
  const auto total = into.metadata().integer("split.tensors.count");
  const auto found = static_cast<int64_t>(into.tensor_count());
  if (total && *total != found) {
    fail(path.string(),
         "metadata 'split.tensors.count': expected {} tensors, found {} in {} shards", *total,
         found, count);
  }
}

}  // namespace

void parse_gguf(const FileView& file, Metadata& metadata, Checkpoint& into) {
  ByteReader reader(file.bytes, file.name);
  const Header header = read_header(reader);
  read_metadata(reader, header.values, file, metadata);
  const uint64_t alignment = read_alignment(metadata, file);

  // Where the data begins is known only behind the last description, so they are read twice.
  ByteReader again = reader;
  for (uint64_t i = 0; i < header.tensors; ++i) read_tensor_info(reader);
  const uint64_t data_start = (reader.offset() + alignment - 1) / alignment * alignment;
  if (header.tensors > 0 && data_start > file.bytes.size()) {
    fail(file.name, "truncated: the data begins at byte {}, the file has {}", data_start,
         file.bytes.size());
  }
  std::vector<Extent> extents;
  extents.reserve(header.tensors);
  for (uint64_t i = 0; i < header.tensors; ++i) {
    const TensorInfo info = read_tensor_info(again);
    if (info.offset % alignment != 0) {
      fail(info.where, "expected an offset of a multiple of {}, found {}", alignment, info.offset);
    }
    add_tensor(info, data_start, file, into);
    extents.push_back({info.offset, info.offset + info.bytes, info.name});
  }
  check_overlaps(std::move(extents), file.name);
}

Checkpoint read_gguf(const std::filesystem::path& path) {
  Checkpoint checkpoint(Naming::kGguf, Metadata(path.string()));
  parse_gguf(map_file(path), checkpoint.metadata(), checkpoint);
  const auto shards = checkpoint.metadata().integer("split.count");
  if (shards.value_or(1) > 1) read_other_shards(path, *shards, checkpoint);
  return checkpoint;
}

}  // namespace minke
