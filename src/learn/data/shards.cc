#include "learn/data/shards.h"

#include <cstring>
#include <new>

#include <xxhash.h>

#include "base/core/byte_reader.h"
#include "base/core/check.h"
#include "base/core/error.h"
#include "base/core/mapped_file.h"

namespace minke {
namespace {

constexpr std::string_view kMagic = "minketok";
constexpr uint32_t kVersion = 2;
constexpr size_t kHeaderBytes = 32, kTrailerBytes = 24, kEntryBytes = 24;
constexpr size_t kAlignment = 8;
constexpr int64_t kMostNarrowIds = 65536;

constexpr size_t padding(uint64_t bytes) {
  return (kAlignment - bytes % kAlignment) % kAlignment;
}

size_t id_bytes_for(int64_t vocabulary) {
  return vocabulary <= kMostNarrowIds ? 2 : 4;
}

template <typename T>
T load(const uint8_t* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}

}  // namespace

void ShardWriter::HashDelete::operator()(XXH64_state_s* state) const {
  XXH64_freeState(state);
}

ShardVocabulary shard_vocabulary(const Tokenizer& tokenizer) {
  std::string tokens;
  for (int32_t id = 0; id < tokenizer.size(); ++id) {
    const std::string_view bytes = tokenizer.bytes(id, /*show_special=*/true);
    const auto size = static_cast<uint32_t>(bytes.size());
    tokens.append(reinterpret_cast<const char*>(&size), sizeof size);  // little-endian
    tokens.append(bytes);
  }
  return {tokenizer.size(), XXH64(tokens.data(), tokens.size(), 0)};
}

ShardWriter::ShardWriter(const std::filesystem::path& path, const ShardVocabulary& vocabulary)
    : name_(path.string()),
      file_(path),
      hash_(XXH64_createState()),
      vocabulary_(vocabulary),
      id_bytes_(id_bytes_for(vocabulary.ids)) {
  CHECK(vocabulary.ids > 0 && vocabulary.ids <= INT32_MAX);
  if (hash_ == nullptr) throw std::bad_alloc();
  XXH64_reset(hash_.get(), 0);
  write({reinterpret_cast<const uint8_t*>(kMagic.data()), kMagic.size()});
  write_value(kVersion);
  write_value(static_cast<uint32_t>(id_bytes_));
  write_value(static_cast<uint64_t>(vocabulary.ids));
  write_value(vocabulary.hash);
}

ShardWriter::~ShardWriter() = default;

void ShardWriter::write(std::span<const uint8_t> bytes) {
  XXH64_update(hash_.get(), bytes.data(), bytes.size());
  file_.write(bytes);
}

template <typename T>
void ShardWriter::write_value(T value) {
  write({reinterpret_cast<const uint8_t*>(&value), sizeof(value)});
}

void ShardWriter::add(const Document& document, std::string_view where) {
  const size_t size = document.tokens.size();
  CHECK(size >= 2);
  CHECK(document.loss_begin <= document.loss_end && document.loss_end <= size);
  if (size > UINT32_MAX) fail(where, "expected a document of under 2^32 tokens, found {}", size);
  std::vector<uint8_t> bytes(size * id_bytes_);
  for (size_t i = 0; i < size; ++i) {
    const int32_t id = document.tokens[i];
    CHECK(id >= 0 && id < vocabulary_.ids);
    std::memcpy(bytes.data() + i * id_bytes_, &id, id_bytes_);  // little-endian
  }
  write(bytes);
  index_.push_back({tokens_, static_cast<uint32_t>(size),
                    static_cast<uint32_t>(document.loss_begin),
                    static_cast<uint32_t>(document.loss_end), 0});
  tokens_ += size;
  loss_tokens_ += document.loss_end - document.loss_begin;
}

void ShardWriter::pad() {
  for (size_t left = padding(file_.offset()); left > 0; --left) write_value(uint8_t{0});
}

void ShardWriter::commit() {
  if (index_.empty()) fail(name_, "expected at least one document to write, found none");
  pad();
  static_assert(sizeof(Entry) == kEntryBytes);
  write({reinterpret_cast<const uint8_t*>(index_.data()), index_.size() * sizeof(Entry)});
  write_value(tokens_);
  write_value(static_cast<uint64_t>(index_.size()));
  file_.write_value(static_cast<uint64_t>(XXH64_digest(hash_.get())));
  file_.commit();
}

uint64_t shard_checksum(const std::filesystem::path& path) {
  const auto file = MappedFile::open(path);
  const std::span<const uint8_t> bytes = file->bytes();
  if (bytes.size() < kHeaderBytes + kTrailerBytes) {
    fail(path.string(), "expected a token shard of at least {} bytes, found {}",
         kHeaderBytes + kTrailerBytes, bytes.size());
  }
  return load<uint64_t>(bytes.data() + bytes.size() - sizeof(uint64_t));
}

Shard Shard::open(const std::filesystem::path& path) {
  auto file = MappedFile::open(path);
  const std::span<const uint8_t> bytes = file->bytes();
  return parse(bytes, path.string(), std::move(file));
}

Shard Shard::parse(std::span<const uint8_t> bytes, const std::string& name,
                   std::shared_ptr<const void> owner) {
  Shard shard;
  shard.owner_ = std::move(owner);
  shard.name_ = name;
  ByteReader reader(bytes, name);
  const auto magic = reader.take(kMagic.size(), "magic");
  if (std::memcmp(magic.data(), kMagic.data(), kMagic.size()) != 0)
    fail(name, "expected a token shard, which begins with \"{}\"", kMagic);
  if (const auto version = reader.read<uint32_t>("version"); version != kVersion)
    fail(name, "expected version {} of token shards, found {}", kVersion, version);
  const auto width = reader.read<uint32_t>("bytes of an id");
  const auto vocabulary = reader.read<uint64_t>("vocabulary");
  if (vocabulary == 0 || vocabulary > INT32_MAX)
    fail(name, "vocabulary: expected 1 to {} ids, found {}", INT32_MAX, vocabulary);
  shard.vocabulary_ = {static_cast<int64_t>(vocabulary), reader.read<uint64_t>("hash")};
  shard.id_bytes_ = id_bytes_for(shard.vocabulary_.ids);
  if (width != shard.id_bytes_) {
    fail(name, "bytes of an id: expected {} for a vocabulary of {}, found {}", shard.id_bytes_,
         vocabulary, width);
  }
  if (reader.left() < kTrailerBytes)
    fail(name, "expected a trailer of {} bytes, found {} bytes", kTrailerBytes, reader.left());
  ByteReader trailer(bytes.last(kTrailerBytes), name);
  shard.tokens_ = trailer.read<uint64_t>("ids");
  shard.documents_ = trailer.read<uint64_t>("documents");
  const auto expected = trailer.read<uint64_t>("checksum");
  const uint64_t found = XXH64(bytes.data(), bytes.size() - sizeof(expected), 0);
  if (found != expected)
    fail(name, "checksum: expected {:016x}, found {:016x}: the file is damaged", expected, found);

  // Counts are compared with the file's size before anything is multiplied by them.
  const uint64_t room = reader.left() - kTrailerBytes;
  if (shard.documents_ == 0 || shard.tokens_ > room / shard.id_bytes_ ||
      shard.documents_ > room / kEntryBytes) {
    fail(name, "expected at least one document, within {} bytes; found {} ids of {} documents",
         room, shard.tokens_, shard.documents_);
  }
  const uint64_t id_area = shard.tokens_ * shard.id_bytes_;
  const uint64_t needed = id_area + padding(id_area) + shard.documents_ * kEntryBytes;
  if (needed != room) {
    fail(name, "expected {} bytes for {} ids of {} documents, found {}", needed, shard.tokens_,
         shard.documents_, room);
  }
  shard.ids_ = reader.take(id_area, "ids");
  reader.take(padding(id_area), "padding");
  shard.index_ = reader.take(shard.documents_ * kEntryBytes, "index");
  shard.check_index();
  shard.check_ids();
  return shard;
}

void Shard::check_index() const {
  uint64_t end = 0;
  for (uint64_t i = 0; i < documents_; ++i) {
    const uint8_t* entry = index_.data() + i * kEntryBytes;
    const auto begin = load<uint64_t>(entry);
    const auto size = load<uint32_t>(entry + 8), loss_begin = load<uint32_t>(entry + 12),
               loss_end = load<uint32_t>(entry + 16);
    if (begin != end || size < 2 || size > tokens_ - end) {
      fail(name_, "document {}: expected at least 2 of {} ids from id {} on, found {} from {} on",
           i, tokens_, end, size, begin);
    }
    if (loss_begin > loss_end || loss_end > size) {
      fail(name_, "document {}: expected a loss within its {} ids, found {} to {}", i, size,
           loss_begin, loss_end);
    }
    end += size;
  }
  if (end != tokens_) fail(name_, "expected documents of {} ids, found {}", tokens_, end);
}

void Shard::check_ids() const {
  for (uint64_t i = 0; i < tokens_; ++i) {
    if (id_at(i) >= static_cast<uint64_t>(vocabulary_.ids))
      fail(name_, "id {}: expected one below {}, found {}", i, vocabulary_.ids, id_at(i));
  }
}

uint32_t Shard::id_at(uint64_t place) const {
  const uint8_t* bytes = ids_.data() + place * id_bytes_;
  return id_bytes_ == 2 ? load<uint16_t>(bytes) : load<uint32_t>(bytes);
}

Document Shard::document(uint64_t i) const {
  CHECK(i < documents_);
  const uint8_t* entry = index_.data() + i * kEntryBytes;
  const auto begin = load<uint64_t>(entry);
  Document document;
  document.tokens.resize(load<uint32_t>(entry + 8));
  for (size_t t = 0; t < document.tokens.size(); ++t)
    document.tokens[t] = static_cast<int32_t>(id_at(begin + t));
  document.loss_begin = load<uint32_t>(entry + 12);
  document.loss_end = load<uint32_t>(entry + 16);
  return document;
}

}  // namespace minke
