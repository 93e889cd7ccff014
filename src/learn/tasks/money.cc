#include <algorithm>
#include <vector>

#include <fmt/core.h>

#include "learn/tasks/boxed.h"
#include "learn/tasks/checkable.h"
#include "learn/tasks/split.h"
#include "learn/tasks/texts/money_text.h"

namespace minke {
namespace {

// What an order costs, what is left of a note, and what is one's share.

enum class Kind { kTotal, kChange, kShare };

struct Entry {
  size_t goods = 0;
  int64_t price = 0;
  int64_t count = 1;
};

struct Bill {
  Kind kind = Kind::kTotal;
  std::vector<Entry> entries;
  int64_t other = 0;  // the note, or the people that share; 0 of kTotal

  int64_t total() const {
    int64_t sum = 0;
    for (const Entry& entry : entries) sum += entry.price * entry.count;
    return sum;
  }
  int64_t result() const {
    if (kind == Kind::kTotal) return total();
    return kind == Kind::kChange ? other - total() : total() / other;
  }
};

int64_t between(Rng& rng, int64_t least, int64_t most) {
  return least + static_cast<int64_t>(rng.below(static_cast<uint64_t>(most - least) + 1));
}

// The smallest note that is worth more than `total`.
int64_t note_above(int64_t total) {
  for (const int64_t note : {5, 10, 20, 50, 100, 200, 500}) {
    if (note > total) return note;
  }
  return 1000;
}

// Level 1: one price, or one thing and a note. Level 2: two prices in sum, or one and a note. Level
// 3: two and a note, or shared by some.
Bill random_bill(int level, Rng& rng) {
  Bill bill;
  const bool second = rng.below(2) == 1;
  if (second) bill.kind = level == 3 ? Kind::kShare : Kind::kChange;
  if (level == 3 && !second) bill.kind = Kind::kChange;
  const size_t entries = level == 1 || (level == 2 && second) ? 1 : 2;
  for (size_t i = 0; i < entries; ++i) {
    Entry entry;
    entry.price = between(rng, 2, level == 1 ? 40 : 25);
    // At level 1 change is a subtraction only.
    entry.count = level == 1 && second ? 1 : between(rng, level == 1 ? 2 : 1, 9);
    // The second is another than the first.
    entry.goods = i == 0 ? rng.below(money_text::kGoodsCount)
                         : (bill.entries[0].goods + 1 + rng.below(money_text::kGoodsCount - 1)) %
                               money_text::kGoodsCount;
    bill.entries.push_back(entry);
  }
  if (bill.kind == Kind::kChange) bill.other = note_above(bill.total());
  if (bill.kind == Kind::kShare) bill.other = between(rng, 2, 9);
  return bill;
}

std::string canonical(const Bill& bill) {
  std::string key = fmt::format("money {} {}", static_cast<int>(bill.kind), bill.other);
  std::vector<std::pair<int64_t, int64_t>> entries;
  for (const Entry& entry : bill.entries) entries.emplace_back(entry.price, entry.count);
  std::ranges::sort(entries);
  for (const auto& [price, count] : entries) key += fmt::format(" {}*{}", count, price);
  return key;
}

bool allowed(const Bill& bill, Split split) {
  if (bill.kind == Kind::kShare && bill.total() % bill.other != 0) return false;
  return held_out_key(canonical(bill)) == (split == Split::kHeldOut);
}

std::string_view goods_text(Language language, const Entry& entry) {
  return in_language(money_text::kGoods[entry.goods], language);
}

std::string question(const Bill& bill, Language language, Split split, Rng& rng) {
  std::string prices;
  std::string order;
  for (const Entry& entry : bill.entries) {
    if (!prices.empty()) {
      prices += in_language(money_text::kComma, language);
      order += in_language(money_text::kComma, language);
    }
    prices += fmt::format("{} {}", goods_text(language, entry),
                          money_text::amount_text(language, entry.price));
    order += fmt::format("{} × {}", goods_text(language, entry), entry.count);
  }
  const Wordings& wordings = bill.kind == Kind::kTotal    ? money_text::kTotal
                             : bill.kind == Kind::kChange ? money_text::kChange
                                                          : money_text::kShare;
  return filled(wordings.pick(language, split, rng),
                {{"prices", prices},
                 {"order", order},
                 {"note", money_text::amount_text(language, bill.other)},
                 {"people", std::to_string(bill.other)}});
}

std::string reasoning(const Bill& bill, Language language) {
  std::vector<std::string> lines;
  for (const Entry& entry : bill.entries) {
    if (entry.count == 1) continue;
    lines.push_back(fmt::format("{}: {} * {} = {}", goods_text(language, entry), entry.count,
                                entry.price, entry.count * entry.price));
  }
  const int64_t total = bill.total();
  if (bill.entries.size() == 2) {
    const Entry& first = bill.entries[0];
    const Entry& second = bill.entries[1];
    lines.push_back(fmt::format("{} {} + {} = {}", in_language(money_text::kTotalStep, language),
                                first.count * first.price, second.count * second.price, total));
  }
  if (bill.kind != Kind::kTotal) {
    const bool change = bill.kind == Kind::kChange;
    const Phrase& word = change ? money_text::kChangeStep : money_text::kShareStep;
    lines.push_back(fmt::format("{} {} {} {} = {}", in_language(word, language),
                                change ? bill.other : total, change ? '-' : '/',
                                change ? total : bill.other, bill.result()));
  }
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "" : "\n") + line;
  return text;
}

class Money final : public Task {
 public:
  std::string_view name() const override { return "money"; }
  int levels() const override { return 3; }

  Problem make(Language language, int level, Split split, Rng& rng) const override {
    Bill bill = random_bill(level, rng);
    while (!allowed(bill, split)) bill = random_bill(level, rng);
    Problem problem;
    problem.task = name();
    problem.language = language;
    problem.level = level;
    problem.question = question(bill, language, split, rng);
    problem.reasoning = reasoning(bill, language);
    problem.solution = std::to_string(bill.result());
    problem.answer = boxed_answer(language, problem.solution);
    return problem;
  }

  bool accepts(const Problem& problem, std::string_view reply) const override {
    const auto box = boxed_content(reply);
    const auto number = box ? integer_of(*box) : std::nullopt;
    return number && number == integer_of(problem.solution);
  }
};

}  // namespace

const Task& money_task() {
  static const Money kTask;
  return kTask;
}

}  // namespace minke
