#include "math/kernels/amx/products.h"

namespace minke::amx {

extern const TypedProduct* const kProducts = Products<HardwareTiles>::kOf;

}  // namespace minke::amx
