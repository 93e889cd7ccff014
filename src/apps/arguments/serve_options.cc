#include "apps/arguments/serve_options.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "apps/verbs.h"
#include "base/core/error.h"
#include "serve/http/host_policy.h"

namespace minke {
namespace {

void need_names(const char* option, const std::vector<std::string>& names) {
  if (std::ranges::find(names, "") != names.end()) {
    throw UsageError(fmt::format("{}: expected a name, found none", option));
  }
}

// An origin as browsers send it (RFC 6454), or any.
bool is_origin(std::string_view text) {
  const size_t scheme = text.find("://");
  const bool site = scheme != 0 && scheme != text.npos && scheme + 3 < text.size();
  return site || text == "*" || text == "null";
}

}  // namespace

void check_serve_options(const ServeOptions& options) {
  need_names("--alias", options.aliases);
  need_names("--allow-host", options.hosts);
  for (const std::string& origin : options.origins) {
    if (is_origin(origin)) continue;
    throw UsageError(fmt::format(
        "--allow-origin: expected a site such as https://example.org, or *, found \"{}\"",
        printable(origin)));
  }
  if (options.audit_content && options.audit.empty()) {
    throw UsageError("--audit-content: goes with --audit FILE");
  }
  if (options.store_gib && options.store.empty()) {
    throw UsageError("--store-size: goes with --store DIR");
  }
  if (options.host.starts_with('/') || is_loopback(options.host) || !options.keys.empty() ||
      options.insecure)
    return;
  throw UsageError(fmt::format(
      "--host: {} can be reached from other machines; expected --keys FILE as well, or --insecure "
      "if everybody who reaches it may use it",
      printable(options.host)));
}

void add_serve_options(CLI::App& verb, ServeOptions& o) {
  add_model(verb, o.model);
  verb.add_option("--host", o.host, "address to listen at [127.0.0.1]; a path is a Unix socket")
      ->type_name("ADDRESS");
  add_integer(verb, "--port", o.port, 0, 65535, "port; 0: a free one [8080]");
  verb.add_option("--name", o.name, "what answers call the model [its file's name]")
      ->type_name("NAME");
  verb.add_option("--alias", o.aliases, "another name for the model; may be repeated")
      ->type_name("NAME");
  verb.add_flag("--strict-model", o.strict_model, "404 for requests that ask for another model");
  verb.add_option("--keys", o.keys, "who may ask: a file made by minke keys")->type_name("FILE");
  verb.add_flag("--insecure", o.insecure, "without keys, also for other machines");
  verb.add_option("--allow-host", o.hosts, "a name that the server is known by; * for any")
      ->type_name("NAME");
  verb.add_option("--allow-origin", o.origins, "a site whose pages may ask, https://example.org")
      ->type_name("URL");
  add_integer(verb, "--sequences", o.sequences, 1, 1024, "replies that are written at a time [16]");
  add_integer(verb, "--queue", o.queue, 1, 1000000, "requests that may wait for that [256]");
  add_context(verb, o.context, "4096");
  add_number(verb, "--cache", o.cache_gib, 0.001, 1 << 20,
             "GiB of memory for keys and values [a quarter of what is free]");
  verb.add_option("--store", o.store, "folder that keeps prompts' keys and values [none]")
      ->type_name("DIR");
  add_number(verb, "--store-size", o.store_gib, 0.001, 1 << 20, "GiB of that folder [8]");
  verb.add_option("--state", o.state, "folder of files, batches and quotas [none]")
      ->type_name("DIR");
  verb.add_option("--audit", o.audit, "log of who asked when, and how much")->type_name("FILE");
  verb.add_flag("--audit-content", o.audit_content, "what was asked and answered as well");
  verb.add_option("--prices", o.prices, "prices of a million tokens, for receipts")
      ->type_name("FILE");
  verb.add_option("--metrics-prefix", o.metrics, "of the names at /metrics [minke:]")
      ->type_name("TEXT");
  add_integer(verb, "--drain", o.drain, 0, 86400, "seconds for open requests at the end [30]");
  add_threads(verb, o.threads);
  add_kv_type(verb, o.kv_type);
}

}  // namespace minke
