#pragma once

#include "model/families/config_visitor.h"

namespace minke {

// The fields of ConfigVisitor::rope, read: from config.json, and from GGUF metadata.
void read_rope(ConfigVisitor& v, const Metadata& metadata, double& theta, RopeScaling& scaling,
               bool deepseek);

// The same as GGUF files store them.
void list_rope(ConfigVisitor& v, double& theta, RopeScaling& scaling, bool deepseek);

}  // namespace minke
