#include "serve/access/keys.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/core/test_folder.h"
#include "serve/access/hash.h"

namespace minke {
namespace {

using testing::error_of;
using testing::TempFolder;

ApiKey named(const std::string& name) {
  ApiKey key;
  key.name = name;
  return key;
}

TEST(Keys, AreFoundByWhatTheClientPresents) {
  const TempFolder folder;
  ApiKey key = named("ann");
  key.roles = {KeyRole::kUser, KeyRole::kMetrics};
  key.limits = {.requests_per_minute = 1,
                .tokens_per_minute = 2,
                .tokens_per_day = 3,
                .concurrent_requests = 4};
  const std::string ann = add_key(folder / "keys.json", key);
  const std::string bob = add_key(folder / "keys.json", named("bob"));
  EXPECT_EQ(ann.size(), 3 + 64u);
  EXPECT_NE(ann, bob);

  KeyRing ring(folder / "keys.json");
  const auto found = ring.find(ann);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->name, "ann");
  EXPECT_TRUE(found->may(KeyRole::kUser));
  EXPECT_TRUE(found->may(KeyRole::kMetrics));
  EXPECT_FALSE(ring.find(bob)->may(KeyRole::kMetrics));
  EXPECT_EQ(found->limits.requests_per_minute, 1);
  EXPECT_EQ(found->limits.tokens_per_minute, 2);
  EXPECT_EQ(found->limits.tokens_per_day, 3);
  EXPECT_EQ(found->limits.concurrent_requests, 4);
  EXPECT_GT(found->created, 0);
  EXPECT_EQ(ring.find(bob)->name, "bob");

