#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/core/atomic_file.h"
#include "learn/data/documents.h"
#include "text/tokenizer/tokenizer.h"

struct XXH64_state_s;

namespace minke {

// A token shard is a file of encoded documents, little-endian:
//
//   header    "minketok", u32 version (2), u32 bytes of an id (2 or 4), u64 ids of the vocabulary,
//             u64 hash of the vocabulary
//   ids       u16 where the vocabulary has at most 65,536 ids, else u32; then zeros up to a
//             multiple of 8 bytes
//   index     for each document u64 first id, u32 ids, u32 loss begin, u32 loss end, u32 zero
//   trailer   u64 ids, u64 documents, u64 XXH64 (seed 0) of all bytes before it

// Which tokenizer's ids a shard has.
struct ShardVocabulary {
  int64_t ids = 0;    // every id is below; at most 2^31 - 1
  uint64_t hash = 0;  // XXH64 (seed 0) of, for each id, u32 bytes of its token and the bytes

  bool operator==(const ShardVocabulary& other) const = default;
};
ShardVocabulary shard_vocabulary(const Tokenizer& tokenizer);  // of a shard that it makes

// Writes a shard, document by document. The file appears when commit() succeeds.
class ShardWriter {
 public:
  ShardWriter(const std::filesystem::path& path, const ShardVocabulary& vocabulary);
  ~ShardWriter();

  // Throws Error, begun by `where`, for a document of 2^32 or more tokens.
  void add(const Document& document, std::string_view where);
  // Throws Error if no document was added.
  void commit();

  uint64_t documents() const { return index_.size(); }
  uint64_t tokens() const { return tokens_; }
  uint64_t loss_tokens() const { return loss_tokens_; }

 private:
  struct Entry {
    uint64_t begin;
    uint32_t tokens, loss_begin, loss_end, zero;
  };
  struct HashDelete {
    void operator()(XXH64_state_s* state) const;
  };
  void write(std::span<const uint8_t> bytes);
  template <typename T>
  void write_value(T value);
  void pad();

  std::string name_;
  AtomicFile file_;
  std::unique_ptr<XXH64_state_s, HashDelete> hash_;
  ShardVocabulary vocabulary_;
  size_t id_bytes_;
  std::vector<Entry> index_;
  uint64_t tokens_ = 0, loss_tokens_ = 0;
};

// The checksum that a shard has in its trailer; nothing else of the file is looked at. Throws Error
// if the file has no room for one.
uint64_t shard_checksum(const std::filesystem::path& path);

// A shard, mapped into memory. Immutable; safe to share between threads.
class Shard {
 public:
  // Reads the whole file once: throws Error unless the checksum is right, every id is below the
  // vocabulary, the documents lie one behind the other and each has its loss within itself.
  static Shard open(const std::filesystem::path& path);
  // The same from bytes; `owner` keeps them.
  static Shard parse(std::span<const uint8_t> bytes, const std::string& name,
                     std::shared_ptr<const void> owner);

  uint64_t documents() const { return documents_; }  // at least one
  uint64_t tokens() const { return tokens_; }
  const ShardVocabulary& vocabulary() const { return vocabulary_; }
  const std::string& name() const { return name_; }
  // i < documents().
  Document document(uint64_t i) const;

 private:
  Shard() = default;
  void check_index() const;
  void check_ids() const;
  uint32_t id_at(uint64_t place) const;

  std::shared_ptr<const void> owner_;
  std::string name_;
  std::span<const uint8_t> ids_, index_;
  size_t id_bytes_ = 0;
  ShardVocabulary vocabulary_;
  uint64_t documents_ = 0, tokens_ = 0;
};

}  // namespace minke
