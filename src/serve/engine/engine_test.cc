#include <cmath>
#include <filesystem>

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/core/error.h"
#include "model/families/bundle.h"
#include "model/families/gguf_tensors.h"
#include "model/families/shapes.h"
#include "serve/engine/generate.h"

namespace minke {
namespace {

namespace fs = std::filesystem;

// Random weights of every V3 feature, loaded once.
const Bundle& bundle() {
  static const Bundle loaded = [] {
    const fs::path path = fs::temp_directory_path() / fmt::format("minke-engine-{}.gguf", getpid());
    write_random_gguf(*make_model(named_shape("deepseek-v3-mini")), "mini", DType::kQ4_K, 1, path);
    Bundle b = load_bundle(path);
    fs::remove(path);
    return b;
  }();
  return loaded;
}

SessionOptions options(int threads = 2, int64_t context = 256, int64_t chunk = 512,
                       DType kv_type = kDefaultKvType) {
  SessionOptions o;
  o.threads = threads;
  o.isa = machine_isa();
  o.context = context;
  o.prefill_chunk = chunk;
  o.kv_type = kv_type;
  return o;
}

std::vector<int32_t> tokens(int count, int seed) {
  std::vector<int32_t> t;
  for (int i = 0; i < count; ++i) t.push_back(2 + (i * 37 + seed * 101) % 250);
  return t;
}

std::vector<float> copy(std::span<const float> s) {
  return {s.begin(), s.end()};
}

TEST(Session, ThreadsAndChunksGiveTheSameBitsForQuantizedWeights) {
  const auto prompt = tokens(70, 1);
  for (const DType type : {DType::kF32, DType::kBF16, DType::kQ8_0}) {
    Session reference(*bundle().model, options(2, 256, 512, type));
    const auto prefilled = copy(reference.prefill(prompt));
    const auto decoded = copy(reference.decode(5));
    for (const int threads : {1, 2, 3}) {
      for (const int64_t chunk : {1, 7, 64}) {
        Session session(*bundle().model, options(threads, 256, chunk, type));
        EXPECT_EQ(copy(session.prefill(prompt)), prefilled) << threads << " threads, " << chunk;
        EXPECT_EQ(copy(session.decode(5)), decoded) << threads << " threads, " << chunk;
      }
    }
  }
}

// Heads of keys and values behind one another in a row of blocks.
TEST(Session, ThreadsAndChunksGiveTheSameBitsForHeadsInEightBits) {
  const fs::path path = fs::temp_directory_path() / fmt::format("minke-dense-{}.gguf", getpid());
  write_random_gguf(*make_model(named_shape("smollm2-135m", 2)), "dense", DType::kQ4_0, 1, path);
  const Bundle dense = load_bundle(path);
  fs::remove(path);
  const auto prompt = tokens(70, 1);
  for (const Isa isa : kIsaLevels) {
    if (!machine_has(isa)) continue;
    SessionOptions o = options(2, 256, 512, DType::kQ8_0);
    o.isa = isa;
    Session reference(*dense.model, o);
    const auto prefilled = copy(reference.prefill(prompt));
    const auto decoded = copy(reference.decode(5));
    EXPECT_TRUE(std::isfinite(prefilled[0]));
    o.threads = 3;
    o.prefill_chunk = 7;
    Session session(*dense.model, o);
    EXPECT_EQ(copy(session.prefill(prompt)), prefilled) << isa_name(isa);
    EXPECT_EQ(copy(session.decode(5)), decoded) << isa_name(isa);
  }
}

TEST(Session, RefusesBadTokensAndAFullContext) {
  Session session(*bundle().model, options(1, 8));
  EXPECT_THROW(session.prefill(std::vector<int32_t>{-1}), Error);
  EXPECT_THROW(session.prefill(std::vector<int32_t>{4096}), Error);
  EXPECT_THROW(session.prefill(tokens(9, 0)), Error);
  session.prefill(tokens(8, 0));
  EXPECT_THROW(session.decode(1), Error);
  EXPECT_THROW(Session(*bundle().model, options(1, int64_t{1} << 40)), Error);
}

struct Reply {
  std::vector<int32_t> ids;
  GenerationResult result;
};

Reply reply(Generator& generator, std::span<const int32_t> prompt, GenerationOptions o,
            int cancel_after = -1) {
  Reply r;
  r.result = generator.generate(prompt, o, [&](int32_t id) {
    if (id >= 0) r.ids.push_back(id);
    return cancel_after < 0 || static_cast<int>(r.ids.size()) < cancel_after;
  });
  return r;
}

TEST(Generator, ContinuingAChatGivesWhatAColdStartGives) {
  GenerationOptions o;
  o.max_tokens = 12;
  o.sampling.temperature = 1;
  o.sampling.seed = 3;
  Session warm(*bundle().model, options());
  Generator chat(warm);
  auto conversation = tokens(40, 1);
  const Reply first = reply(chat, conversation, o);
  EXPECT_EQ(first.result.reason, FinishReason::kLength);
  EXPECT_EQ(first.result.generated_tokens, 12);
  conversation.insert(conversation.end(), first.ids.begin(), first.ids.end());
  const auto question = tokens(10, 2);
  conversation.insert(conversation.end(), question.begin(), question.end());
  const Reply second = reply(chat, conversation, o);
  EXPECT_EQ(second.result.reused_tokens, 40);

  Session cold(*bundle().model, options());
  Generator fresh(cold);
  EXPECT_EQ(reply(fresh, conversation, o).ids, second.ids);
}

TEST(Generator, StopsAtStopTokensFullContextsAndCallersWish) {
  Session session(*bundle().model, options(2, 64));
  Generator generator(session);
  GenerationOptions o;
  const auto prompt = tokens(60, 1);
  const Reply full = reply(generator, prompt, o);
  EXPECT_EQ(full.result.reason, FinishReason::kLength);
  EXPECT_EQ(full.ids.size(), 5u);  // four fit, and the one that no longer does was already drawn

  o.stop_ids = {full.ids[2]};
  const Reply stopped = reply(generator, prompt, o);
  EXPECT_EQ(stopped.result.reason, FinishReason::kStop);
  EXPECT_LE(stopped.ids.size(), 2u);

  o.stop_ids.clear();
  const Reply cancelled = reply(generator, prompt, o, 2);
  EXPECT_EQ(cancelled.result.reason, FinishReason::kCancelled);
  EXPECT_EQ(cancelled.ids.size(), 2u);
  EXPECT_EQ(reply(generator, prompt, o).ids, full.ids);
  EXPECT_THROW(reply(generator, {}, o), Error);
  EXPECT_THROW(reply(generator, tokens(65, 1), o), Error);
}

}  // namespace
}  // namespace minke
