#include "model/families/decoder.h"

namespace minke {

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
