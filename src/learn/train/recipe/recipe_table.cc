#include <fmt/format.h>
#include <fmt/ranges.h>

#include "learn/train/recipe/recipe_visitor.h"

namespace minke {
namespace {

// One row a field: its name, what it may be, its default, what it means.
class RecipeTable : public RecipeVisitor {
 public:
  void begin(std::string_view section) override { section_ = section; }
  void end() override {}
  void integer(const RecipeField& field, int64_t& value, int64_t low, int64_t high) override {
    row(field, fmt::format("whole number, {} to {}", low, high), fmt::format("{}", value));
  }
  void number(const RecipeField& field, double& value, double low, double high) override {
    row(field, fmt::format("number, {} to {}", low, high), fmt::format("{}", value));
  }
  void flag(const RecipeField& field, bool& value) override {
    row(field, "`true` or `false`", fmt::format("`{}`", value));
  }
  void text(const RecipeField& field, std::string&) override { row(field, "text", ""); }
  void choice(const RecipeField& field, int& value,
              std::span<const std::string_view> choices) override {
    row(field, fmt::format("`\"{}\"`", fmt::join(choices, "\"`, `\"")),
        fmt::format("`\"{}\"`", choices[static_cast<size_t>(value)]));
  }
  void texts(const RecipeField& field, std::vector<std::string>&,
             std::span<const std::string_view> choices) override {
    row(field,
        choices.empty() ? "list of texts"
                        : fmt::format("list of `\"{}\"`", fmt::join(choices, "\"`, `\"")),
        "");
  }
  void range(const RecipeField& field, std::array<int64_t, 2>& value, int64_t low,
             int64_t high) override {
    row(field, fmt::format("two whole numbers, {} to {}", low, high),
        fmt::format("[{}, {}]", value[0], value[1]));
  }
  void pair(const RecipeField& field, double& first, double& second, double low,
            double high) override {
    row(field, fmt::format("two numbers, {} to {}", low, high),
        fmt::format("[{}, {}]", first, second));
  }
  void tasks(const RecipeField& field, std::vector<TaskShare>&) override {
    row(field, fmt::format("list; weights 0 to {}, levels [1, {}]", kMostTaskWeight, kMostLevel),
        "");
  }
  void others(const RecipeField& field, std::string&) override { row(field, "any", ""); }

  const std::string& rows() const { return rows_; }

 private:
  void row(const RecipeField& field, std::string_view kind, std::string_view value) {
    rows_ += fmt::format("| `{}.{}` | {} | {} | {} |\n", section_, field.name, kind,
                         field.default_text.empty() ? value : field.default_text, field.about);
  }

  std::string section_;
  std::string rows_;
};

}  // namespace

std::string recipe_field_table() {
  RecipeTable table;
  Recipe recipe;
  Stage stage;
  visit_run_sections(table, recipe);
  visit_stage_sections(table, stage);
  return "| Field | May be | Default | Meaning |\n| --- | --- | --- | --- |\n" + table.rows();
}

}  // namespace minke
