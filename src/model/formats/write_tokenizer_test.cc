#include "model/formats/write_tokenizer.h"

#include <nlohmann/json.hpp>

#include "model/formats/test_files.h"

namespace minke {
namespace {

using testing::read_file;
using testing::TempFolder;

TokenizerSpec small_spec() {
  TokenizerSpec spec;
  spec.tokens = {"", "a", "b", "ab"};
  spec.merges = {{"a", "b"}};
  spec.added = {{0, "<bos>", true, false}, {4, "<eos>", true, false}, {5, "<think>", false, false}};
  spec.bos = 0;
  spec.eos = 4;
  spec.add_bos = true;
  spec.chat_template = "{{ bos_token }}";
  return spec;
}

nlohmann::json written(const TokenizerSpec& spec, const std::string& name) {
  const TempFolder folder;
  write_tokenizer(spec, folder.path());
  return nlohmann::json::parse(read_file(folder / name));
}

// Hugging Face's tokenizers take an added token's id from the vocabulary, or else count on.
TEST(WriteTokenizer, AddedTokensAmongTheOthersStandInTheVocabulary) {
  const auto vocab = written(small_spec(), "tokenizer.json")["model"]["vocab"];
  EXPECT_EQ(vocab, (nlohmann::json{{"<bos>", 0}, {"a", 1}, {"b", 2}, {"ab", 3}}));
}

TEST(WriteTokenizer, AddedTokensBehindAHoleStandInTheVocabulary) {
  TokenizerSpec spec = small_spec();
  spec.added[2].id = 6;
  const auto vocab = written(spec, "tokenizer.json")["model"]["vocab"];
  EXPECT_EQ(vocab["<eos>"], 4);
  EXPECT_EQ(vocab["<think>"], 6);
  spec = small_spec();
  spec.added.erase(spec.added.begin());  // id 0 is no token
  spec.bos.reset();
  spec.add_bos = false;
  EXPECT_EQ(written(spec, "tokenizer.json")["model"]["vocab"]["<think>"], 5);
}

TEST(WriteTokenizer, TheConfigurationNamesTheControlTokensByTheirTexts) {
  const auto config = written(small_spec(), "tokenizer_config.json");
  EXPECT_EQ(config["bos_token"], "<bos>");
  EXPECT_EQ(config["eos_token"], "<eos>");
  EXPECT_FALSE(config.contains("pad_token"));
  EXPECT_EQ(config["chat_template"], "{{ bos_token }}");
}

}  // namespace
}  // namespace minke
