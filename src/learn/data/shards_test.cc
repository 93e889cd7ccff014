#include "learn/data/shards.h"

#include <cstring>

#include <gtest/gtest.h>
#include <xxhash.h>

#include "base/core/mapped_file.h"
#include "base/core/rng.h"
#include "learn/data/data_testing.h"

namespace minke {
namespace {

using testing::error_of;
using testing::TempFolder;

const std::vector<Document> kDocuments = {
    {{1, 2, 3}, 0, 3}, {{7, 6}, 1, 2}, {{5, 5, 5, 9, 0}, 2, 5}, {{4, 3}, 0, 0}};

std::string written(const std::vector<Document>& documents, int64_t vocabulary) {
  const TempFolder folder;
  ShardWriter writer(folder / "shard", {vocabulary, 0x1234});
  for (const Document& document : documents) writer.add(document, "test");
  writer.commit();
  return read_text_file(folder / "shard");
}

Shard parsed(std::string_view bytes) {
  const auto copy = std::make_shared<const std::string>(bytes);
  return Shard::parse({reinterpret_cast<const uint8_t*>(copy->data()), copy->size()}, "shard",
                      copy);
}

// With the checksum that belongs to the bytes, so that what stands behind it is looked at.
std::string sealed(std::string bytes) {
  const uint64_t hash = XXH64(bytes.data(), bytes.size() - 8, 0);
  std::memcpy(bytes.data() + bytes.size() - 8, &hash, 8);
  return bytes;
}

template <typename T>
std::string with(std::string bytes, size_t offset, T value) {
  std::memcpy(bytes.data() + offset, &value, sizeof(T));
  return sealed(bytes);
}

std::string refusal(const std::string& bytes) {
  return error_of([&] { parsed(bytes); });
}

TEST(Shards, DocumentsComeBack) {
  const TempFolder folder;
  for (const int64_t vocabulary : {10, 65536, 65537, 1000000}) {
    std::vector<Document> documents = kDocuments;
    documents.push_back({{static_cast<int32_t>(vocabulary) - 1, 0}, 0, 2});
    const auto path = folder / std::to_string(vocabulary);
    ShardWriter writer(path, {vocabulary, 0x1234});
    for (const Document& document : documents) writer.add(document, "test");
    EXPECT_FALSE(std::filesystem::exists(path));
    writer.commit();
    EXPECT_EQ(writer.tokens(), 14u);
    EXPECT_EQ(writer.loss_tokens(), 9u);
    const Shard shard = Shard::open(path);
    EXPECT_EQ(shard.vocabulary(), (ShardVocabulary{vocabulary, 0x1234}));
    EXPECT_EQ(shard.tokens(), 14u);
    ASSERT_EQ(shard.documents(), documents.size());
    for (size_t i = 0; i < documents.size(); ++i) EXPECT_EQ(shard.document(i), documents[i]);
    const size_t id_bytes = vocabulary <= 65536 ? 2 : 4;
    EXPECT_EQ(std::filesystem::file_size(path), 56 + (14 * id_bytes + 7) / 8 * 8 + 5 * 24);
  }
}

TEST(Shards, AVocabularyIsKnownByItsTokens) {
  TokenizerSpec spec = testing::byte_tokenizer_spec();
  const Tokenizer tokenizer(spec);
  std::string tokens;
  for (int32_t id = 0; id < tokenizer.size(); ++id) {
    const std::string bytes(tokenizer.bytes(id, /*show_special=*/true));
    tokens += {static_cast<char>(bytes.size()), '\0', '\0', '\0'};
    tokens += bytes;
  }
  const ShardVocabulary vocabulary = shard_vocabulary(tokenizer);
  EXPECT_EQ(vocabulary.ids, tokenizer.size());
  EXPECT_EQ(vocabulary.hash, XXH64(tokens.data(), tokens.size(), 0));
  std::swap(spec.tokens[100], spec.tokens[101]);
  EXPECT_EQ(shard_vocabulary(Tokenizer(spec)).ids, vocabulary.ids);
  EXPECT_NE(shard_vocabulary(Tokenizer(spec)).hash, vocabulary.hash);
}

TEST(Shards, WithoutCommitThereIsNoFile) {
  const TempFolder folder;
  { ShardWriter(folder / "a", {10, 0}).add(kDocuments[0], "test"); }
  const std::string says = error_of([&] { ShardWriter(folder / "b", {10, 0}).commit(); });
  EXPECT_NE(says.find("b: expected at least one document"), std::string::npos) << says;
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Shards, ShorterOrLongerFilesAreErrors) {
  const std::string good = written(kDocuments, 10);
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_TRUE(refusal(good.substr(0, size)).starts_with("shard: ")) << size;
    if (size < 8) continue;
    EXPECT_TRUE(refusal(sealed(good.substr(0, size))).starts_with("shard: ")) << size;
  }
  EXPECT_TRUE(refusal(good + "x").starts_with("shard: "));
  EXPECT_TRUE(refusal(sealed(good + std::string(8, '\0'))).starts_with("shard: "));
}

TEST(Shards, AnyDamagedByteIsAnError) {
  const std::string good = written(kDocuments, 10);
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    EXPECT_TRUE(refusal(bad).starts_with("shard: ")) << i;
  }
}

