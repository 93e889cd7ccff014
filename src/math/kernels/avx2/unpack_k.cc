#include "math/kernels/avx2/avx2.h"
#include "math/kernels/avx2/byte_pairs.h"
#include "math/kernels/avx2/formats_k.h"

namespace minke::avx2 {

extern const QuantizedFormat kQ2_K = kEntries<Q2_K>;
extern const QuantizedFormat kQ3_K = kEntries<Q3_K>;
extern const QuantizedFormat kQ4_K = kEntries<Q4_K>;
extern const QuantizedFormat kQ5_K = kEntries<Q5_K>;
extern const QuantizedFormat kQ6_K = kEntries<Q6_K>;
extern const QuantizedFormat kIQ4_XS = kEntries<IQ4_XS>;

}  // namespace minke::avx2
