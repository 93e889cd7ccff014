#pragma once

#include <map>
#include <string>

#include "model/families/shapes.h"

namespace minke {

// A named shape with some fields set otherwise; an empty text removes the field.
inline Checkpoint changed(std::string_view shape, const std::map<std::string, MetaValue>& changes) {
  const Checkpoint original = named_shape(shape);
  Metadata metadata("config.json");
  for (const auto& [key, value] : original.metadata().values()) {
    if (!changes.contains(key)) metadata.set(key, value);
  }
  for (const auto& [key, value] : changes) {
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr || !text->empty()) metadata.set(key, value);
  }
  return Checkpoint(Naming::kHuggingFace, std::move(metadata));
}

}  // namespace minke
