#include "serve/api/batch_routes.h"

#include <algorithm>
#include <charconv>
#include <exception>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "serve/api/api_errors.h"
#include "serve/api/openai/wire.h"
#include "serve/api/request_reader.h"
#include "serve/http/http_text.h"
#include "serve/http/multipart.h"

namespace minke {
namespace {

constexpr int64_t kReadBytes = 4 << 20;
constexpr int64_t kMostFilesListed = 10000, kMostBatchesListed = 100, kBatchesListed = 20;
constexpr size_t kMostIdBytes = 128, kMostPairs = 16, kMostPairBytes = 512;
// What a file is called whose part of the form has no name, as OpenAI's clients do it.
constexpr const char* kUnnamed = "upload";

[[noreturn]] void missing(std::string_view kind, std::string_view id) {
  throw ApiFailure(api_error(404, fmt::format("there is no {} \"{}\"", kind, printable(id)), "id",
                             fmt::format("{}_not_found", kind)));
}

// Errors of the store begin with the field, in the words of the request, where it is the request
// that is wrong. All others are the machine's: their text, with names of files, is for the
// operator.
ApiError store_error(const Error& error, std::string_view id) {
  constexpr std::string_view kFields[] = {"purpose",           "filename", "file",
                                          "completion_window", "metadata", "endpoint",
                                          "input_file_id",     "limit",    "after"};
  const std::string message = error.what();
  const std::string where = message.substr(0, message.find(": "));
  if (!id.empty() && where == id) return api_error(400, message, "id");
  if (std::find(std::begin(kFields), std::end(kFields), where) != std::end(kFields)) {
    return api_error(400, message, where);
  }
  return api_error(500, "the server could not use its store of files");
}

template <typename Item>
WireJson list_json(const StorePage<Item>& page) {
  WireJson data = WireJson::array();
  for (const Item& item : page.items) data.push_back(to_json(item));
  WireJson json = {{"object", "list"}, {"data", std::move(data)}};
  json["first_id"] = page.items.empty() ? WireJson(nullptr) : WireJson(page.items[0].id);
  json["last_id"] = page.items.empty() ? WireJson(nullptr) : WireJson(page.items.back().id);
  json["has_more"] = page.more;
  return json;
}

int64_t limit_of(const QueryParameters& query, int64_t usual, int64_t most) {
  const auto text = query_value(query, "limit");
  if (!text) return usual;
  int64_t limit = 0;
  const auto read = std::from_chars(text->data(), text->data() + text->size(), limit);
  if (read.ec != std::errc() || read.ptr != text->data() + text->size() || limit < 1 ||
      limit > most) {
    throw ApiFailure(
        api_error(400, fmt::format("limit: expected 1 to {}, found \"{}\"", most, printable(*text)),
                  "limit"));
  }
  return limit;
}

QueryParameters query_of(const HttpRequest& request) {
  try {
    return parse_query(request.query);
  } catch (const Error& error) {
    throw ApiFailure(api_error(400, error.what()));
  }
}

// The endpoints. Their functions throw; respond() answers what they throw.
class BatchRoutes {
 public:
  explicit BatchRoutes(BatchRoutesParts parts) : parts_(std::move(parts)) {}

  HttpResponse add_file(const HttpRequest& request, const PathParameters& path) const;
  HttpResponse list_files(const HttpRequest& request, const PathParameters& path) const;
  HttpResponse get_file(const HttpRequest& request, const PathParameters& path) const;
  HttpResponse get_content(const HttpRequest& request, const PathParameters& path) const;
  HttpResponse remove_file(const HttpRequest& request, const PathParameters& path) const;
  HttpResponse add_batch(const HttpRequest& request, const PathParameters& path) const;
  HttpResponse list_batches(const HttpRequest& request, const PathParameters& path) const;
  HttpResponse get_batch(const HttpRequest& request, const PathParameters& path) const;
  HttpResponse cancel_batch(const HttpRequest& request, const PathParameters& path) const;

  using Endpoint = HttpResponse (BatchRoutes::*)(const HttpRequest&, const PathParameters&) const;
  // `id`: of the file or batch that the path names, "" if it names none.
  HttpResponse respond(Endpoint endpoint, const HttpRequest& request, const PathParameters& path,
                       const std::string& id) const;