TEST(Shards, ErrorsSayWhatIsWrong) {
  const std::string good = written(kDocuments, 10);
  const size_t index = 32 + 24, trailer = good.size() - 24;
  const auto expect = [](const std::string& bytes, const std::string& says) {
    EXPECT_NE(refusal(bytes).find(says), std::string::npos) << refusal(bytes);
  };
  expect(with(good, 0, 'M'), "begins with \"minketok\"");
  expect(with(good, 8, uint32_t{1}), "expected version 2 of token shards, found 1");
  expect(with(good, 12, uint32_t{4}), "bytes of an id: expected 2 for a vocabulary of 10, found 4");
  expect(with(good, 16, uint64_t{0}), "vocabulary: expected 1 to");
  expect(with(good, 16, uint64_t{1} << 31), "vocabulary: expected 1 to");
  expect(with(good, 16, uint64_t{9}), "id 8: expected one below 9, found 9");
  expect(with(good, 32 + 2 * 4, uint16_t{10}), "id 4: expected one below 10, found 10");
  expect(with(good, index, uint64_t{1}), "document 0: expected at least 2 of 12 ids from id 0");
  expect(with(good, index + 8, uint32_t{1}), "document 0: expected at least 2");
  expect(with(good, index + 8, uint32_t{13}), "document 0: expected at least 2");
  expect(with(good, index + 8, uint32_t{2}), "document 0: expected a loss within its 2 ids");
  expect(with(good, index + 24 + 8, uint32_t{3}), "document 2: expected at least 2");
  expect(with(good, index + 24, uint64_t{2}), "document 1: expected at least 2");
  expect(with(good, index + 16, uint32_t{4}), "document 0: expected a loss within its 3 ids");
  expect(with(good, index + 12, UINT32_MAX), "document 0: expected a loss within its 3 ids");
  expect(with(good, index + 3 * 24 + 8, uint32_t{3}), "document 3: expected at least 2");
  expect(with(good, trailer, UINT64_MAX), "expected at least one document, within");
  expect(with(good, trailer, uint64_t{1} << 63), "expected at least one document, within");
  expect(with(good, trailer + 8, UINT64_MAX / 24 + 2), "expected at least one document, within");
  expect(with(good, trailer + 8, uint64_t{0}), "expected at least one document, within");
  expect(with(good, trailer + 8, uint64_t{3}), "bytes for 12 ids of 3 documents");
  std::string damaged = good;
  damaged[30] ^= 1;
  expect(damaged, "checksum: expected");
}

// Whatever the bytes, opening ends in an Error or in documents that keep their promises.
TEST(Shards, RandomChangesUnderARightChecksum) {
  const std::string good = written(kDocuments, 10);
  Rng rng(1);
  int opened = 0;
  for (int round = 0; round < 5000; ++round) {
    std::string bytes = good;
    for (uint64_t changes = 1 + rng.below(3); changes > 0; --changes)
      bytes[rng.below(bytes.size())] = static_cast<char>(rng.below(rng.below(2) ? 256 : 4));
    bytes = sealed(bytes);
    const std::string says = error_of([&] {
      const Shard shard = parsed(bytes);
      ++opened;
      for (uint64_t i = 0; i < shard.documents(); ++i) {
        const Document document = shard.document(i);
        ASSERT_GE(document.tokens.size(), 2u);
        ASSERT_LE(document.loss_end, document.tokens.size());
        ASSERT_LE(document.loss_begin, document.loss_end);
        for (const int32_t id : document.tokens) ASSERT_LT(id, shard.vocabulary().ids);
      }
    });
    EXPECT_TRUE(says.empty() || says.starts_with("shard: ")) << says;
  }
  EXPECT_GT(opened, 100);
}

TEST(Shards, WhatIsNoShardIsAnError) {
  const TempFolder folder;
  EXPECT_NE(error_of([&] { Shard::open(folder / "absent"); }).find("cannot open"),
            std::string::npos);
  const auto path = folder.file("text", "Just some words, long enough to be a header and more.");
  EXPECT_NE(error_of([&] { Shard::open(path); }).find("expected a token shard"), std::string::npos);
}

}  // namespace
}  // namespace minke
