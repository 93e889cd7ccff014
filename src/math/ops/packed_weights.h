#pragma once

#include <cstdint>
#include <map>
#include <tuple>

#include "math/ops/panels.h"

namespace minke {

// Matrices as panels (see multiply_panels), kept from pass to pass: packing them takes about as
// long as multiplying 32 rows by them. Holds two bytes a value beside the matrices themselves.
class PackedWeights {
 public:
  struct Entry {
    uint16_t* values;
    bool packed;  // whether `values` holds the panels, or is yet to be filled
  };

  // Of the `rows` rows of `inner` values that begin at `matrix`, which take `size` values in
  // panels. Good until clear(). Throws Error if the system refuses the memory.
  Entry& entry(const HalfRows& matrix, int64_t rows, int64_t inner, int64_t size);
  // The matrices have changed.
  void clear();

 private:
  using Key = std::tuple<const uint16_t*, int64_t, int64_t, int64_t>;

  Arena memory_;
  std::map<Key, Entry> entries_;
};

}  // namespace minke
