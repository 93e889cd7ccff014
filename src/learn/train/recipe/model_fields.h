#pragma once

#include "learn/train/recipe/recipe.h"
#include "model/families/model.h"

namespace minke {

// Throws Error, with the names there are, if a field of the recipe's [model] is one that neither
// `model`, which was made with it, nor any reader of its config.json looks at, and
// if attention_dropout is not 0.
void check_model_fields(const ModelRecipe& recipe, Model& model);

}  // namespace minke
