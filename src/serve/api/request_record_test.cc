#include "serve/api/request_record.h"

#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/core/test_folder.h"
#include "serve/api/api_errors.h"
#include "serve/api/openai/fakes.h"

namespace minke {
namespace {

class RequestRecords : public ::testing::Test {
 protected:
  RequestRecords() {
    key.name = "ann";
    key.limits.tokens_per_day = 1000000;
    keeping.metrics = &metrics;
  }

  std::shared_ptr<RequestRecord> record() {
    return std::make_shared<RequestRecord>(
        keeping, RequestOrigin{"/v1/chat/completions", "req_given", "ann", "10.0.0.7"},
        quotas.admit(key).ticket, "body");
  }
  std::shared_ptr<TurnListener> start(const std::shared_ptr<RequestRecord>& of) {
    RecordedTurns turns(runner, of, options);
    TurnRequest request;
    request.owner = wire_owner("ann", "carol", "salt");
    turns.start(std::move(request), std::make_shared<Silent>());
    return runner.listening;
  }

  struct Silent : TurnListener {
    void started(int64_t, int64_t) override {}
    void delta(int, const TurnDelta&) override {}
    void ended(int, TurnEnd, const std::string&) override {}
    void finished(const TurnUsage&) override {}
    void failed(const ApiError&) override {}
  };
  struct Runner : FakeRunner {
    std::shared_ptr<TurnHandle> start(TurnRequest turn,
                                      std::shared_ptr<TurnListener> heard) override {
      listening = heard;
      return FakeRunner::start(std::move(turn), std::move(heard));
    }
    std::shared_ptr<TurnListener> listening;
  };

  testing::TempFolder folder;
  Metrics metrics{MetricsOptions{}};
  QuotaLedger quotas{""};
  ApiKey key;
  RecordKeeping keeping;
  OpenAiOptions options;
  Runner runner;
};

TEST_F(RequestRecords, WhatNeverBeganIsNotCharged) {
  TurnUsage usage;
  usage.prompt_tokens = 100;
  for (const bool begins : {false, true}) {
    auto one = record();
    const auto listener = start(one);
    if (begins) listener->started(100, 0);
    listener->ended(0, TurnEnd::kCancelled, "");
    listener->finished(usage);
    EXPECT_EQ(one->receipt().has_value(), begins);
    one->close();
    EXPECT_EQ(quotas.today("ann").tokens, begins ? 100 : 0);
  }
}

TEST_F(RequestRecords, AnAuditSaysWhoAskedAndUnderWhichId) {
  const std::string path = folder / "audit.jsonl";
  {
    AuditLog log(path, {.sync_seconds = 0});
    keeping.audit = &log;
    for (const char* id : {"", "req_own"}) {
      auto one = record();
      start(one);
      HttpResponse response;
      if (*id != 0) response.headers = {{"request-id", id}};
      recorded(std::make_shared<FakeReply>(), one)->send(std::move(response));
    }
    keeping.audit = nullptr;
  }
  EXPECT_EQ(verify_audit_log(path).fault, "");
  std::ifstream file(path);
  std::string line;
  for (const char* id : {"req_given", "req_own"}) {
    ASSERT_TRUE(std::getline(file, line));
    const auto json = nlohmann::json::parse(line);
    EXPECT_EQ(json["id"], id);
    EXPECT_EQ(json["key"], "ann");
    EXPECT_EQ(json["user"], "carol");
    EXPECT_EQ(json["peer"], "10.0.0.7");
  }
}

TEST_F(RequestRecords, AFullQueueIsCounted) {
  runner.failure = api_error_of(std::make_exception_ptr(Engine::Refused("engine: full")));
  EXPECT_THROW(start(record()), ApiFailure);
  const std::string text = metrics.text();
  const size_t at = text.find("reason=\"queue_full\"");
  ASSERT_NE(at, std::string::npos);
  EXPECT_EQ(text.substr(text.find('}', at), 3), "} 1");
}

TEST_F(RequestRecords, OtherModelsAreRefusedWhereThatIsAskedFor) {
  options.any_model = false;
  options.aliases = {"whale"};
  const auto status = [&](const char* model) {
    return error_of([&] {
             TurnRequest request;
             request.model = model;
             RecordedTurns(runner, record(), options)
                 .start(std::move(request), std::make_shared<Silent>());
           })
        .status;
  };
  EXPECT_EQ(status("whale"), 200);
  EXPECT_EQ(status("minke-test"), 200);
  EXPECT_EQ(status("other"), 404);
}

}  // namespace
}  // namespace minke
