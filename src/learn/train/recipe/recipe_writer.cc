#include <nlohmann/json.hpp>

#include "learn/train/recipe/recipe_visitor.h"

namespace minke {
namespace {

using Json = nlohmann::ordered_json;

Json task_json(const TaskShare& task) {
  Json json = {{"name", task.name}, {"weight", task.weight}};
  if (task.levels[0] > 0) json["levels"] = task.levels;
  return json;
}

// Each section as an object of its fields; empty texts and lists, which stand for absent ones, are
// left out.
class RecipeWriter : public RecipeVisitor {
 public:
  explicit RecipeWriter(Json& root) : root_(root) {}

  void begin(std::string_view section) override {
    section_ = &(root_[std::string(section)] = Json::object());
  }
  void end() override {}
  void integer(const RecipeField& field, int64_t& value, int64_t, int64_t) override {
    put(field, value);
  }
  void number(const RecipeField& field, double& value, double, double) override {
    put(field, value);
  }
  void flag(const RecipeField& field, bool& value) override { put(field, value); }
  void text(const RecipeField& field, std::string& value) override {
    if (!value.empty()) put(field, value);
  }
  void choice(const RecipeField& field, int& value,
              std::span<const std::string_view> choices) override {
    put(field, choices[static_cast<size_t>(value)]);
  }
  void texts(const RecipeField& field, std::vector<std::string>& value,
             std::span<const std::string_view>) override {
    if (!value.empty()) put(field, value);
  }
  void range(const RecipeField& field, std::array<int64_t, 2>& value, int64_t, int64_t) override {
    put(field, value);
  }
  void pair(const RecipeField& field, double& first, double& second, double, double) override {
    put(field, Json::array({first, second}));
  }
  void tasks(const RecipeField& field, std::vector<TaskShare>& value) override {
    Json list = Json::array();
    for (const TaskShare& task : value) list.push_back(task_json(task));
    if (!list.empty()) put(field, std::move(list));
  }
  void others(const RecipeField&, std::string& json) override {
    if (!json.empty()) section_->update(Json::parse(json));
  }

 private:
  void put(const RecipeField& field, Json value) {
    (*section_)[std::string(field.name)] = std::move(value);
  }

  Json& root_;
  Json* section_ = nullptr;
};

}  // namespace

std::string recipe_json(const Recipe& recipe) {
  Recipe shown = recipe;  // visitors may change what they see
  Json root = Json::object();
  RecipeWriter writer(root);
  visit_run_sections(writer, shown);
  Json stages = Json::array();
  for (Stage& stage : shown.stages) {
    Json sections = {{"name", stage.name}};
    RecipeWriter stage_writer(sections);
    visit_stage_sections(stage_writer, stage);
    stages.push_back(std::move(sections));
  }
  root["stage"] = std::move(stages);
  return root.dump(1);
}

}  // namespace minke
