#include "math/ops/context.h"

#include "math/ops/tape.h"

namespace minke {

Tensor Context::activation(const Shape& shape) {
  Tensor t;
  t.shape = shape;
  t.data = reinterpret_cast<uint8_t*>(arena_.allocate<float>(shape.elements()));
  if (tape_ != nullptr) tape_->own(t.f32(), shape.elements());
  return t;
}

}  // namespace minke
