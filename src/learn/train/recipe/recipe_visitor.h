#pragma once

#include <span>

#include "learn/train/recipe/recipe.h"

namespace minke {

struct RecipeField {
  std::string_view name;
  std::string_view about;         // for people, in Markdown
  std::string_view default_text;  // what stands for the default where its value does not say it
};

// Sees every field of a recipe once. Reading TOML, writing JSON and the table of the documentation
// are visitors. A field that is read and not there keeps its value: the default, or for a stage
// what the sections outside of it say.
class RecipeVisitor {
 public:
  virtual ~RecipeVisitor() = default;

  virtual void begin(std::string_view section) = 0;
  virtual void end() = 0;

  // Numbers in [low, high].
  virtual void integer(const RecipeField& field, int64_t& value, int64_t low, int64_t high) = 0;
  virtual void number(const RecipeField& field, double& value, double low, double high) = 0;
  virtual void flag(const RecipeField& field, bool& value) = 0;
  virtual void text(const RecipeField& field, std::string& value) = 0;
  // `value` is an index of `choices`.
  virtual void choice(const RecipeField& field, int& value,
                      std::span<const std::string_view> choices) = 0;
  // Without `choices` any texts.
  virtual void texts(const RecipeField& field, std::vector<std::string>& value,
                     std::span<const std::string_view> choices) = 0;
  // Two integers, the first not above the second.
  virtual void range(const RecipeField& field, std::array<int64_t, 2>& value, int64_t low,
                     int64_t high) = 0;
  virtual void pair(const RecipeField& field, double& first, double& second, double low,
                    double high) = 0;
  virtual void tasks(const RecipeField& field, std::vector<TaskShare>& value) = 0;
  // Every key of the section that is not a field, as a JSON object; "" if there is none.
  virtual void others(const RecipeField& field, std::string& json) = 0;
};

inline constexpr int64_t kMostLevel = 100;
inline constexpr double kMostTaskWeight = 1e6;

// The sections that stand once in a recipe, and those that a [[stage]] may have of its own.
void visit_run_sections(RecipeVisitor& visitor, Recipe& recipe);
void visit_stage_sections(RecipeVisitor& visitor, Stage& stage);

}  // namespace minke
