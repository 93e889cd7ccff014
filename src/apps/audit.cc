#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/verbs.h"
#include "serve/access/audit_log.h"

namespace minke {
namespace {

struct VerifyOptions {
  std::string file;
  bool json = false;
};

// Ends with 1 for a broken chain, so that scripts see it.
int verify(const VerifyOptions& options, Console& console) {
  const AuditVerdict verdict = verify_audit_log(options.file);
  if (options.json) {
    console.write_json({{"whole", verdict.fault.empty()},
                        {"records", verdict.records},
                        {"first", verdict.first},
                        {"last", verdict.last.number},
                        {"hash", verdict.last.hash},
                        {"fault", verdict.fault},
                        {"open_bytes", verdict.open_bytes}});
  } else {
    if (verdict.records > 0) {
      console.write(fmt::format("{} records, {} to {}, are whole; the last has the hash {}\n",
                                verdict.records, verdict.first, verdict.last.number,
                                verdict.last.hash));
    } else if (verdict.fault.empty()) {
      console.write("no records\n");
    }
    if (verdict.open_bytes > 0) {
      console.note(fmt::format("{}: {} bytes at the end are no whole record yet",
                               printable(options.file), verdict.open_bytes));
    }
  }
  if (verdict.fault.empty()) return 0;
  console.flush();
  throw Error(verdict.fault);
}

}  // namespace

void add_audit(CLI::App& app, Action& action) {
  CLI::App* audit = app.add_subcommand("audit", "look at the log of minke serve --audit: verify");
  audit->footer("");
  audit->require_subcommand(1);
  const auto o = std::make_shared<VerifyOptions>();
  CLI::App& verb =
      add_verb(*audit, action, "verify", "whether records were changed or taken out", o, verify);
  verb.add_option("FILE", o->file, "the log; those set aside beside it are looked at too")
      ->required()
      ->type_name("");
  add_json(verb, o->json);
}

}  // namespace minke
