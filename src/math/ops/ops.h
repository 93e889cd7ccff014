#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "math/ops/context.h"

namespace minke {

// The operations that models are made of, each with its backward pass, which a tape records.
// Activations are F32 in the context's arena; weights are of any storage type. M is the number of
// rows (tokens) of a batch. A row of a result depends on the same row of the operands only, and not
// on how many rows or threads there are. Shapes are CHECKed: whoever loads a model has compared its
// tensors with its configuration.

// Rows `tokens` of table [vocab, D] -> [M, D]. Every token must be in [0, vocab).
Tensor embedding(Context& ctx, const Tensor& table, std::span<const int32_t> tokens);

// x [M, K], w [N, K], bias empty or [N] -> x w^T + bias, [M, N].
Tensor linear(Context& ctx, const Tensor& x, const Tensor& w, const Tensor& bias = {});

// x = x + y, same shape: in place, or, with a tape, which may need the old values, in new memory.
void add_to(Context& ctx, Tensor& x, const Tensor& y);

// RMSNorm (Zhang and Sennrich, 2019, equation 4) over the last dimension: x * w / sqrt(mean(x^2) +
// eps). w [D]; x [..., D].
Tensor rms_norm(Context& ctx, const Tensor& x, const Tensor& w, float eps);

// silu(x gate^T) * (x up^T): x [M, D], gate and up [I, D] -> [M, I] (Shazeer 2020, SwiGLU).
Tensor swiglu(Context& ctx, const Tensor& x, const Tensor& gate, const Tensor& up);

// Rows `rows` of x [M, D] -> [rows, D].
Tensor select_rows(Context& ctx, const Tensor& x, std::span<const int32_t> rows);

// Columns [first, first + count) of x [M, D] -> [M, count].
Tensor select_columns(Context& ctx, const Tensor& x, int64_t first, int64_t count);

// [a_m, b_m] for each row m: a [M, A], b [M, B] -> [M, A + B].
Tensor join_columns(Context& ctx, const Tensor& a, const Tensor& b);

// --- rotary position embedding (Su et al. 2021) -------------------------------------------------

enum class RopeLayout {
  kInterleaved,  // pairs (x[2i], x[2i+1])
  kHalfSplit,    // pairs (x[i], x[i + n/2])
};

// cos and sin of position * inv_freq[i], each [M, n/2], times `magnitude`. Angles are formed in
// double precision.
struct RopeAngles {
  Tensor cos, sin;
};
RopeAngles rope_angles(Context& ctx, std::span<const int32_t> positions,
                       std::span<const double> inv_freq, double magnitude);

// Rotates the last n values of each head of x [M, heads * head_dim]; n = 2 * angles' columns.
Tensor rope(Context& ctx, const Tensor& x, int64_t head_dim, const RopeAngles& angles,
            RopeLayout layout);

// --- mixture of experts (DeepSeekMoE, Dai et al. 2024; DeepSeek-V2 and V3 reports, section 2.1) --

enum class RouterScore { kSoftmax, kSigmoid };
enum class GroupScore { kMax, kTopTwoSum };

struct RouterOptions {
  int top_k = 1;
  RouterScore score = RouterScore::kSoftmax;
  int groups = 1;      // experts are split into this many consecutive groups,
  int top_groups = 1;  // of which this many may be chosen from
  GroupScore group_score = GroupScore::kMax;
  bool normalize = false;  // weights of the chosen experts sum to 1
  float scale = 1.0f;      // then multiplied by this
};

// Experts of each token, best first; ties go to the lower index.
struct Routing {
  int top_k = 0;
  std::vector<int32_t> experts;  // [M, top_k]
  Tensor weights;                // [M, top_k]
};

// logits [M, E]; bias empty or F32 [E], added to the scores for choosing but not for weighting.
// With a tape: notes the experts' loads and adds the balance terms' gradients.
Routing route(Context& ctx, const Tensor& logits, const Tensor& bias, const RouterOptions& options);

// The routed experts' weights: gate and up [I, D], down [D, I], one each for every expert.
struct Experts {
  std::vector<Tensor> gate, up, down;
};

// sum over the chosen experts of weight * down(silu(gate x) * up x), in the order of `routing`: x
// [M, D] -> [M, D].
Tensor moe(Context& ctx, const Tensor& x, const Routing& routing, const Experts& experts);

// --- attention ----------------------------------------------------------------------------------

// Keys that attention takes at a time, so that they stay in the second-level cache from their
// scores to their values. Part of the definition of the result: sums grow chunk by chunk.
inline constexpr int64_t kAttentionChunk = 256;

// What attention of some sequences has in common. Queries of `heads` heads come in groups that
// share one key-value head: query head h uses key-value head h / (heads / kv_heads).
struct AttentionHeads {
  int64_t heads = 0, kv_heads = 0;
  int64_t key_dim = 0, value_dim = 0;
  // F32, BF16, or Q8_0, of which all strides and dimensions are multiples of the block of 32. Key t
  // of head j is `t % kAttentionChunk * key_stride + j * key_head_stride` values after
  // keys[t / kAttentionChunk] of its sequence; values alike.
  DType type = DType::kF32;
  int64_t key_stride = 0, key_head_stride = 0;
  int64_t value_stride = 0, value_head_stride = 0;
  // Of Q8_0 with one key-value head whose values are the beginnings of the keys: value and rest of
  // each key were written by store_with_one_scale().
  bool latents = false;
  float scale = 1.0f;  // of the scores, before the softmax
};

// One sequence of them, perhaps without rows.
struct AttentionSequence {
  const float* queries = nullptr;  // [rows, heads, key_dim]
  int64_t rows = 0;
  int64_t first_position = 0;  // of query row 0; row i sees keys of positions <= first_position + i
  // A pointer for each chunk of kAttentionChunk keys, at least as many as the last row sees.
  std::vector<const uint8_t*> keys, values;
  float* out = nullptr;  // [rows, heads, value_dim]
  // With a tape, which needs first_position = 0: the F32 activations [rows, kv_heads, key_dim] and
  // [rows, kv_heads, value_dim] that have the gradients of keys and values.
  const float* key_source = nullptr;
  const float* value_source = nullptr;
};

// The chunks of `rows` keys or values that lie behind one another from `first` on, `row_bytes`
// apart.
std::vector<const uint8_t*> attention_chunks(const uint8_t* first, int64_t row_bytes, int64_t rows);

// Causal attention: out = softmax(scale * q k^T) v of each sequence, with an online softmax over
// key chunks of a fixed size (Milakov and Gimelshein 2018; Dao et al. 2022), so that no matrix of
// all scores is ever held. A row's bits do not depend on what is computed with it. Over BF16 and
// Q8_0, levels with products of bfloat16 values (Kernels::dot_bf16) compute with those, queries and
// softmax weights rounded as well; the others in float32. Over `latents`, levels with
// Kernels::dot_latents compute with bytes, queries and weights rounded too.
void attention(Context& ctx, const AttentionHeads& heads,
               std::span<const AttentionSequence> sequences);
// What it computes with where keys and values are stored like this and are no `latents`: BF16 or
// F32.
DType attention_type(const Kernels& kernels, DType stored);

// Cross-entropy of the next tokens: sum over rows m with targets[m] >= 0 of
//   weights[m] * -log softmax(hidden_m head^T)[targets[m]],
// hidden [M, D], head [V, D]. log_probabilities [M] gets the log softmax of the targets, 0 where
// there is none. Logits of some rows at a time are held, never all. With a tape the gradients are
// added to at once.
double cross_entropy(Context& ctx, const Tensor& hidden, const Tensor& head,
                     std::span<const int32_t> targets, std::span<const float> weights,
                     std::span<float> log_probabilities);

// Stores n floats as F32, BF16 (rounded to nearest, ties to even) or Q8_0 (n is a multiple of 32; a
// block with a value that is not finite is NaN as a whole); and reads them back.
void store_values(const Context& ctx, const float* from, int64_t n, DType type, uint8_t* to);
void load_values(const Context& ctx, const uint8_t* from, int64_t n, DType type, float* to);
// The same, but all blocks of Q8_0 have the one scale that the largest value asks for, and one
// value that is not finite makes all of them NaN.
void store_with_one_scale(const Context& ctx, const float* from, int64_t n, DType type,
                          uint8_t* to);

}  // namespace minke
