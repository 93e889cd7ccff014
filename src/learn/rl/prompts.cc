#include "learn/rl/prompts.h"

#include <nlohmann/json.hpp>

#include "base/core/error.h"
#include "learn/data/permutation.h"
#include "learn/data/task_documents.h"
#include "learn/eval/data_sets.h"
#include "learn/train/checkpoint_files.h"
#include "learn/train/stage_data.h"

namespace minke {
namespace {

constexpr size_t kMostEasy = 256;

class TaskPrompts : public PromptSource {
 public:
  TaskPrompts(const DataRecipe& data, const DocumentEncoder& encoder)
      : documents_(encoder, problem_shares(data), Split::kTrain, static_cast<uint64_t>(data.seed)) {
  }

  Question question(uint64_t n) const override {
    TaskDocuments::Made made = documents_.make(n);
    Question question = question_of(*made.share.task, std::move(made.problem));
    question.index = static_cast<int64_t>(n);
    return question;
  }
  uint64_t size() const override { return 0; }
  std::string fingerprint() const override { return ""; }

 private:
  TaskDocuments documents_;
};

class FilePrompts : public PromptSource {
 public:
  FilePrompts(const std::string& path, uint64_t seed)
      : questions_(read_data_set(path, DataSetFormat::kChecked, Language::kEnglish, 0)),
        fingerprint_(file_hash(path)),
        seed_(seed) {}

  Question question(uint64_t n) const override {
    const uint64_t size = questions_.size();
    const Permutation order(size, seed_ + n / size);
    return questions_[static_cast<size_t>(order(n % size))];
  }
  uint64_t size() const override { return questions_.size(); }
  std::string fingerprint() const override { return fingerprint_; }

 private:
  std::vector<Question> questions_;
  std::string fingerprint_;
  uint64_t seed_;
};

}  // namespace

std::unique_ptr<PromptSource> prompt_source(const Recipe& recipe, const DocumentEncoder& encoder) {
  const DataRecipe& data = recipe.stages.front().data;
  if (recipe.grpo.questions.empty()) return std::make_unique<TaskPrompts>(data, encoder);
  return std::make_unique<FilePrompts>(recipe.grpo.questions, static_cast<uint64_t>(data.seed));
}

std::vector<uint64_t> PromptOrder::next(int64_t count) {
  std::vector<uint64_t> numbers;
  for (int64_t i = 0; i < count; ++i) {
    owed_ += easy_share_;
    if (owed_ >= 1 && !easy_.empty()) {
      owed_ -= 1;
      numbers.push_back(easy_.front());
      easy_.pop_front();
    } else {
      // What an empty pool cannot give is not made up for later.
      if (owed_ >= 1) owed_ -= 1;
      numbers.push_back(next_++);
    }
  }
  return numbers;
}

void PromptOrder::note_easy(uint64_t n) {
  easy_.push_back(n);
  if (easy_.size() > kMostEasy) easy_.pop_front();
}

std::string PromptOrder::json() const {
  return nlohmann::json{{"next", next_}, {"owed", owed_}, {"easy", easy_}}.dump();
}

void PromptOrder::from_json(const std::string& text, const std::string& where) {
  try {
    const auto object = nlohmann::json::parse(text);
    const auto number = [](const nlohmann::json& json) {
      // A sign would be lost on the way to an unsigned number.
      return json.is_number_unsigned() ? json.get<uint64_t>()
                                       : throw Error("expected a whole number of 0 or more");
    };
    next_ = number(object.at("next"));
    owed_ = object.at("owed").get<double>();
    easy_.clear();
    for (const auto& item : object.at("easy")) easy_.push_back(number(item));
  } catch (const std::exception&) {
    fail(where, "cursor: expected the place in the questions, found {}", printable(text));
  }
}

}  // namespace minke
