#include "apps/conversion.h"

namespace minke {

void add_convert(CLI::App& app, Action& action) {
  const auto o = std::make_shared<ConversionOptions>();
  CLI::App& verb =
      add_verb(app, action, "convert", "write a model in another format", o, run_conversion);
  add_conversion(verb, *o);
  add_wanted_type(verb, o->type, "how matrices are stored, if not as in SRC");
  verb.add_option("--adapter", o->adapter, "merge this LoRA adapter (a PEFT folder)")
      ->type_name("DIR");
  verb.footer("Layers of multi-token prediction are left out.");
}

}  // namespace minke
