#pragma once

#include "math/kernels/amx/amx.h"
#include "math/kernels/amx/multiply_panel.h"
#include "math/kernels/avx512/formats_blocks32.h"
#include "math/kernels/avx512/formats_k.h"

// product_many of every quantized type, over tiles of one kind.

namespace minke::amx {
namespace {

template <typename Tiles, typename Format>
constexpr auto kProductMany = avx512::product_many<Format, multiply_panel<Tiles>>;

template <typename Tiles>
struct Products {
  static constexpr TypedProduct kOf[kTypes] = {
      {"Q4_0", kProductMany<Tiles, avx512::Q4_0>},
      {"Q4_1", kProductMany<Tiles, avx512::Q4_1>},
      {"Q5_0", kProductMany<Tiles, avx512::Q5_0>},
      {"Q5_1", kProductMany<Tiles, avx512::Q5_1>},
      {"Q8_0", kProductMany<Tiles, avx512::Q8_0>},
      {"IQ4_NL", kProductMany<Tiles, avx512::IQ4_NL>},
      {"MXFP4", kProductMany<Tiles, avx512::MXFP4>},
      {"Q2_K", kProductMany<Tiles, avx512::Q2_K>},
      {"Q3_K", kProductMany<Tiles, avx512::Q3_K>},
      {"Q4_K", kProductMany<Tiles, avx512::Q4_K>},
      {"Q5_K", kProductMany<Tiles, avx512::Q5_K>},
      {"Q6_K", kProductMany<Tiles, avx512::Q6_K>},
      {"IQ4_XS", kProductMany<Tiles, avx512::IQ4_XS>},
  };
};

}  // namespace
}  // namespace minke::amx
