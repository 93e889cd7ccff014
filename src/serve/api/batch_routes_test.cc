#include "serve/api/batch_routes.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/core/test_folder.h"
#include "serve/api/openai/fakes.h"

namespace minke {
namespace {

using Json = nlohmann::json;
using testing::TempFolder;

std::string form_field(const std::string& disposition, const std::string& content) {
  return "--b\r\nContent-Disposition: form-data; " + disposition + "\r\n\r\n" + content + "\r\n";
}
std::string form(const std::string& purpose, const std::string& content) {
  return form_field("name=\"purpose\"", purpose) +
         form_field("name=\"file\"; filename=\"in.jsonl\"", content) + "--b--\r\n";
}
const std::string kLine =
    R"({"custom_id":"a","method":"POST","url":"/v1/completions","body":{"prompt":"x"}})";

class BatchRoutesTest : public ::testing::Test {
 protected:
  TempFolder folder;
  BatchStoreOptions options;
  std::unique_ptr<BatchStore> store;
  std::unique_ptr<Router> router;
  int begun = 0;
  std::vector<std::string> warnings;

  void SetUp() override { open(); }
  void open(bool has_store = true) {
    store.reset();
    if (has_store) store = std::make_unique<BatchStore>(folder / "store", options);
    BatchRoutesParts parts;
    parts.store = store.get();
    parts.owner = [](const HttpRequest& request) {
      return std::string(request.header("authorization"));
    };
    parts.begun = [this] { ++begun; };
    parts.warn = [this](const std::string& text) { warnings.push_back(text); };
    std::vector<Route> routes;
    add_batch_routes(parts, routes);
    router = std::make_unique<Router>(std::move(routes), [](const HttpRequest&, Access access) {
      EXPECT_EQ(access, Access::kUser);
      return std::optional<HttpResponse>();
    });
  }

  HttpResponse ask(const std::string& method, const std::string& target, std::string body = "",
                   const std::string& owner = "ann") {
    HttpRequest request;
    request.method = method;
    request.path = target.substr(0, target.find('?'));
    if (target.find('?') != std::string::npos) request.query = target.substr(target.find('?') + 1);
    request.headers = {{"authorization", owner},
                       {"content-type", "multipart/form-data; boundary=b"}};
    request.body = std::move(body);
    const auto reply = std::make_shared<FakeReply>();
    (*router)(std::move(request), reply);
    return reply->head.value();
  }
  Json good(const std::string& method, const std::string& target, const std::string& body = "",
            const std::string& owner = "ann") {
    const HttpResponse response = ask(method, target, body, owner);
    EXPECT_EQ(response.status, 200) << target << response.body;
    return Json::parse(response.body);
  }
  // The error's status and param.
  std::pair<int, std::string> bad(const std::string& method, const std::string& target,
                                  const std::string& body = "", const std::string& owner = "ann") {
    const HttpResponse response = ask(method, target, body, owner);
    const Json error = Json::parse(response.body)["error"];
    EXPECT_TRUE(error["message"].is_string());
    EXPECT_TRUE(error.contains("type") && error.contains("code"));
    return {response.status, error["param"].is_null() ? "" : error["param"].get<std::string>()};
  }
  std::string upload(const std::string& content = kLine, const std::string& owner = "ann") {
    return good("POST", "/v1/files", form("batch", content), owner)["id"];
  }
  std::string batch_body(const std::string& file) {
    return R"({"input_file_id":")" + file +
           R"(","endpoint":"/v1/completions","completion_window":"24h"})";
  }
};

using Refusal = std::pair<int, std::string>;

TEST_F(BatchRoutesTest, KeepsFiles) {
  const Json file = good("POST", "/v1/files", form("batch", kLine));
  EXPECT_EQ(file["object"], "file");
  EXPECT_EQ(file["bytes"], kLine.size());
  EXPECT_EQ(file["filename"], "in.jsonl");
  EXPECT_EQ(file["purpose"], "batch");
  const std::string id = file["id"];
  EXPECT_EQ(good("GET", "/v1/files/" + id), file);
  EXPECT_EQ(good("GET", "/files/" + id), file);
  const HttpResponse content = ask("GET", "/v1/files/" + id + "/content");
  EXPECT_EQ(content.body, kLine);
  EXPECT_EQ(content.content_type, "application/octet-stream");
  EXPECT_EQ(good("DELETE", "/v1/files/" + id),
            Json({{"id", id}, {"object", "file"}, {"deleted", true}}));
  EXPECT_EQ(bad("GET", "/v1/files/" + id), Refusal(404, "id"));
  EXPECT_EQ(bad("GET", "/v1/files/" + id + "/content"), Refusal(404, "id"));
  EXPECT_EQ(bad("DELETE", "/v1/files/" + id), Refusal(404, "id"));
}

