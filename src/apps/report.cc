#include "learn/train/report/report.h"

#include "apps/arguments/output_file.h"
#include "apps/verbs.h"
#include "base/core/atomic_file.h"

namespace minke {
namespace {

struct ReportVerbOptions {
  std::string run, output;
  std::optional<double> price;
};

int report(const ReportVerbOptions& options, Console& console) {
  const std::filesystem::path run = options.run;
  const std::filesystem::path output =
      options.output.empty() ? run / "report.html" : std::filesystem::path(options.output);
  const std::string page = report_of_run(run, options.price);
  require_replaceable(output);
  AtomicFile file(output);
  file.write(page);
  file.commit();
  console.note(printable(output.string(), 400) + ": written");
  return 0;
}

}  // namespace

void add_report(CLI::App& app, Action& action) {
  const auto o = std::make_shared<ReportVerbOptions>();
  CLI::App& verb = add_verb(app, action, "report",
                            "a page with the curves and costs of a training run", o, report);
  verb.add_option("RUN", o->run, "the folder of a training run")->required()->type_name("");
  verb.add_option("-o,--output", o->output, "the HTML file to write [RUN/report.html]")
      ->type_name("FILE");
  constexpr double kMostPrice = 1e9;
  add_number(verb, "--price", o->price, 0, kMostPrice,
             "what a core-hour costs, to tell what the run did");
  verb.footer("The page is one file that needs no network.");
}

}  // namespace minke
