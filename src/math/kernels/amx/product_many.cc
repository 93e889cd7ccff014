#include "math/kernels/amx/amx.h"
#include "math/kernels/amx/multiply_panel.h"
#include "math/kernels/avx512/formats_blocks32.h"
#include "math/kernels/avx512/formats_k.h"

namespace minke::amx {
namespace {

template <typename Format>
constexpr ProductMany kEntry = avx512::product_many<Format, multiply_panel<HardwareTiles>>;

}  // namespace

extern const ProductMany kQ4_0 = kEntry<avx512::Q4_0>;
extern const ProductMany kQ4_1 = kEntry<avx512::Q4_1>;
extern const ProductMany kQ5_0 = kEntry<avx512::Q5_0>;
extern const ProductMany kQ5_1 = kEntry<avx512::Q5_1>;
extern const ProductMany kQ8_0 = kEntry<avx512::Q8_0>;
extern const ProductMany kIQ4_NL = kEntry<avx512::IQ4_NL>;
extern const ProductMany kMXFP4 = kEntry<avx512::MXFP4>;
extern const ProductMany kQ2_K = kEntry<avx512::Q2_K>;
extern const ProductMany kQ3_K = kEntry<avx512::Q3_K>;
extern const ProductMany kQ4_K = kEntry<avx512::Q4_K>;
extern const ProductMany kQ5_K = kEntry<avx512::Q5_K>;
extern const ProductMany kQ6_K = kEntry<avx512::Q6_K>;
extern const ProductMany kIQ4_XS = kEntry<avx512::IQ4_XS>;

}  // namespace minke::amx
