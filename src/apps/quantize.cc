#include "apps/conversion.h"

namespace minke {
namespace {

int quantize(const ConversionOptions& options, Console& console) {
  if (!is_gguf_name(options.destination)) {
    throw UsageError("DST: expected a name that ends in .gguf, found \"" +
                     printable(options.destination) + "\"");
  }
  return run_conversion(options, console);
}

}  // namespace

void add_quantize(CLI::App& app, Action& action) {
  const auto o = std::make_shared<ConversionOptions>();
  CLI::App& verb =
      add_verb(app, action, "quantize", "write a model as a smaller GGUF file", o, quantize);
  add_conversion(verb, *o);
  add_wanted_type(verb, o->type, "how matrices are stored")->required();
  verb.footer(
      "Vectors and routers stay F32. A matrix whose rows are no multiple of the type's block gets "
      "the nearest type that fits.");
}

}  // namespace minke
