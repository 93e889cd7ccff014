#pragma once

#include <set>

#include "learn/train/recipe/recipe_toml.h"
#include "learn/train/recipe/recipe_visitor.h"

namespace minke {

// Sets the fields of a recipe from the sections of a TOML table: of the whole file, or of one
// stage.
class RecipeReader : public RecipeVisitor {
 public:
  // `prefix` comes before the names of fields in errors: "stage[2].". `outer`: the reader of the
  // whole file, for those of a stage.
  RecipeReader(const toml::table& root, std::string file, std::string prefix,
               const RecipeReader* outer = nullptr)
      : root_(root), file_(std::move(file)), prefix_(std::move(prefix)), outer_(outer) {}

  void begin(std::string_view section) override;
  void end() override;
  void integer(const RecipeField& field, int64_t& value, int64_t low, int64_t high) override;
  void number(const RecipeField& field, double& value, double low, double high) override;
  void flag(const RecipeField& field, bool& value) override;
  void text(const RecipeField& field, std::string& value) override;
  void choice(const RecipeField& field, int& value,
              std::span<const std::string_view> choices) override;
  void texts(const RecipeField& field, std::vector<std::string>& value,
             std::span<const std::string_view> choices) override;
  void range(const RecipeField& field, std::array<int64_t, 2>& value, int64_t low,
             int64_t high) override;
  void pair(const RecipeField& field, double& first, double& second, double low,
            double high) override;
  void tasks(const RecipeField& field, std::vector<TaskShare>& value) override;
  void others(const RecipeField& field, std::string& json) override;

  // Throws Error for a key of the table that is no section that was read and not in `allowed`.
  void require_known_sections(std::set<std::string_view> allowed) const;
  // Throws Error at the field, of the stage or else of the whole file; at the section if neither
  // has it; at the stage or the file if that is not there.
  [[noreturn]] void refuse(std::string_view section, std::string_view field,
                           std::string_view expected, std::string_view found) const;

 private:
  // The node of a field of the section; null if it is not there.
  const toml::node* find(std::string_view name);
  std::string path(std::string_view name) const {
    return prefix_ + section_ + "." + std::string(name);
  }
  [[noreturn]] void refuse(const toml::node& node, const std::string& path,
                           const std::string& expected) const;
  void refuse_unknown(const toml::table& table, const std::set<std::string_view>& known,
                      const std::string& prefix, std::string_view kind) const;
  int64_t integer_of(const toml::node& node, const std::string& path, int64_t low,
                     int64_t high) const;
  double number_of(const toml::node& node, const std::string& path, double low, double high) const;
  std::string text_of(const toml::node& node, const std::string& path) const;
  size_t choice_of(const toml::node& node, const std::string& path,
                   std::span<const std::string_view> choices) const;
  const toml::array& list_of(const toml::node& node, const std::string& path) const;
  std::array<int64_t, 2> range_of(const toml::node& node, const std::string& path, int64_t low,
                                  int64_t high) const;
  TaskShare task_of(const toml::node& node, const std::string& path) const;

  const toml::table& root_;
  std::string file_;
  std::string prefix_;
  const RecipeReader* outer_;
  std::string section_;
  const toml::table* table_ = nullptr;  // of the section
  std::set<std::string_view> known_;    // its fields
  std::set<std::string_view> sections_;
};

}  // namespace minke
