#include "text/grammar/json/number.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <string_view>
#include <tuple>
#include <vector>

namespace minke {
namespace {

constexpr double kExactDoubles = 9007199254740992.0;  // 2^53
constexpr uint64_t kLargestDivisor = 1'000'000;

Decimal of_digits(bool negative, std::string_view digits, int point) {
  // `point`: digits before the point; may lie outside of them.
  std::string text(digits);
  if (point < 1) {
    text.insert(0, static_cast<size_t>(1 - point), '0');
    point = 1;
  }
  if (static_cast<size_t>(point) > text.size()) text.resize(static_cast<size_t>(point), '0');
  Decimal out;
  out.whole = text.substr(0, static_cast<size_t>(point));
  out.fraction = text.substr(static_cast<size_t>(point));
  out.whole.erase(0, std::min(out.whole.find_first_not_of('0'), out.whole.size() - 1));
  out.fraction.resize(out.fraction.find_last_not_of('0') + 1);
  out.negative = negative && !out.is_zero();
  return out;
}

Decimal of_double(double value) {
  char buffer[64];
  const auto end =
      std::to_chars(buffer, buffer + sizeof buffer, std::abs(value), std::chars_format::scientific);
  const std::string_view text(buffer, static_cast<size_t>(end.ptr - buffer));
  const size_t e = text.find('e');
  int exponent = 0;
  const std::string_view power = text.substr(text[e + 1] == '+' ? e + 2 : e + 1);
  std::from_chars(power.data(), power.data() + power.size(), exponent);
  std::string digits(text.substr(0, e));
  std::erase(digits, '.');
  return of_digits(value < 0, digits, exponent + 1);
}

// One end of a range of magnitudes.
struct Bound {
  bool given = false;
  Decimal value;
  bool excluded = false;
};

// The magnitudes that numbers of one sign may have.
struct Magnitudes {
  bool none = false;
  Bound lower, upper;
};

Magnitudes magnitudes(const NumberRange& range, bool negative) {
  Magnitudes out;
  const Bound min{range.min.has_value(), range.min.value_or(Decimal{}), range.min_excluded};
  const Bound max{range.max.has_value(), range.max.value_or(Decimal{}), range.max_excluded};
  const Bound& near = negative ? max : min;
  const Bound& far = negative ? min : max;
  if (near.given && (near.value.negative == negative || near.value.is_zero())) out.lower = near;
  if (far.given) {
    out.none = far.value.negative != negative && !far.value.is_zero();
    out.upper = far;
  }
  return out;
}

// What has been read of a number.
struct Reading {
  enum Phase : uint8_t { kBegin, kMinus, kZero, kWhole, kPoint, kFraction, kE, kSign, kExponent };
  Phase phase = kBegin;
  bool negative = false;
  int digits = 0;            // of the whole part, of the fraction, or of the exponent
  int whole = 0;             // how many digits the whole part has
  int lower = 0, upper = 0;  // the sign of the difference to the bounds so far
  uint64_t remainder = 0;    // of the digits so far, by the divisor

  auto operator<=>(const Reading&) const = default;
};

class NumberAutomaton {
 public:
  NumberAutomaton(const NumberRange& range, Budget& budget)
      : range_(range),
        budget_(budget),
        limits_{magnitudes(range, false), magnitudes(range, true)},
        plain_(!range.min && !range.max && !range.multiple_of) {
    if (range.multiple_of) set_divisor(*range.multiple_of);
  }

  Dfa make() {
    intern({});
    for (size_t i = 0; i < readings_.size(); ++i) {
      for (const char c : std::string_view("+-.0123456789Ee")) {
        if (const std::optional<Reading> next = after(readings_[i], c)) {
          const auto byte = static_cast<uint8_t>(c);
          const int32_t target = intern(*next);
          dfa_.states[i].edges.push_back({byte, byte, target});
        }
      }
    }
    return trimmed(std::move(dfa_));
  }

