#pragma once

#include <string>

#include "model/families/model.h"

namespace minke {

// The model's configuration as the metadata of a GGUF file, with general.architecture and
// general.name. Throws Error if a reader of that file would compute with another configuration: a
// field that GGUF has no key for differs from what readers take for it, or a value lies outside
// their bounds.
Metadata gguf_metadata(Model& model, const std::string& name);

// The same for showing it: fields that GGUF has no key for stand under their names in config.json,
// whatever their values.
Metadata config_fields(Model& model, const std::string& name);

}  // namespace minke