 private:
  BatchRoutesParts parts_;
};

HttpResponse BatchRoutes::respond(Endpoint endpoint, const HttpRequest& request,
                                  const PathParameters& path, const std::string& id) const {
  if (parts_.store == nullptr) {
    return openai_error(api_error(
        501, "this server keeps no files and no batches: it was started without --state DIR", "",
        "state_needed"));
  }
  try {
    return (this->*endpoint)(request, path);
  } catch (const BatchStore::Full& full) {
    return openai_error(api_error(429, full.what(), "", "limit_reached"));
  } catch (const Error& error) {
    const ApiError told = store_error(error, id);
    if (told.status >= 500 && parts_.warn) parts_.warn(error.what());
    return openai_error(told);
  } catch (...) {
    return openai_error(api_error_of(std::current_exception()));
  }
}

HttpResponse BatchRoutes::add_file(const HttpRequest& request, const PathParameters&) const {
  std::vector<FormPart> form;
  try {
    form = read_form(request.header("content-type"), request.body);
  } catch (const Error& error) {
    throw ApiFailure(api_error(400, error.what(), "", "invalid_form"));
  }
  const FormPart* file = nullptr;
  const FormPart* purpose = nullptr;
  IgnoredFields ignored;
  for (const FormPart& part : form) {
    if (part.name.starts_with("expires_after")) {
      throw ApiFailure(api_error(
          400, "expires_after: files stay until they are deleted; leave it out", "expires_after"));
    }
    const FormPart** known = part.name == "file"      ? &file
                             : part.name == "purpose" ? &purpose
                                                      : nullptr;
    if (known == nullptr) {
      ignored.add(part.name);
    } else if (std::exchange(*known, &part) != nullptr) {
      throw ApiFailure(api_error(400, part.name + ": stands twice in the form", part.name));
    }
  }
  for (const auto& [part, name] : {std::pair{file, "file"}, std::pair{purpose, "purpose"}}) {
    if (part == nullptr) {
      throw ApiFailure(api_error(400, fmt::format("{}: missing from the form", name), name));
    }
  }
  const StoredFile stored = parts_.store->add_file({.owner = parts_.owner(request),
                                                    .purpose = std::string(purpose->content),
                                                    .name = file->filename.value_or(kUnnamed),
                                                    .content = file->content});
  return json_response(to_json(stored), ignored_headers(ignored));
}

HttpResponse BatchRoutes::list_files(const HttpRequest& request, const PathParameters&) const {
  const QueryParameters query = query_of(request);
  const std::string order = query_value(query, "order").value_or("desc");
  if (order != "asc" && order != "desc") {
    throw ApiFailure(api_error(
        400, fmt::format("order: expected asc or desc, found \"{}\"", printable(order)), "order"));
  }
  return json_response(list_json(
      parts_.store->files(parts_.owner(request), query_value(query, "purpose").value_or(""),
                          query_value(query, "after").value_or(""),
                          limit_of(query, kMostFilesListed, kMostFilesListed), order == "asc")));
}

HttpResponse BatchRoutes::get_file(const HttpRequest& request, const PathParameters& path) const {
  const auto file = parts_.store->file(parts_.owner(request), path["id"]);
  if (!file) missing("file", path["id"]);
  return json_response(to_json(*file));
}

HttpResponse BatchRoutes::get_content(const HttpRequest& request,
                                      const PathParameters& path) const {
  const std::string owner = parts_.owner(request);
  const auto file = parts_.store->file(owner, path["id"]);
  if (!file) missing("file", path["id"]);
  HttpResponse response;
  // What a stranger has brought is never shown as a page of this server.
  response.content_type = "application/octet-stream";
  response.headers = {{"X-Content-Type-Options", "nosniff"}, {"Content-Disposition", "attachment"}};
  response.body.reserve(static_cast<size_t>(file->bytes));
  while (static_cast<int64_t>(response.body.size()) < file->bytes) {
    const auto piece = parts_.store->file_content(
        owner, path["id"], static_cast<int64_t>(response.body.size()), kReadBytes);
    if (!piece || piece->empty()) missing("file", path["id"]);  // deleted meanwhile
    response.body += *piece;
  }
  return response;
}

HttpResponse BatchRoutes::remove_file(const HttpRequest& request,
                                      const PathParameters& path) const {
  if (!parts_.store->remove_file(parts_.owner(request), path["id"])) missing("file", path["id"]);
  return json_response({{"id", path["id"]}, {"object", "file"}, {"deleted", true}});
}

HttpResponse BatchRoutes::add_batch(const HttpRequest& request, const PathParameters&) const {
  const RequestBody parsed = RequestBody::parse(request.body);
  IgnoredFields ignored;
  JsonObject fields(parsed.root(), ignored);
  fields.refuse("output_expires_after", "files stay until they are deleted");
  NewBatch batch;
  batch.owner = parts_.owner(request);
  batch.input_file = fields.need("input_file_id").text(kMostIdBytes);
  batch.endpoint = fields.need("endpoint").text(kMostIdBytes);
  if (const auto window = fields.get("completion_window"))
    batch.window = window->text(kMostIdBytes);
  if (const auto metadata = fields.get("metadata")) {
    IgnoredFields none;
    const auto pairs = JsonObject(*metadata, none).all();
    if (pairs.size() > kMostPairs) metadata->invalid(fmt::format("at most {} pairs", kMostPairs));
    for (const auto& [name, value] : pairs) {
      batch.metadata.emplace_back(name, value.text(kMostPairBytes));
    }
  }
  fields.close();
  const StoredBatch stored = parts_.store->create_batch(batch);
  if (parts_.begun) parts_.begun();
  return json_response(to_json(stored), ignored_headers(ignored));
}

HttpResponse BatchRoutes::list_batches(const HttpRequest& request, const PathParameters&) const {
  const QueryParameters query = query_of(request);
  return json_response(list_json(
      parts_.store->batches(parts_.owner(request), query_value(query, "after").value_or(""),
                            limit_of(query, kBatchesListed, kMostBatchesListed))));
}

HttpResponse BatchRoutes::get_batch(const HttpRequest& request, const PathParameters& path) const {
  const auto batch = parts_.store->batch(parts_.owner(request), path["id"]);
  if (!batch) missing("batch", path["id"]);
  return json_response(to_json(*batch));
}

HttpResponse BatchRoutes::cancel_batch(const HttpRequest& request,
                                       const PathParameters& path) const {
  const auto batch = parts_.store->cancel(parts_.owner(request), path["id"]);
  if (!batch) missing("batch", path["id"]);
  // The runner ends it as soon as none of its lines is being answered.
  if (parts_.begun) parts_.begun();
  return json_response(to_json(*batch));
}

}  // namespace

void add_batch_routes(const BatchRoutesParts& parts, std::vector<Route>& routes) {
  const auto all = std::make_shared<const BatchRoutes>(parts);
  const auto add = [&](const char* method, const std::string& pattern,
                       BatchRoutes::Endpoint endpoint) {
    const bool has_id = pattern.find("{id}") != std::string::npos;
    const auto handle = [all, endpoint, has_id](HttpRequest request, const PathParameters& path,
                                                std::shared_ptr<HttpReply> reply) {
      reply->send(all->respond(endpoint, request, path, has_id ? path["id"] : ""));
    };
    routes.push_back({method, pattern, Access::kUser, handle});
  };
  for (const char* prefix : {"/v1", ""}) {
    const std::string files = std::string(prefix) + "/files";
    add("POST", files, &BatchRoutes::add_file);
    add("GET", files, &BatchRoutes::list_files);
    add("GET", files + "/{id}", &BatchRoutes::get_file);
    add("DELETE", files + "/{id}", &BatchRoutes::remove_file);
    add("GET", files + "/{id}/content", &BatchRoutes::get_content);
    const std::string batches = std::string(prefix) + "/batches";
    add("POST", batches, &BatchRoutes::add_batch);
    add("GET", batches, &BatchRoutes::list_batches);
    add("GET", batches + "/{id}", &BatchRoutes::get_batch);
    add("POST", batches + "/{id}/cancel", &BatchRoutes::cancel_batch);
  }
}

}  // namespace minke