TEST_F(BatchRoutesTest, FilesOfManyPiecesComeWhole) {
  std::string content(9 << 20, 'x');
  for (size_t i = 0; i < content.size(); i += 1000) content[i] = static_cast<char>(i / 1000);
  EXPECT_EQ(ask("GET", "/v1/files/" + upload(content) + "/content").body, content);
}

TEST_F(BatchRoutesTest, ListsFilesInPages) {
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i) ids.push_back(upload());
  const Json page = good("GET", "/v1/files?limit=2&order=asc");
  EXPECT_EQ(page["object"], "list");
  EXPECT_EQ(page["data"].size(), 2u);
  EXPECT_EQ(page["first_id"], ids[0]);
  EXPECT_EQ(page["last_id"], ids[1]);
  EXPECT_EQ(page["has_more"], true);
  const Json rest = good("GET", "/v1/files?order=asc&purpose=batch&after=" + ids[1]);
  EXPECT_EQ(rest["first_id"], ids[2]);
  EXPECT_EQ(rest["has_more"], false);
  EXPECT_EQ(good("GET", "/v1/files")["first_id"], ids[2]);
  const Json none = good("GET", "/v1/files?purpose=user_data");
  EXPECT_TRUE(none["data"].empty());
  EXPECT_TRUE(none["first_id"].is_null());
  EXPECT_EQ(bad("GET", "/v1/files?limit=0"), Refusal(400, "limit"));
  EXPECT_EQ(bad("GET", "/v1/files?limit=10001"), Refusal(400, "limit"));
  EXPECT_EQ(bad("GET", "/v1/files?limit=2x"), Refusal(400, "limit"));
  EXPECT_EQ(bad("GET", "/v1/files?order=up"), Refusal(400, "order"));
  EXPECT_EQ(bad("GET", "/v1/files?after=file-1"), Refusal(400, "after"));
  EXPECT_EQ(bad("GET", "/v1/files?after=%f"), Refusal(400, ""));
}

TEST_F(BatchRoutesTest, RefusesForms) {
  EXPECT_EQ(bad("POST", "/v1/files", "{}"), Refusal(400, ""));
  EXPECT_EQ(bad("POST", "/v1/files", form_field("name=purpose", "batch") + "--b--"),
            Refusal(400, "file"));
  EXPECT_EQ(bad("POST", "/v1/files", form_field("name=file", "x") + "--b--"),
            Refusal(400, "purpose"));
  EXPECT_EQ(bad("POST", "/v1/files", form_field("name=file", "x") + form("batch", "x")),
            Refusal(400, "file"));
  EXPECT_EQ(bad("POST", "/v1/files",
                form_field("name=\"expires_after[anchor]\"", "created_at") + form("batch", "x")),
            Refusal(400, "expires_after"));
  EXPECT_EQ(bad("POST", "/v1/files", form("fine-tune", "x")), Refusal(400, "purpose"));
  EXPECT_EQ(bad("POST", "/v1/files", form("batch", "")), Refusal(400, "file"));
  EXPECT_TRUE(good("GET", "/v1/files")["data"].empty());
}

