#pragma once

#include <memory>
#include <span>
#include <string>

#include "text/grammar/grammar.h"

namespace minke {

// How calls are written, in the bytes of a TokenTrie: `before`, a name, `middle`, arguments,
// `after`. Where a call follows another, `between` stands for `after` and `before`.
struct CallForm {
  std::string before, middle, between, after;
  bool free_blanks = false;  // a run of blanks may be any that JSON has between its parts
};

struct CallTool {
  std::string name;
  std::shared_ptr<const Grammar> arguments;
};

// A call of one of `tools`, which must not be none, or one call and any number of others if
// `several`. Throws Error if the grammars together are too large.
std::shared_ptr<const Grammar> compile_calls(const CallForm& form, std::span<const CallTool> tools,
                                             bool several, Budget& budget);

}  // namespace minke
