#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "model/families/model.h"
#include "model/families/tensor_rows.h"
#include "model/formats/write_checkpoint.h"

namespace minke {

// The weights of a model as GGUF files name and lay them out, with `changes`, if any. Projections
// from latents are split into k_b and v_b, experts are stacked. The model and the changes must
// outlive the list.
std::vector<ListedTensor> list_gguf_tensors(Model& model, const WeightChanges* changes = nullptr);

// What a GGUF file holds `t` as if matrices are to be `wanted`: that, or what fits the rows
// (fitting_type); F32 for vectors and routers.
DType gguf_type(const ListedTensor& t, DType wanted);

// The tensors of a model under their GGUF names, to be written by write_gguf. Their types
// are those of gguf_type(). The model must outlive the list.
std::vector<TensorToWrite> gguf_tensors(Model& model, DType type);

// Writes a model of this architecture with random weights from `seed`, scaled so that activations
// stay near 1, and the exact sizes of real ones: for measuring without a download. Blocks are drawn
// from a pool of encoded blocks, so a file of 10 GiB takes as long as writing it. The tokenizer has
// one token for each byte; the other ids are unused. `progress` hears before each tensor how many
// bytes of how many are written; what it throws ends the writing and leaves no file.
void write_random_gguf(Model& model, const std::string& name, DType type, uint64_t seed,
                       const std::filesystem::path& path,
                       const std::function<void(int64_t, int64_t)>& progress = {});

}  // namespace minke
