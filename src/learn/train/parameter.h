#pragma once

#include <string>

#include "math/tensor/tensor.h"

namespace minke {

// How a weight is used, which decides how it is initialised and optimised.
enum class ParameterRole {
  kMatrix,     // hidden matrices [out, in], each expert apart: Muon's
  kEmbedding,  // [vocab, dim]
  kHead,       // [vocab, dim]
  kRouter,     // [experts, dim]
  kVector,     // norms and biases: no weight decay
};

// A weight that is trained.
struct Parameter {
  std::string name;  // Hugging Face's, "model.layers.0.self_attn.o_proj.weight"
  ParameterRole role = ParameterRole::kMatrix;
  Tensor master;    // F32: what the optimizer changes
  Tensor gradient;  // F32, of the same shape; filled by the backward pass, cleared by the trainer
};

}  // namespace minke
