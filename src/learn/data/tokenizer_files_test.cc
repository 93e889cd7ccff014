#include "learn/data/tokenizer_files.h"

#include <gtest/gtest.h>

#include "learn/data/data_testing.h"
#include "model/formats/write_tokenizer.h"
#include "text/chat/chat.h"

namespace minke {
namespace {

using testing::error_of;
using testing::TempFolder;

constexpr std::string_view kText =
    "The whale, 12 m long: der Wal, \u9cb8\u9c7c, \u0939\u094d\u0935\u0947\u0932, "
    "\u0627\u0644\u062d\u0648\u062a \u0661\u0662.\n\n\tdef f(x):\r\n  return x1 + 2345\U0001f433";

TokenizerSpec small_spec() {
  BpeTrainer trainer(training_stages(), 1 << 20);
  for (int i = 0; i < 3; ++i) trainer.add(kText);
  return training_spec(trainer.train(320), "small");
}

TEST(TokenizerFiles, WhatIsWrittenIsReadBack) {
  const TempFolder folder;
  const TokenizerSpec spec = small_spec();
  write_tokenizer(spec, folder.path());
  const TokenizerSpec read = read_tokenizer_json(folder.path());
  EXPECT_EQ(read.tokens, spec.tokens);
  EXPECT_EQ(read.merges, spec.merges);
  EXPECT_EQ(read.bos, 0);
  EXPECT_EQ(read.eos, 1);
  EXPECT_EQ(read.pad, 2);
  EXPECT_TRUE(read.add_bos);
  EXPECT_FALSE(read.add_eos);
  EXPECT_FALSE(read.nfc);
  EXPECT_EQ(read.chat_template, spec.chat_template);
  const Tokenizer before(spec), after(read);
  EXPECT_EQ(before.encode(kText), after.encode(kText));
  EXPECT_EQ(after.decode(after.encode(kText)), kText);
  EXPECT_EQ(after.size(), 320 + kControlTokens);
}

TEST(TokenizerFiles, ControlTokensAreThoseOfDeepSeekR1) {
  const Tokenizer tokenizer(small_spec());
  const std::vector<std::string> texts = {"<｜begin▁of▁sentence｜>",
                                          "<｜end▁of▁sentence｜>",
                                          "<｜▁pad▁｜>",
                                          "<｜User｜>",
                                          "<｜Assistant｜>",
                                          "<think>",
                                          "</think>"};
  for (int32_t id = 0; id < kControlTokens; ++id) {
    EXPECT_EQ(tokenizer.special_id(texts[id]), id);
    EXPECT_EQ(tokenizer.is_special(id), id < 3);
    EXPECT_EQ(tokenizer.encode(texts[id], Tokenizer::Special::kAll), std::vector<int32_t>{id});
    EXPECT_GT(tokenizer.encode(texts[id]).size(), 1u);
  }
}

TEST(TokenizerFiles, TheChatFormatIsDeepSeekR1) {
  const Tokenizer tokenizer(small_spec());
  const ChatTemplate found = detect_chat_template(tokenizer.spec());
  EXPECT_EQ(found.format, ChatFormat::kDeepSeekR1);
  EXPECT_EQ(found.system, ChatTemplate::SystemText::kJoined);
  EXPECT_EQ(found.thinking_prefix, "<think>\n");
  EXPECT_FALSE(found.marker_after_user);
  EXPECT_FALSE(found.function_tools_text);
  Conversation conversation;
  conversation.messages.emplace_back().content = "2+2?";
  EXPECT_EQ(ChatRenderer(found, tokenizer).render_text(conversation),
            "<｜begin▁of▁sentence｜><｜User｜>2+2?<｜Assistant｜><think>\n");
}

TEST(TokenizerFiles, EveryDigitIsAToken) {
  const Tokenizer tokenizer(small_spec());
  EXPECT_EQ(tokenizer.encode("20482048").size(), 8u);
  for (const char digit : std::string("0123456789"))
    EXPECT_EQ(tokenizer.encode(std::string(1, digit)).size(), 1u);
}

TEST(TokenizerFiles, AFolderThatIsNotThereIsAnError) {
  const TempFolder folder;
  const auto path = folder / "absent";
  EXPECT_TRUE(error_of([&] { write_tokenizer(small_spec(), path); }).starts_with(path.string()));
}

}  // namespace
}  // namespace minke