  for (const std::string& wrong : {std::string(), ann + "0", ann.substr(0, 66), found->sha256,
                                   std::string(1 << 20, 'a'), std::string("mk-")}) {
    EXPECT_EQ(ring.find(wrong), nullptr);
  }
}

TEST(Keys, AreNotInTheFile) {
  const TempFolder folder;
  const std::string secret = add_key(folder / "keys.json", named("ann"));
  const std::string text = read_private_file(folder / "keys.json", 1 << 20).text;
  EXPECT_EQ(text.find(secret.substr(3)), std::string::npos);
  EXPECT_NE(text.find(sha256_hex(secret)), std::string::npos);
}

TEST(Keys, ExpireAndAreRevoked) {
  const TempFolder folder;
  double now = 1000;
  ApiKey key = named("ann");
  key.expires = 2000;
  const std::string ann = add_key(folder / "keys.json", key);
  const std::string bob = add_key(folder / "keys.json", named("bob"));
  KeyRing ring(folder / "keys.json", [&] { return now; });
  now = 1999.5;
  EXPECT_NE(ring.find(ann), nullptr);
  now = 2000;
  EXPECT_EQ(ring.find(ann), nullptr);
  const auto held = ring.find(bob);

  EXPECT_TRUE(revoke_key(folder / "keys.json", "bob"));
  EXPECT_FALSE(revoke_key(folder / "keys.json", "bob"));
  EXPECT_NE(ring.find(bob), nullptr) << "the file is looked at once a second";
  now = 2001;
  EXPECT_EQ(ring.find(bob), nullptr);
  EXPECT_EQ(held->name, "bob") << "a request that goes on keeps its key";
}

TEST(Keys, LooksAgainWhenTheClockIsSetBack) {
  const TempFolder folder;
  double now = 1e6;
  add_key(folder / "keys.json", named("ann"));
  KeyRing ring(folder / "keys.json", [&] { return now; });
  const std::string bob = add_key(folder / "keys.json", named("bob"));
  now = 10;
  EXPECT_NE(ring.find(bob), nullptr);
}

TEST(Keys, GoOnWhileTheFileIsBroken) {
  const TempFolder folder;
  double now = 1000;
  const auto path = folder / "keys.json";
  const std::string ann = add_key(path, named("ann"));
  KeyRing ring(path, [&] { return now; });
  write_private_file(path, "{");
  now += 1;
  EXPECT_NE(ring.find(ann), nullptr);
  EXPECT_NE(ring.problem().find("not valid JSON"), std::string::npos);
  std::filesystem::remove(path);
  now += 1;
  EXPECT_NE(ring.find(ann), nullptr);
  EXPECT_NE(ring.problem(), "");
  const std::string bob = add_key(path, named("bob"));
  now += 1;
  EXPECT_EQ(ring.find(ann), nullptr);
  EXPECT_NE(ring.find(bob), nullptr);
  EXPECT_EQ(ring.problem(), "");
}

TEST(Keys, CannotBeAddedTwiceOrWithoutSense) {
  const TempFolder folder;
  const auto path = folder / "keys.json";
  add_key(path, named("ann"));
  EXPECT_NE(error_of([&] { add_key(path, named("ann")); }).find("a key named \"ann\""),
            std::string::npos);
  for (const std::string& name : {std::string(), std::string("a b"), std::string("a\n"),
                                  std::string(65, 'a'), std::string("\xc3\xa9")}) {
    EXPECT_NE(error_of([&] { add_key(path, named(name)); }).find("name"), std::string::npos);
  }
  ApiKey key = named("bob");
  key.limits.tokens_per_day = -1;
  EXPECT_NE(error_of([&] { add_key(path, key); }).find("tokens_per_day"), std::string::npos);
  key = named("bob");
  key.roles.clear();
  EXPECT_NE(error_of([&] { add_key(path, key); }).find("roles"), std::string::npos);
  EXPECT_EQ(read_keys(path).size(), 1u);
}

TEST(Keys, FileIsReadStrictly) {
  const TempFolder folder;
  const std::string hash(64, 'a');
  const auto error = [&](const std::string& text) {
    write_private_file(folder / "keys.json", text);
    return error_of([&] { read_keys(folder / "keys.json"); });
  };
  const auto key = [&](const std::string& more) {
    return R"({"keys":[{"name":"a","sha256":")" + hash + R"(","roles":["user"])" + more + "}]}";
  };
  EXPECT_EQ(error(R"({"keys":[]})"), "");
  EXPECT_EQ(error(key("")), "");
  EXPECT_EQ(error(key(R"(,"tokens_per_day":5)")), "");
  const std::pair<std::string, std::string> faults[] = {
      {"", "empty"},
      {"[]", "expected {\"keys\""},
      {R"({"keys":[],"more":1})", "expected {\"keys\""},
      {R"({"keys":{}})", "expected {\"keys\""},
      {R"({"keys":[1]})", "keys[0]: expected an object"},
      {key(R"(,"token_per_day":5)"), "token_per_day: not a field"},
      {key(R"(,"tokens_per_day":-5)"), "tokens_per_day: expected 0 or more"},
      {key(R"(,"tokens_per_day":"5")"), "tokens_per_day: expected a whole number"},
      {key(R"(,"tokens_per_day":5.5)"), "tokens_per_day: expected a whole number"},
      {key(R"(,"tokens_per_day":99999999999999999999)"), "tokens_per_day"},
      {key(R"(,"name":"b")"), "name: stands twice"},
      {key(R"(},{"name":"b","sha256":")" + hash + R"(","roles":["user"])"), "another key's"},
      {R"({"keys":[{"name":"a","sha256":"abc","roles":["user"]}]})", "sha256: expected 64"},
      {R"({"keys":[{"name":"a","sha256":")" + hash + R"("}]})", "roles: expected at least one"},
      {R"({"keys":[{"name":"a","sha256":")" + hash + R"(","roles":["root"]}]})", "roles"},
      {R"({"keys":[{"name":"a","sha256":")" + hash + R"(","roles":"user"}]})", "expected a list"},
      {R"({"keys":[{"name":"a","sha256":")" + hash + R"(","roles":["admin"]}]})",
       "keys[0]: roles: expected user or metrics, found \"admin\""},
  };
  for (const auto& [text, expected] : faults) {
    EXPECT_NE(error(text).find(expected), std::string::npos) << text << "\n" << error(text);
  }
}

TEST(Keys, OfAFileThatOthersCanReadAreRefused) {
  const TempFolder folder;
  add_key(folder / "keys.json", named("ann"));
  ASSERT_EQ(::chmod((folder / "keys.json").c_str(), 0644), 0);
  EXPECT_NE(error_of([&] { KeyRing ring(folder / "keys.json"); }).find("0644"), std::string::npos);
}

TEST(Keys, AreFoundByNameWhileTheyAreGood) {
  const TempFolder folder;
  double now = 1000;
  ApiKey key = named("ann");
  key.expires = 2000;
  add_key(folder / "keys.json", key);
  add_key(folder / "keys.json", named("bob"));
  KeyRing ring(folder / "keys.json", [&] { return now; });
  EXPECT_EQ(ring.named("ann")->name, "ann");
  EXPECT_EQ(ring.named("bob")->name, "bob");
  EXPECT_EQ(ring.named("Bob"), nullptr);
  EXPECT_EQ(ring.named(""), nullptr);
  now = 2000;
  EXPECT_EQ(ring.named("ann"), nullptr);
  ASSERT_TRUE(revoke_key(folder / "keys.json", "bob"));
  now += 10;
  EXPECT_EQ(ring.named("bob"), nullptr);
}

TEST(Roles, HaveNames) {
  for (const KeyRole role : {KeyRole::kUser, KeyRole::kMetrics}) {
    EXPECT_EQ(key_role_named(key_role_name(role), "here"), role);
  }
}

}  // namespace
}  // namespace minke
