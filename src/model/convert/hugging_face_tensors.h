#pragma once

#include <vector>

#include "model/families/model.h"
#include "model/families/tensor_rows.h"

namespace minke {

// The weights of a model as Hugging Face folders name and lay them out, with `changes`, if any: a
// tensor for each expert and projection, latent projections whole. The model and the changes must
// outlive the list.
std::vector<ListedTensor> list_hugging_face_tensors(Model& model,
                                                    const WeightChanges* changes = nullptr);

}  // namespace minke
