#include "math/kernels/avx2/avx2.h"
#include "math/kernels/avx2/byte_pairs.h"
#include "math/kernels/avx2/formats_blocks32.h"

namespace minke::avx2 {

extern const QuantizedFormat kQ4_0 = kEntries<Q4_0>;
extern const QuantizedFormat kQ4_1 = kEntries<Q4_1>;
extern const QuantizedFormat kQ5_0 = kEntries<Q5_0>;
extern const QuantizedFormat kQ5_1 = kEntries<Q5_1>;
extern const QuantizedFormat kQ8_0 = kEntries<Q8_0>;
extern const QuantizedFormat kIQ4_NL = kEntries<IQ4_NL>;
extern const QuantizedFormat kMXFP4 = kEntries<MXFP4>;

}  // namespace minke::avx2