TEST_F(BatchRoutesTest, NamesWhatIsIgnored) {
  const HttpResponse response =
      ask("POST", "/v1/files", form_field("name=colour", "red") + form("batch", "x"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers, (HttpHeaders{{"x-ignored-params", "colour"}}));
  const std::string unnamed =
      form_field("name=purpose", "user_data") + form_field("name=file", "x") + "--b--";
  EXPECT_EQ(good("POST", "/v1/files", unnamed)["filename"], "upload");
}

TEST_F(BatchRoutesTest, BeginsAndCancelsBatches) {
  const std::string file = upload();
  std::string body = batch_body(file);
  body.insert(1, R"("metadata":{"team":"a"},)");
  const Json batch = good("POST", "/v1/batches", body);
  EXPECT_EQ(begun, 1);
  EXPECT_EQ(batch["object"], "batch");
  EXPECT_EQ(batch["status"], "validating");
  EXPECT_EQ(batch["input_file_id"], file);
  EXPECT_EQ(batch["endpoint"], "/v1/completions");
  EXPECT_EQ(batch["metadata"], Json({{"team", "a"}}));
  const std::string id = batch["id"];
  EXPECT_EQ(good("GET", "/v1/batches/" + id), batch);
  EXPECT_EQ(good("GET", "/v1/batches")["data"], Json::array({batch}));
  EXPECT_EQ(good("GET", "/v1/batches?limit=1&after=" + id)["data"], Json::array());
  EXPECT_EQ(bad("GET", "/v1/batches?limit=101"), Refusal(400, "limit"));
  EXPECT_EQ(bad("DELETE", "/v1/files/" + file), Refusal(400, "id")) << "it is being validated";

  EXPECT_EQ(good("POST", "/v1/batches/" + id + "/cancel")["status"], "cancelling");
  EXPECT_EQ(begun, 2);
  store->next_line();
  EXPECT_EQ(good("GET", "/v1/batches/" + id)["status"], "cancelled");
  EXPECT_EQ(bad("POST", "/v1/batches/" + id + "/cancel"), Refusal(400, "id"));
  EXPECT_EQ(bad("POST", "/v1/batches/batch_1/cancel"), Refusal(404, "id"));
  EXPECT_EQ(bad("GET", "/v1/batches/batch_1"), Refusal(404, "id"));
}

TEST_F(BatchRoutesTest, RefusesBatches) {
  const std::string file = upload();
  const auto with = [&](const std::string& field, const std::string& value) {
    Json body = Json::parse(batch_body(file));
    body[field] = Json::parse(value);
    return body.dump();
  };
  EXPECT_EQ(bad("POST", "/v1/batches", "{"), Refusal(400, ""));
  EXPECT_EQ(bad("POST", "/v1/batches", "{}"), Refusal(400, "input_file_id"));
  EXPECT_EQ(bad("POST", "/v1/batches", with("input_file_id", "\"file-1\"")),
            Refusal(400, "input_file_id"));
  EXPECT_EQ(bad("POST", "/v1/batches", with("endpoint", "\"/v1/embeddings\"")),
            Refusal(400, "endpoint"));
  EXPECT_EQ(bad("POST", "/v1/batches", with("completion_window", "\"1y\"")),
            Refusal(400, "completion_window"));
  EXPECT_EQ(bad("POST", "/v1/batches", with("metadata", "[]")), Refusal(400, "metadata"));
  EXPECT_EQ(bad("POST", "/v1/batches", with("metadata", R"({"a":1})")), Refusal(400, "metadata.a"));
  EXPECT_EQ(bad("POST", "/v1/batches", with("output_expires_after", R"({"seconds":1})")),
            Refusal(400, "output_expires_after"));
  EXPECT_EQ(begun, 0);
  EXPECT_TRUE(warnings.empty());
}

TEST_F(BatchRoutesTest, OwnersSeeTheirOwn) {
  const std::string file = upload();
  const std::string batch = good("POST", "/v1/batches", batch_body(file))["id"];
  EXPECT_EQ(bad("GET", "/v1/files/" + file, "", "bob"), Refusal(404, "id"));
  EXPECT_EQ(bad("GET", "/v1/files/" + file + "/content", "", "bob"), Refusal(404, "id"));
  EXPECT_EQ(bad("DELETE", "/v1/files/" + file, "", "bob"), Refusal(404, "id"));
  EXPECT_EQ(bad("GET", "/v1/batches/" + batch, "", "bob"), Refusal(404, "id"));
  EXPECT_EQ(bad("POST", "/v1/batches/" + batch + "/cancel", "", "bob"), Refusal(404, "id"));
  EXPECT_EQ(bad("POST", "/v1/batches", batch_body(file), "bob"), Refusal(400, "input_file_id"));
  EXPECT_TRUE(good("GET", "/v1/files", "", "bob")["data"].empty());
  EXPECT_TRUE(good("GET", "/v1/batches", "", "bob")["data"].empty());
}

TEST_F(BatchRoutesTest, SaysThatTheStoreIsFull) {
  options.files_per_owner = 1;
  open();
  upload();
  EXPECT_EQ(bad("POST", "/v1/files", form("batch", kLine)), Refusal(429, ""));
}

TEST_F(BatchRoutesTest, SaysWhatIsNeededWithoutAStore) {
  open(false);
  for (const char* target : {"/v1/files", "/files", "/v1/files/file-1", "/v1/files/file-1/content",
                             "/v1/batches", "/v1/batches/batch_1"}) {
    const HttpResponse response = ask("GET", target);
    EXPECT_EQ(response.status, 501);
    EXPECT_NE(response.body.find("--state"), std::string::npos);
  }
  EXPECT_EQ(bad("POST", "/v1/files", form("batch", kLine)), Refusal(501, ""));
}

}  // namespace
}  // namespace minke