 private:
  void set_divisor(const Decimal& divisor) {
    const std::string digits = divisor.whole + divisor.fraction;
    const auto end = digits.data() + digits.size();
    const auto [rest, error] = std::from_chars(digits.data(), end, divisor_);
    fraction_digits_ = static_cast<int>(divisor.fraction.size());
    if (error != std::errc() || rest != end || divisor_ > kLargestDivisor ||
        fraction_digits_ > kFractionDigits) {
      fail(budget_.place(), "expected a divisor of at most six digits, found {}", divisor.text());
    }
  }

  int32_t intern(const Reading& reading) {
    const auto [it, added] = ids_.try_emplace(reading, static_cast<int32_t>(readings_.size()));
    if (added) {
      budget_.check_states(readings_.size() + 1);
      readings_.push_back(reading);
      dfa_.states.push_back({{}, ends(reading)});
    }
    return it->second;
  }

  const Magnitudes& limits(const Reading& r) const { return limits_[r.negative ? 1 : 0]; }

  std::optional<Reading> after(const Reading& r, char c) const {
    const bool digit = c >= '0' && c <= '9';
    switch (r.phase) {
      case Reading::kBegin:
        if (c == '-') return Reading{Reading::kMinus, true, 0, 0, 0, 0, 0};
        [[fallthrough]];
      case Reading::kMinus:
        if (!digit || limits(r).none || (c == '0' && r.negative && range_.integer)) {
          return std::nullopt;
        }
        return with_digit(r, c, c == '0' ? Reading::kZero : Reading::kWhole);
      case Reading::kWhole:
        if (digit) return with_digit(r, c, Reading::kWhole);
        [[fallthrough]];
      case Reading::kZero:
        if (c == '.' && !range_.integer) return pointed(r);
        return exponent(r, c);
      case Reading::kPoint:
        return digit ? with_digit(r, c, Reading::kFraction) : std::nullopt;
      case Reading::kFraction:
        return digit ? with_digit(r, c, Reading::kFraction) : exponent(r, c);
      case Reading::kE:
        if (c == '+' || c == '-') return Reading{Reading::kSign, false, 0, 0, 0, 0, 0};
        [[fallthrough]];
      case Reading::kSign:
      case Reading::kExponent:
        if (!digit || r.digits == kExponentDigits) return std::nullopt;
        return Reading{Reading::kExponent, false, r.digits + 1, 0, 0, 0, 0};
    }
    return std::nullopt;
  }

  std::optional<Reading> exponent(const Reading& r, char c) const {
    if (!plain_ || range_.integer || (c != 'e' && c != 'E') || r.phase == Reading::kPoint) {
      return std::nullopt;
    }
    return Reading{Reading::kE, false, 0, 0, 0, 0, 0};
  }

  std::optional<Reading> with_digit(const Reading& r, char c, Reading::Phase phase) const {
    const bool whole = phase != Reading::kFraction;
    if (r.digits == (whole ? most_whole(limits(r).upper) : most_fraction())) return std::nullopt;
    Reading next = r;
    next.phase = phase;
    const auto compare_digit = [&](const Bound& bound, int sign) {
      if (!bound.given || sign != 0) return sign;
      const std::string& digits = whole ? bound.value.whole : bound.value.fraction;
      const auto at = static_cast<size_t>(r.digits);
      const char other = at < digits.size() ? digits[at] : '0';
      if (whole && at >= digits.size()) return 0;
      return c < other ? -1 : c > other ? 1 : 0;
    };
    next.lower = compare_digit(limits(r).lower, r.lower);
    next.upper = compare_digit(limits(r).upper, r.upper);
    if (divisor_ != 0) {
      next.remainder = (r.remainder * 10 + static_cast<uint64_t>(c - '0')) % divisor_;
    }
    ++next.digits;
    if (whole) next.whole = next.digits;
    return next;
  }

  static int most_whole(const Bound& upper) {
    const auto length = static_cast<int>(upper.value.whole.size());
    return upper.given ? std::min(length, kWholeDigits) : kWholeDigits;
  }
  int most_fraction() const { return divisor_ != 0 ? fraction_digits_ : kFractionDigits; }

