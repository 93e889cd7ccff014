#pragma once

#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "learn/eval/scoreboard.h"

namespace minke {

// A scoreboard to read: the same tables as text and as a page, and everything as JSON.

struct EvalTable {
  std::string title;
  std::vector<std::string> head;               // the first names the rows
  std::vector<std::vector<std::string>> rows;  // as long as the head
};

// Accuracy by task and language, by task and level; accuracy, thinking, length by language and of
// all; pass@k if there are several samples. Accuracies are in percent, with 95 % intervals.
std::vector<EvalTable> eval_tables(const Scoreboard& board);

// Columns side by side, the first to the left and the others to the right.
std::string table_text(const EvalTable& table);

// One kept wrong reply: question, thinking, reply, expected. Text of the model, as it is.
std::string wrong_text(const Scoreboard& board, const WrongReply& wrong);

// The totals, "cells" with every cell, and "wrong" with the kept wrong replies. What has no value
// is null.
nlohmann::ordered_json eval_json(const Scoreboard& board);

// A whole HTML page that needs no network. `facts`: what else is to be told, by name. All text is
// escaped.
std::string eval_page(const Scoreboard& board, const std::string& title,
                      const std::vector<std::pair<std::string, std::string>>& facts);

}  // namespace minke
