#include "model/formats/checkpoint.h"

#include <cstring>

#include "base/core/error.h"
#include "math/quant/quant.h"

namespace minke {
namespace {

size_t alignment_of(DType type) {
  return is_quantized(type) ? 1 : static_cast<size_t>(dtype_info(type).block_bytes);
}

// Mapped files put a tensor where their writer did; kernels that take float or uint16_t pointers
// need them aligned.
Tensor aligned(const Tensor& t) {
  if (reinterpret_cast<uintptr_t>(t.data) % alignment_of(t.type) == 0) return t;
  Tensor copy = Tensor::zeros(t.type, t.shape);
  std::memcpy(copy.data, t.data, static_cast<size_t>(t.bytes()));
  return copy;
}

}  // namespace

std::optional<Tensor> Checkpoint::find(std::string_view name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) {
    const auto unusable = unusable_.find(name);
    if (unusable != unusable_.end()) {
      fail(source(), "tensor '{}': {}", printable(name), unusable->second);
    }
    return std::nullopt;
  }
  Tensor t = aligned(found->second);
  if (t.type != DType::kF8E4M3 || t.block_scales != nullptr) return t;
  if (const auto scales = find(std::string(name) + "_scale_inv")) {
    const Tensor decoded = scales->type == DType::kF32 ? *scales : decode_tensor(*scales);
    t.block_scales = decoded.f32();
    t.block_scales_owner = decoded.owner;
  } else if (metadata_.has("quantization_config.quant_method")) {
    fail(source(),
         "tensor '{}': F8_E4M3 with a quantization_config needs block scales, expected a tensor "
         "'{}_scale_inv', found none",
         printable(name), printable(name));
  }
  return t;
}

bool Checkpoint::has(std::string_view name) const {
  return tensors_.contains(name) || unusable_.contains(name);
}

void Checkpoint::require_new(const std::string& name) const {
  if (has(name)) fail(source(), "tensor '{}' appears twice", printable(name));
}

void Checkpoint::add(std::string name, Tensor tensor) {
  require_new(name);
  tensors_.emplace(std::move(name), std::move(tensor));
}

void Checkpoint::add_unusable(std::string name, std::string why) {
  require_new(name);
  unusable_.emplace(std::move(name), std::move(why));
}

}  // namespace minke
