#pragma once

#include <array>

#include "learn/tasks/phrases/phrase.h"

namespace minke::money_text {

inline constexpr size_t kGoodsCount = 24;
// What is sold, as a price list names it.
extern const std::array<Phrase, kGoodsCount> kGoods;

// `amount` in the currency of the language: "12 dollars", "12元", "12 ribu rupiah".
std::string amount_text(Language language, int64_t amount);

// Fields: {prices} "pen 3 dollars, ...", {order} "pen × 4, ...", {note} an amount, {people} a
// number. The answer is a number without its currency, in Indonesian in thousands.
extern const Wordings kTotal;
extern const Wordings kChange;
extern const Wordings kShare;

// Words before a step, with its colon.
extern const Phrase kTotalStep;
extern const Phrase kChangeStep;
extern const Phrase kShareStep;
// Between entries of a list, and after the name of one.
extern const Phrase kComma;

}  // namespace minke::money_text
