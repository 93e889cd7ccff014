#include <gtest/gtest.h>

#include "serve/api/completions/completion_runner.h"
#include "text/tokenizer/spec_testing.h"

namespace minke {
namespace {

struct Heard : CompletionListener {
  void started(int64_t prompt, int64_t cached) override {
    prompt_tokens = prompt;
    cached_tokens = cached;
  }
  void scored(std::vector<ScoredText> prompt) override { prompt_scores = std::move(prompt); }
  void text(std::string piece, std::vector<CompletionToken> more) override {
    all += piece;
    pieces.push_back(std::move(piece));
    for (CompletionToken& token : more) tokens.push_back(std::move(token));
  }
  void finished(TurnEnd reason, const TurnUsage& cost) override {
    end = reason;
    usage = cost;
  }
  void failed(const ApiError& what) override { error = what; }

  int64_t prompt_tokens = 0, cached_tokens = 0;
  std::vector<ScoredText> prompt_scores;
  std::string all;
  std::vector<std::string> pieces;
  std::vector<CompletionToken> tokens;
  std::optional<TurnEnd> end;
  TurnUsage usage;
  std::optional<ApiError> error;
};

class CompletionStreamTest : public testing::Test {
 protected:
  CompletionStreamTest() : tokenizer_(spec()) {
    options_.prompt_tokens = 5;
    options_.cancel = [this] { ++cancelled_; };
  }

  static TokenizerSpec spec() {
    TokenizerSpec spec = byte_spec();
    for (const std::string_view text : {"<end>", "<fim_prefix>", "<fim_suffix>", "<fim_middle>"}) {
      spec.added.push_back({static_cast<int32_t>(spec.tokens.size()), std::string(text), true});
      spec.tokens.emplace_back(text);
    }
    spec.bos = 256;
    spec.add_bos = true;
    return spec;
  }

  // Each byte of `text` is a token; `more` follow.
  void play(std::string_view text, FinishReason reason, const std::vector<int32_t>& more = {}) {
    CompletionStream stream(tokenizer_, options_, heard_);
    stream.started(2);
    EngineToken token;
    token.log_probability = -1;
    for (const char byte : text) {
      token.id = static_cast<unsigned char>(byte);
      stream.token(token);
    }
    for (const int32_t id : more) {
      token.id = id;
      stream.token(token);
    }
    EngineReceipt receipt;
    receipt.reason = cancelled_ > 0 ? FinishReason::kCancelled : reason;
    receipt.prompt_tokens = 5;
    receipt.cached_tokens = 2;
    stream.finished(receipt);
  }

  std::string tokens() const {
    std::string text;
    for (const CompletionToken& token : heard_->tokens) text += token.score.bytes;
    return text;
  }

  Tokenizer tokenizer_;
  CompletionStream::Options options_;
  std::shared_ptr<Heard> heard_ = std::make_shared<Heard>();
  int cancelled_ = 0;
};

TEST_F(CompletionStreamTest, text_comes_in_whole_characters) {
  play("a\xc3\xa9\xe2\x82", FinishReason::kLength);
  const std::vector<std::string> expected = {"a", "é", "\xef\xbf\xbd"};
  EXPECT_EQ(heard_->pieces, expected);
  EXPECT_EQ(heard_->end, TurnEnd::kLength);
  EXPECT_EQ(heard_->usage.completion_tokens, 5);
  EXPECT_EQ(heard_->usage.cached_tokens, 2);
  EXPECT_EQ(heard_->prompt_tokens, 5);
  EXPECT_TRUE(heard_->tokens.empty());
}

TEST_F(CompletionStreamTest, a_stop_string_ends_the_text_and_the_task) {
  options_.stops = {"STOP"};
  options_.log_probabilities = true;
  play("go STxSTOP on", FinishReason::kLength);
  EXPECT_EQ(heard_->all, "go STx");
  EXPECT_EQ(tokens(), "go STx");
  EXPECT_EQ(cancelled_, 1);
  EXPECT_EQ(heard_->end, TurnEnd::kStop);
  EXPECT_EQ(heard_->usage.completion_tokens, 10);
}

TEST_F(CompletionStreamTest, what_may_begin_a_stop_string_comes_at_the_end) {
  options_.stops = {"STOP"};
  options_.log_probabilities = true;
  play("go ST", FinishReason::kStop);
  EXPECT_EQ(heard_->all, "go ST");
  EXPECT_EQ(tokens(), "go ST");
  EXPECT_EQ(heard_->end, TurnEnd::kStop);
}

TEST_F(CompletionStreamTest, a_stop_token_has_a_score_and_no_text) {
  options_.stop_ids = {256};
  options_.log_probabilities = true;
  play("ab", FinishReason::kLength, {256, 'c'});
  EXPECT_EQ(heard_->all, "ab");
  EXPECT_EQ(tokens(), "ab<end>");
  EXPECT_TRUE(heard_->tokens.back().hidden);
  EXPECT_EQ(cancelled_, 1);
  EXPECT_EQ(heard_->end, TurnEnd::kStop);
  EXPECT_EQ(heard_->usage.completion_tokens, 2);
}

TEST_F(CompletionStreamTest, a_task_that_others_end_is_cancelled) {
  play("ab", FinishReason::kCancelled);
  EXPECT_EQ(heard_->end, TurnEnd::kCancelled);
}

TEST_F(CompletionStreamTest, a_failure_is_500) {
  CompletionStream stream(tokenizer_, options_, heard_);
  stream.failed("disk");
  EXPECT_EQ(heard_->error.value().status, 500);
}

TEST_F(CompletionStreamTest, prompts_have_scores_with_the_texts_of_tokens) {
  CompletionStream stream(tokenizer_, options_, heard_);
  EngineToken token;
  token.id = 256;
  token.log_probability = -0.5f;
  token.top = {{'x', -0.25f}};
  stream.scored(std::vector<EngineToken>{token});
  ASSERT_EQ(heard_->prompt_scores.size(), 1u);
  EXPECT_EQ(heard_->prompt_scores[0].bytes, "<end>");
  EXPECT_EQ(heard_->prompt_scores[0].top[0].first, "x");
}

TEST_F(CompletionStreamTest, prompts_spell_control_tokens_and_gaps_do_not) {
  const std::vector<int32_t> plain = {256, 'a', 256};
  EXPECT_EQ(encode_text(tokenizer_, "a<end>", true).ids, plain);
  EXPECT_EQ(encode_text(tokenizer_, "a<end>", true).before, 1u);
  EXPECT_EQ(encode_text(tokenizer_, "a<end>", false).ids, (std::vector<int32_t>{'a', 256}));
  const auto gap = encode_gap(tokenizer_, "a", "<end>");
  ASSERT_TRUE(gap);
  const std::vector<int32_t> expected = {256, 257, 'a', 258, '<', 'e', 'n', 'd', '>', 259};
  EXPECT_EQ(gap->ids, expected);
  EXPECT_FALSE(encode_gap(Tokenizer(byte_spec()), "a", "b"));
}

}  // namespace
}  // namespace minke
