#include "model/families/decoder.h"

#include "base/core/check.h"
#include "math/ops/tape.h"

namespace minke {
namespace {

// While it lives, caches have the lengths that they had before a pass.
class LengthsBefore {
 public:
  LengthsBefore(std::span<const Segment> segments, std::span<const int64_t> lengths)
      : segments_(segments) {
    for (size_t i = 0; i < segments.size(); ++i) {
      after_.push_back(segments[i].cache->length());
      segments[i].cache->truncate(lengths[i]);
    }
  }
  ~LengthsBefore() {
    for (size_t i = 0; i < segments_.size(); ++i) {
      segments_[i].cache->advance(after_[i] - segments_[i].cache->length());
    }
  }
  LengthsBefore(const LengthsBefore&) = delete;
  LengthsBefore& operator=(const LengthsBefore&) = delete;

 private:
  std::span<const Segment> segments_;
  std::vector<int64_t> after_;
};

}  // namespace

void DecoderModel::visit_shared_config(ConfigVisitor& v) {
  DecoderConfig& c = config_;
  v.integer({"hidden_size", "embedding_length"}, c.dim, 1, 1 << 20);
  v.integer({"num_hidden_layers", "block_count"}, c.layers, 1, 4096);
  v.integer({"max_position_embeddings", "context_length"}, c.context_length, 1, 1 << 30);
  v.number({"rms_norm_eps", "attention.layer_norm_rms_epsilon"}, c.norm_eps, 0, 1, 1e-6);
  // A GGUF file shows it by having no output.weight.
  if (v.naming() == Naming::kHuggingFace) {
    v.flag({"tie_word_embeddings", ""}, c.tied_head, false);
  }
  // Older GGUF files do not say how large the vocabulary is; the embedding does.
  std::optional<int64_t> rows;
  if (const auto embedding = v.tensor("token_embd.weight")) rows = embedding->rows();
  v.integer({"vocab_size", "vocab_size"}, c.vocab, 1, 1 << 24, rows);
}

void DecoderModel::set_rope(int64_t rope_dims) {
  inv_freq_ = inverse_frequencies(config_.rope_theta, rope_dims, config_.rope_scaling);
  if (config_.rope_scaling.kind == RopeScaling::Kind::kLlama3) {
    const auto plain = inverse_frequencies(config_.rope_theta, rope_dims, RopeScaling{});
    rope_divisors_ = Tensor::zeros(DType::kF32, {rope_dims / 2});
    for (size_t i = 0; i < plain.size(); ++i) {
      rope_divisors_.f32()[i] = static_cast<float>(plain[i] / inv_freq_[i]);
    }
  }
}

Tensor DecoderModel::run(Context& ctx, const Batch& batch, const LayerForward& layer) const {
  // Layers compute all segments together.
  for (const Segment& s : batch.segments) {
    CHECK(s.cache->layout() == batch.segments[0].cache->layout());
  }
  Tensor x = embedding(ctx, embed_, batch.tokens);
  const RopeAngles angles = angles_of(ctx, batch);
  for (int64_t i = 0; i < config_.layers; ++i) run_layer(ctx, i, x, angles, batch, layer);
  for (const Segment& s : batch.segments) s.cache->advance(s.rows);
  const Tensor last = select_rows(ctx, x, batch.logit_rows);
  return rms_norm(ctx, last, norm_, eps());
}

void DecoderModel::run_layer(Context& ctx, int64_t index, Tensor& x, const RopeAngles& angles,
                             const Batch& batch, const LayerForward& layer) const {
  if (ctx.tape() == nullptr || !ctx.tape()->recompute) {
    const ScratchScope scratch(ctx);
    layer(ctx, index, x, angles, batch);
    return;
  }
  std::vector<int64_t> lengths;
  for (const Segment& s : batch.segments) lengths.push_back(s.cache->length());
  ctx.tape()->run_recomputable(
      ctx, x, [index, angles, batch, layer, lengths = std::move(lengths)](Context& c, Tensor& y) {
        const LengthsBefore at(batch.segments, lengths);
        layer(c, index, y, angles, batch);
      });
}

void DecoderModel::visit_embedding(WeightVisitor& v) {
  v.matrix({"model.embed_tokens.weight", "token_embd.weight"}, embed_,
           {config_.vocab, config_.dim});
}

void DecoderModel::visit_head(WeightVisitor& v) {
  using Need = WeightVisitor::Need;
  v.vector({"model.norm.weight", "output_norm.weight"}, norm_, config_.dim);
  // GGUF files of tied models have no head; Hugging Face folders say so in the configuration.
  if (!config_.tied_head) {
    const bool may_be_tied = facts_.gguf_source;
    v.matrix({"lm_head.weight", "output.weight"}, head_, {config_.vocab, config_.dim},
             may_be_tied ? Need::kOptional : Need::kRequired);
  }
}

}  // namespace minke
