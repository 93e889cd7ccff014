#pragma once

#include <functional>
#include <string>
#include <vector>

#include "serve/access/batch_store.h"
#include "serve/http/router.h"

namespace minke {

struct BatchRoutesParts {
  BatchStore* store = nullptr;  // null: all of these routes answer 501; else it must outlive them
  std::function<std::string(const HttpRequest&)> owner;  // whose files and batches a request sees
  std::function<void()> begun;                           // a batch was made; may be null
  std::function<void(const std::string&)> warn;          // what the disk refuses; may be null
};

// Adds OpenAI's endpoints of files and batches, with /v1 and without. Source: OpenAI's openapi.json
// of 2026-08-21.
//   POST /v1/files                    a form with purpose and file
//   GET /v1/files                     ?purpose, limit, order, after
//   GET /v1/files/{id}                DELETE as well
//   GET /v1/files/{id}/content
//   POST /v1/batches                  {input_file_id, endpoint, completion_window, metadata}
//   GET /v1/batches                   ?limit, after
//   GET /v1/batches/{id}
//   POST /v1/batches/{id}/cancel
void add_batch_routes(const BatchRoutesParts& parts, std::vector<Route>& routes);

}  // namespace minke
