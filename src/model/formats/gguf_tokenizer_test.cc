#include "model/formats/gguf_tokenizer.h"

#include "model/formats/test_files.h"

namespace minke {
namespace {

using testing::error_of;
using testing::TempFolder;

Metadata tokenizer_metadata() {
  Metadata m("tok.gguf");
  m.set("tokenizer.ggml.model", std::string("gpt2"));
  m.set("tokenizer.ggml.pre", std::string("deepseek-llm"));
  m.set("tokenizer.ggml.tokens",
        meta_texts({"a", "b", "ab", "<bos>", "<eos>", "<think>", "[PAD6]", "[PAD7]"}));
  m.set("tokenizer.ggml.token_type", meta_integers({1, 1, 1, 3, 3, 4, 5, 4}));
  m.set("tokenizer.ggml.merges", meta_texts({"a b"}));
  m.set("tokenizer.ggml.bos_token_id", uint64_t{3});
  m.set("tokenizer.ggml.eos_token_id", uint64_t{4});
  m.set("tokenizer.ggml.add_bos_token", true);
  m.set("tokenizer.chat_template", std::string("{{ bos_token }}"));
  return m;
}

TokenizerSpec read(const Metadata& m) {
  return read_gguf_tokenizer(Checkpoint(Naming::kGguf, m));
}

std::string error_with(const std::string& key, MetaValue value) {
  Metadata m = tokenizer_metadata();
  m.replace("tokenizer.ggml." + key, std::move(value));
  return error_of([&] { read(m); });
}

void expect_spec(const TokenizerSpec& spec) {
  EXPECT_EQ(spec.tokens, (std::vector<std::string>{"a", "b", "ab", "", "", "", "", ""}));
  ASSERT_EQ(spec.merges.size(), 1u);
  EXPECT_EQ(spec.merges[0], std::make_pair(std::string("a"), std::string("b")));
  ASSERT_EQ(spec.added.size(), 3u);
  EXPECT_EQ(spec.added[0].id, 3);
  EXPECT_EQ(spec.added[0].text, "<bos>");
  EXPECT_TRUE(spec.added[0].special);
  EXPECT_EQ(spec.added[2].text, "<think>");
  EXPECT_FALSE(spec.added[2].special);
  EXPECT_EQ(spec.bos, 3);
  EXPECT_EQ(spec.eos, 4);
  EXPECT_EQ(spec.pad, std::nullopt);
  EXPECT_TRUE(spec.add_bos);
  EXPECT_FALSE(spec.add_eos);
  EXPECT_EQ(spec.chat_template, "{{ bos_token }}");
  EXPECT_FALSE(spec.stages.empty());
}

TEST(GgufTokenizer, SortsTokensByTypeAndDropsPaddingNames) {
  expect_spec(read(tokenizer_metadata()));
}

TEST(GgufTokenizer, IsTheSameThroughAFile) {
  const TempFolder folder;
  write_gguf(folder / "tok.gguf", tokenizer_metadata(), {});
  expect_spec(read_gguf_tokenizer(open_checkpoint(folder / "tok.gguf")));
}

TEST(GgufTokenizer, NamesTheKindAndThePartThatDoesNotFit) {
  EXPECT_EQ(error_with("model", std::string("llama")),
            "tok.gguf: tokenizer.ggml.model: expected \"gpt2\" (byte-level BPE), the one kind that "
            "Minke reads, found \"llama\"");
  EXPECT_EQ(error_with("token_type", meta_integers({1, 1})),
            "tok.gguf: tokenizer.ggml.token_type: expected 8 items, one a token, found 2");
  EXPECT_EQ(error_with("token_type", meta_integers({1, 1, 1, 3, 3, 4, 5, 9})),
            "tok.gguf: tokenizer.ggml.token_type: expected 1 to 6, found 9 for token 7");
  EXPECT_EQ(error_with("merges", meta_texts({"a b", "ab"})),
            "tok.gguf: tokenizer.ggml.merges: expected two texts with a space between, found "
            "\"ab\" as item 1");
  EXPECT_NE(error_with("merges", meta_texts({" b"})), "");
  EXPECT_EQ(error_with("bos_token_id", uint64_t{8}),
            "tok.gguf: tokenizer.ggml.bos_token_id: expected the id of one of 8 tokens, found 8");
  EXPECT_NE(error_with("eos_token_id", int64_t{-1}), "");
  const MetaValue wrong_kinds[] = {std::string("2"), 2.0, true, meta_integers({2}),
                                   std::numeric_limits<uint64_t>::max()};
  for (const MetaValue& wrong : wrong_kinds) {
    for (const char* id : {"bos_token_id", "eos_token_id", "padding_token_id"}) {
      EXPECT_EQ(error_with(id, wrong),
                fmt::format("tok.gguf: metadata key 'tokenizer.ggml.{}': expected an integer of at "
                            "most 63 bits, found {}",
                            id, describe(wrong)));
    }
  }
  EXPECT_NE(error_with("tokens", meta_texts({})), "");
  EXPECT_NE(error_with("pre", std::string("no-such-thing")).find("no-such-thing"),
            std::string::npos);
  EXPECT_EQ(error_of([] { read(Metadata("x.gguf")); }),
            "x.gguf: expected a tokenizer (tokenizer.ggml.model), found none");
}

TEST(GgufTokenizer, WhatIsSetIsReadBack) {
  Metadata m("copy.gguf");
  const TokenizerSpec spec = read(tokenizer_metadata());
  EXPECT_EQ(set_gguf_tokenizer(spec, 10, m), "");
  EXPECT_TRUE(has_gguf_tokenizer(m));
  EXPECT_EQ(m.text("tokenizer.ggml.pre"), "deepseek-llm");
  EXPECT_EQ(m.integers("tokenizer.ggml.token_type"),
            (std::vector<int64_t>{1, 1, 1, 3, 3, 4, 5, 5, 5, 5}));
  EXPECT_EQ(m.texts("tokenizer.ggml.tokens")->back(), "[PAD9]");
  const TokenizerSpec copy = read(m);
  EXPECT_EQ(copy.merges, spec.merges);
  EXPECT_EQ(copy.bos, spec.bos);
  EXPECT_EQ(copy.eos, spec.eos);
  EXPECT_EQ(copy.pad, spec.pad);
  EXPECT_EQ(copy.add_bos, spec.add_bos);
  EXPECT_EQ(copy.chat_template, spec.chat_template);
  ASSERT_EQ(copy.added.size(), spec.added.size());
  for (size_t i = 0; i < copy.added.size(); ++i) {
    EXPECT_EQ(copy.added[i].text, spec.added[i].text);
    EXPECT_EQ(copy.added[i].special, spec.added[i].special);
  }
}

TEST(GgufTokenizer, ATokenizerThatGgufCannotTellOfIsRefused) {
  TokenizerSpec spec = read(tokenizer_metadata());
  const auto refusal = [&](int64_t vocab) {
    Metadata m("copy.gguf");
    return error_of([&] { set_gguf_tokenizer(spec, vocab, m); });
  };
  EXPECT_EQ(refusal(5), "tok.gguf: the tokenizer has 8 ids, the model only 5");
  spec.stages.push_back({PreTokenizerStage::Kind::kPattern, "[a-z]+"});
  EXPECT_NE(refusal(8).find("tok.gguf: pre_tokenizer: expected one that GGUF files have a name"),
            std::string::npos);
}

TEST(GgufTokenizer, AModelMayComeWithout) {
  Metadata m("copy.gguf");
  EXPECT_FALSE(has_gguf_tokenizer(m));
  set_no_gguf_tokenizer(m);
  EXPECT_FALSE(has_gguf_tokenizer(m));
}

}  // namespace
}  // namespace minke
