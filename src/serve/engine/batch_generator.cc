#include "serve/engine/batch_generator.h"

#include <utility>

#include "base/core/check.h"
#include "base/core/error.h"
#include "serve/engine/limits.h"

namespace minke {
namespace {

EngineOptions engine_options(const Model& model, const BatchOptions& options) {
  EngineOptions o;
  o.session = options.session;
  o.sequences = options.slots;
  o.interactive = false;
  o.generated_phase = options.generated_phase;
  // Every slot may fill its context.
  const KvLayout layout = cache_layout(model, o);
  const int64_t context = chosen_context(model, options.session.context);
  const int64_t pages = (context + kPageTokens - 1) / kPageTokens;
  o.cache_bytes = options.slots * pages * layout.page_bytes();
  return o;
}

}  // namespace

// Collects what one sequence says.
class BatchGenerator::Listener final : public EngineListener {
 public:
  Listener(BatchGenerator& owner, int64_t ticket) : owner_(owner) { sequence_.ticket = ticket; }

  void started(int64_t /*cached_tokens*/) override {}
  void scored(std::span<const EngineToken> /*prompt*/) override {}
  void token(const EngineToken& token) override { add(token.id, token.log_probability); }
  void finished(const EngineReceipt& receipt) override {
    if (receipt.reason == FinishReason::kStop) add(receipt.stop_id, receipt.stop_log_probability);
    sequence_.reason = receipt.reason;
    owner_.finished_.push_back(std::move(sequence_));
  }
  void failed(const std::string& message) override { owner_.failure_ = message; }

 private:
  void add(int32_t id, float log_probability) {
    sequence_.tokens.push_back(id);
    sequence_.log_probabilities.push_back(log_probability);
  }

  BatchGenerator& owner_;
  GeneratedSequence sequence_;
};

BatchGenerator::BatchGenerator(const Model& model, const BatchOptions& options)
    : slots_(options.slots), scheduler_(model, engine_options(model, options)) {}

BatchGenerator::~BatchGenerator() = default;

int64_t BatchGenerator::submit(std::vector<int32_t> prompt, const GenerationOptions& options) {
  EngineRequest request;
  request.prompt = std::move(prompt);
  request.options = options;
  request.log_probabilities = true;
  scheduler_.check(request);
  const int64_t ticket = next_ticket_++;
  scheduler_.submit(ticket, std::move(request), std::make_shared<Listener>(*this, ticket));
  return ticket;
}

void BatchGenerator::weights_changed() {
  CHECK(unfinished() == 0);
  scheduler_.weights_changed();
}

std::vector<GeneratedSequence> BatchGenerator::step() {
  scheduler_.step();
  if (!failure_.empty()) throw Error(failure_);
  return std::exchange(finished_, {});
}

}  // namespace minke