  // With the whole part known, the differences are those of numbers.
  Reading measured(const Reading& r) const {
    Reading next = r;
    const auto difference = [&](const Bound& bound, int sign) {
      const int length = bound.given ? static_cast<int>(bound.value.whole.size()) : 0;
      if (!bound.given) return 0;
      return r.whole < length ? -1 : r.whole > length ? 1 : sign;
    };
    next.lower = difference(limits(r).lower, r.lower);
    next.upper = difference(limits(r).upper, r.upper);
    return next;
  }

  std::optional<Reading> pointed(const Reading& r) const {
    if (most_fraction() == 0) return std::nullopt;
    Reading next = measured(r);
    next.phase = Reading::kPoint;
    next.digits = next.whole = 0;
    return next;
  }

  bool ends(const Reading& reading) const {
    if (reading.phase == Reading::kExponent) return true;
    const bool fraction = reading.phase == Reading::kFraction;
    if (reading.phase != Reading::kZero && reading.phase != Reading::kWhole && !fraction) {
      return false;
    }
    const Reading r = fraction ? reading : measured(reading);
    const size_t digits = fraction ? static_cast<size_t>(r.digits) : 0;
    // What is left of a bound's fraction is more than nothing.
    const auto sign = [&](const Bound& bound, int so_far) {
      return so_far == 0 && bound.value.fraction.size() > digits ? -1 : so_far;
    };
    const auto& [none, lower, upper] = limits(r);
    const int above = lower.given ? sign(lower, r.lower) : 1;
    const int below = upper.given ? sign(upper, r.upper) : -1;
    if (above < 0 || (above == 0 && lower.excluded)) return false;
    if (below > 0 || (below == 0 && upper.excluded)) return false;
    uint64_t remainder = r.remainder;
    for (int i = static_cast<int>(digits); i < fraction_digits_; ++i) {
      remainder = remainder * 10 % divisor_;
    }
    return remainder == 0;
  }

  const NumberRange& range_;
  Budget& budget_;
  Magnitudes limits_[2];  // not negative, negative
  bool plain_;
  uint64_t divisor_ = 0;     // in units of the last of fraction_digits_
  int fraction_digits_ = 0;  // of the divisor
  std::map<Reading, int32_t> ids_;
  std::vector<Reading> readings_;
  Dfa dfa_;
};

}  // namespace

std::optional<Decimal> Decimal::of(simdjson::dom::element number) {
  if (number.is_int64()) {
    const int64_t value = number.get_int64().value_unsafe();
    const std::string text = std::to_string(value);
    const std::string_view digits = std::string_view(text).substr(value < 0 ? 1 : 0);
    return of_digits(value < 0, digits, static_cast<int>(digits.size()));
  }
  if (number.is_uint64()) {
    const std::string digits = std::to_string(number.get_uint64().value_unsafe());
    return of_digits(false, digits, static_cast<int>(digits.size()));
  }
  if (!number.is_double()) return std::nullopt;
  const double value = number.get_double().value_unsafe();
  if (std::abs(value) >= kExactDoubles) return std::nullopt;
  return of_double(value);
}

std::string Decimal::text() const {
  return (negative ? "-" : "") + whole + (fraction.empty() ? "" : "." + fraction);
}

int compare(const Decimal& a, const Decimal& b) {
  if (a.negative != b.negative) return a.negative ? -1 : 1;
  const auto key = [](const Decimal& d) { return std::tie(d.whole, d.fraction); };
  int sign = 0;
  if (a.whole.size() != b.whole.size()) {
    sign = a.whole.size() < b.whole.size() ? -1 : 1;
  } else if (key(a) != key(b)) {
    sign = key(a) < key(b) ? -1 : 1;
  }
  return a.negative ? -sign : sign;
}

Dfa number_dfa(const NumberRange& range, Budget& budget) {
  return NumberAutomaton(range, budget).make();
}

}  // namespace minke
