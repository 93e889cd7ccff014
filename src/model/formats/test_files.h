#pragma once

#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/core/rng.h"
#include "base/core/test_folder.h"
#include "math/quant/quant.h"
#include "model/formats/gguf_types.h"
#include "model/formats/open_checkpoint.h"
#include "model/formats/write_checkpoint.h"

// What the tests of this folder make their files with.
namespace minke::testing {

inline Tensor random_tensor(DType type, const Shape& shape, uint64_t seed = 1) {
  Tensor values = Tensor::zeros(DType::kF32, shape);
  Rng rng(seed);
  for (int64_t i = 0; i < shape.elements(); ++i) {
    values.f32()[i] = static_cast<float>(rng.normal());
  }
  return encode_tensor(values, type);
}

inline TensorToWrite to_write(std::string name, const Tensor& t) {
  return {std::move(name), t.type, t.shape,
          [t] { return std::span<const uint8_t>(t.data, static_cast<size_t>(t.bytes())); }};
}

inline bool same_bytes(const Tensor& a, const Tensor& b) {
  return a.type == b.type && a.shape == b.shape &&
         std::memcmp(a.data, b.data, static_cast<size_t>(a.bytes())) == 0;
}

// The bytes of a file, built up value by value.
class Bytes {
 public:
  template <typename T>
  Bytes& put(T value) {
    text_.append(reinterpret_cast<const char*>(&value), sizeof(value));
    return *this;
  }
  Bytes& raw(std::string_view text) {
    text_ += text;
    return *this;
  }
  // A GGUF text: length and bytes.
  Bytes& text(std::string_view value) {
    put(uint64_t{value.size()});
    return raw(value);
  }
  Bytes& gguf_header(uint64_t tensors, uint64_t values, uint32_t version = 3) {
    return raw("GGUF").put(version).put(tensors).put(values);
  }
  Bytes& gguf_tensor(std::string_view name, const std::vector<uint64_t>& dims, uint32_t type,
                     uint64_t offset) {
    text(name).put(static_cast<uint32_t>(dims.size()));
    for (const uint64_t dim : dims) put(dim);
    return put(type).put(offset);
  }
  Bytes& pad(size_t alignment) {
    while (text_.size() % alignment != 0) text_ += '\0';
    return *this;
  }
  Bytes& zeros(size_t count) {
    text_.append(count, '\0');
    return *this;
  }
  const std::string& str() const { return text_; }

 private:
  std::string text_;
};

// A safetensors file: header length, header, data.
inline std::string safetensors(std::string_view header, size_t data_bytes) {
  return Bytes().text(header).zeros(data_bytes).str();
}

}  // namespace minke::testing
