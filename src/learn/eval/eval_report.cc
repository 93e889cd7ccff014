#include "learn/eval/eval_report.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "learn/train/report/html_page.h"

namespace minke {
namespace {

using Json = nlohmann::ordered_json;

std::string percent(double share) {
  return std::isnan(share) ? "-" : fmt::format("{:.1f}", 100 * share);
}

std::string percents(const Tally& tally, const Interval& interval) {
  if (tally.questions == 0) return "-";
  return percent(interval.low) + " to " + percent(interval.high);
}

std::string number(double value) {
  return std::isnan(value) ? "-" : fmt::format("{:.1f}", value);
}

// The different values of the cells, in order of appearance.
template <typename Value>
auto distinct(const Scoreboard& board, const Value& value) {
  std::vector<std::decay_t<decltype(value(board.cells().front()))>> found;
  for (const Cell& cell : board.cells()) {
    if (std::ranges::find(found, value(cell)) == found.end()) found.push_back(value(cell));
  }
  return found;
}

std::vector<std::string> tasks_of(const Scoreboard& board) {
  return distinct(board, [](const Cell& cell) { return cell.task; });
}

std::vector<Language> languages_of(const Scoreboard& board) {
  return distinct(board, [](const Cell& cell) { return cell.language; });
}

std::vector<int> levels_of(const Scoreboard& board) {
  auto levels = distinct(board, [](const Cell& cell) { return cell.level; });
  std::ranges::sort(levels);
  return levels;
}

// Tasks by `columns`, whose cells are those that of(cell) gives.
template <typename Column, typename Of>
EvalTable by_task(const Scoreboard& board, std::string title, const std::vector<Column>& columns,
                  const std::vector<std::string>& names, const Of& of) {
  EvalTable table{std::move(title), {"task"}, {}};
  table.head.insert(table.head.end(), names.begin(), names.end());
  table.head.insert(table.head.end(), {"all", "95 %"});
  const auto add_row = [&](const std::string& name, const auto& in_row) {
    std::vector<std::string> row = {name};
    for (const Column& column : columns) {
      const auto chosen = [&](const Cell& c) { return in_row(c) && of(c) == column; };
      row.push_back(percent(board.sum(chosen).accuracy()));
    }
    const Tally all = board.sum(in_row);
    row.push_back(percent(all.accuracy()));
    row.push_back(percents(all, all.interval()));
    table.rows.push_back(std::move(row));
  };
  for (const std::string& task : tasks_of(board)) {
    add_row(task, [&](const Cell& cell) { return cell.task == task; });
  }
  add_row("all", [](const Cell&) { return true; });
  return table;
}

EvalTable language_table(const Scoreboard& board) {
  EvalTable table{"By language",
                  {"language", "questions", "accuracy, %", "95 %", "thinking in language, %",
                   "tokens a reply", "cut, %"},
                  {}};
  const auto add_row = [&](const std::string& name, const Tally& t) {
    table.rows.push_back({name, std::to_string(t.questions), percent(t.accuracy()),
                          percents(t, t.interval()), percent(t.thinking_in_language()),
                          number(t.tokens_per_reply()), percent(t.cut_share())});
  };
  for (const Language language : languages_of(board)) {
    add_row(std::string(language_code(language)),
            board.sum([&](const Cell& cell) { return cell.language == language; }));
  }
  add_row("all", board.all());
  return table;
}

EvalTable pass_table(const Scoreboard& board) {
  EvalTable table{"At least one of k samples right (pass@k), %", {"task"}, {}};
  for (const int64_t k : board.draws()) table.head.push_back(fmt::format("k = {}", k));
  const size_t last = board.draws().size() - 1;
  table.head.push_back(fmt::format("95 % of k = {}", board.draws()[last]));
  const auto add_row = [&](const std::string& name, const Tally& tally) {
    std::vector<std::string> row = {name};
    for (size_t i = 0; i < board.draws().size(); ++i) row.push_back(percent(tally.pass(i)));
    row.push_back(percents(tally, tally.pass_interval(last)));
    table.rows.push_back(std::move(row));
  };
  for (const std::string& task : tasks_of(board)) {
    add_row(task, board.sum([&](const Cell& cell) { return cell.task == task; }));
  }
  add_row("all", board.all());
  return table;
}

Json number_json(double value) {
  return std::isnan(value) ? Json() : Json(value);
}

Json tally_json(const Tally& tally, const Scoreboard& board) {
  const Interval interval = tally.interval();
  auto pass = Json::object(), pass_interval = Json::object();
  for (size_t i = 0; i < board.draws().size(); ++i) {
    pass[std::to_string(board.draws()[i])] = number_json(tally.pass(i));
    const Interval of_pass = tally.pass_interval(i);
    pass_interval[std::to_string(board.draws()[i])] = {of_pass.low, of_pass.high};
  }
  return {{"questions", tally.questions},
          {"replies", tally.replies},
          {"right", tally.right},
          {"accuracy", number_json(tally.accuracy())},
          {"low", interval.low},
          {"high", interval.high},
          {"pass_at", std::move(pass)},
          {"pass_at_interval", std::move(pass_interval)},
          {"tokens_per_reply", number_json(tally.tokens_per_reply())},
          {"cut", tally.cut},
          {"thinking_in_language", number_json(tally.thinking_in_language())}};
}

std::string table_html(const EvalTable& table) {
  std::string html =
      fmt::format("<h2>{}</h2>\n<div class=\"wide\"><table><thead><tr>", html_escape(table.title));
  for (const std::string& name : table.head) {
    html += fmt::format("<th scope=\"col\">{}</th>", html_escape(name));
  }
  html += "</tr></thead><tbody>\n";
  for (const auto& row : table.rows) {
    html += fmt::format("<tr><th scope=\"row\">{}</th>", html_escape(row[0]));
    for (size_t i = 1; i < row.size(); ++i) {
      html += fmt::format("<td>{}</td>", html_escape(row[i]));
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

std::string wrong_html(const Scoreboard& board) {
  if (board.wrong().empty()) return "";
  std::string html = "<h2>Some wrong replies</h2>\n";
  for (const WrongReply& wrong : board.wrong()) {
    const Question& q = board.questions()[wrong.question];
    html += fmt::format(
        "<details><summary>{}, {}, level {}</summary><pre dir=\"auto\">{}</pre></details>\n",
        html_escape(q.task), language_code(q.language), q.level,
        html_escape(wrong_text(board, wrong)));
  }
  return html;
}

constexpr const char* kStyle =
    R"(td,th{text-align:right;padding:.15rem 0 .15rem 1rem}
th:first-child{text-align:left;padding-left:0}.facts td{text-align:left}
pre{white-space:pre-wrap;overflow-wrap:anywhere}
)";

}  // namespace

std::vector<EvalTable> eval_tables(const Scoreboard& board) {
  const auto languages = languages_of(board);
  const auto levels = levels_of(board);
  std::vector<std::string> codes, numbers;
  for (const Language language : languages) codes.emplace_back(language_code(language));
  for (const int level : levels) numbers.push_back(fmt::format("level {}", level));
  std::vector<EvalTable> tables;
  tables.push_back(by_task(board, "Accuracy by language, %", languages, codes,
                           [](const Cell& cell) { return cell.language; }));
  tables.push_back(by_task(board, "Accuracy by level, %", levels, numbers,
                           [](const Cell& cell) { return cell.level; }));
  if (board.samples() > 1) tables.push_back(pass_table(board));
  tables.push_back(language_table(board));
  return tables;
}

std::string table_text(const EvalTable& table) {
  std::vector<size_t> widths;
  for (size_t i = 0; i < table.head.size(); ++i) {
    size_t width = table.head[i].size();
    for (const auto& row : table.rows) width = std::max(width, row[i].size());
    widths.push_back(width);
  }
  std::string text = table.title + "\n";
  const auto add_row = [&](const std::vector<std::string>& row) {
    text += fmt::format("{:<{}}", row[0], widths[0]);
    for (size_t i = 1; i < row.size(); ++i) text += fmt::format("  {:>{}}", row[i], widths[i]);
    text += '\n';
  };
  add_row(table.head);
  for (const auto& row : table.rows) add_row(row);
  return text;
}

std::string wrong_text(const Scoreboard& board, const WrongReply& wrong) {
  const Question& q = board.questions()[wrong.question];
  std::string text = q.text + "\n";
  if (!wrong.reply.reasoning.empty()) {
    text += fmt::format("<think>\n{}\n</think>\n", wrong.reply.reasoning);
  }
  return text + fmt::format("reply{}: {}\nexpected: {}\n", wrong.reply.cut ? ", cut" : "",
                            wrong.reply.content, q.expected);
}

Json eval_json(const Scoreboard& board) {
  Json json = tally_json(board.all(), board);
  json["complete"] = board.complete();
  json["cells"] = Json::array();
  for (const Cell& cell : board.cells()) {
    Json object = {
        {"task", cell.task}, {"language", language_code(cell.language)}, {"level", cell.level}};
    object.update(tally_json(cell.tally, board));
    json["cells"].push_back(std::move(object));
  }
  json["wrong"] = Json::array();
  for (const WrongReply& wrong : board.wrong()) {
    const Question& q = board.questions()[wrong.question];
    json["wrong"].push_back({{"task", q.task},
                             {"language", language_code(q.language)},
                             {"level", q.level},
                             {"index", q.index},
                             {"question", q.text},
                             {"reasoning", wrong.reply.reasoning},
                             {"reply", wrong.reply.content},
                             {"expected", q.expected},
                             {"cut", wrong.reply.cut}});
  }
  return json;
}

std::string eval_page(const Scoreboard& board, const std::string& title,
                      const std::vector<std::pair<std::string, std::string>>& facts) {
  std::string html = "<table class=\"facts\"><tbody>\n";
  for (const auto& [name, value] : facts) {
    html += fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td></tr>\n", html_escape(name),
                        html_escape(value));
  }
  html += "</tbody></table>\n";
  for (const EvalTable& table : eval_tables(board)) html += table_html(table);
  return html_page(title, kStyle, html + wrong_html(board));
}

}  // namespace minke
