#pragma once

#include <string>
#include <string_view>

#include "learn/tasks/task.h"

namespace minke {

// The Gregorian calendar, and its names in six languages.

struct Date {
  int year = 2000;
  int month = 1;  // 1 to 12
  int day = 1;    // from 1
};

bool is_leap_year(int year);
int days_in_month(int year, int month);

std::string iso_date(const Date& date);  // "2024-03-09"
std::string_view month_name(Language language, int month);
// `weekday` is 0 on Monday and 6 on Sunday.
std::string_view weekday_name(Language language, int weekday);
// As it is written in a sentence: "9. März 2024".
std::string written_date(Language language, const Date& date);

}  // namespace minke
