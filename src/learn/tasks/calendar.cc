#include "learn/tasks/calendar.h"

#include <array>

#include <fmt/core.h>

#include "learn/tasks/phrases/phrase.h"

namespace minke {
namespace {

constexpr std::array<Phrase, 12> kMonths = {{
    {"يناير", "1月", "January", "Januar", "जनवरी", "Januari"},
    {"فبراير", "2月", "February", "Februar", "फ़रवरी", "Februari"},
    {"مارس", "3月", "March", "März", "मार्च", "Maret"},
    {"أبريل", "4月", "April", "April", "अप्रैल", "April"},
    {"مايو", "5月", "May", "Mai", "मई", "Mei"},
    {"يونيو", "6月", "June", "Juni", "जून", "Juni"},
    {"يوليو", "7月", "July", "Juli", "जुलाई", "Juli"},
    {"أغسطس", "8月", "August", "August", "अगस्त", "Agustus"},
    {"سبتمبر", "9月", "September", "September", "सितंबर", "September"},
    {"أكتوبر", "10月", "October", "Oktober", "अक्टूबर", "Oktober"},
    {"نوفمبر", "11月", "November", "November", "नवंबर", "November"},
    {"ديسمبر", "12月", "December", "Dezember", "दिसंबर", "Desember"},
}};
constexpr std::array<Phrase, 7> kWeekdays = {{
    {"الاثنين", "星期一", "Monday", "Montag", "सोमवार", "Senin"},
    {"الثلاثاء", "星期二", "Tuesday", "Dienstag", "मंगलवार", "Selasa"},
    {"الأربعاء", "星期三", "Wednesday", "Mittwoch", "बुधवार", "Rabu"},
    {"الخميس", "星期四", "Thursday", "Donnerstag", "गुरुवार", "Kamis"},
    {"الجمعة", "星期五", "Friday", "Freitag", "शुक्रवार", "Jumat"},
    {"السبت", "星期六", "Saturday", "Samstag", "शनिवार", "Sabtu"},
    {"الأحد", "星期日", "Sunday", "Sonntag", "रविवार", "Minggu"},
}};
constexpr Phrase kDates = {"{day} {month} {year}",  "{year}年{month}{day}日",
                           "{month} {day}, {year}", "{day}. {month} {year}",
                           "{day} {month} {year}",  "{day} {month} {year}"};

}  // namespace

bool is_leap_year(int year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int days_in_month(int year, int month) {
  constexpr std::array kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month == 2 && is_leap_year(year)) return 29;
  return kDays[static_cast<size_t>(month) - 1];
}

std::string iso_date(const Date& date) {
  return fmt::format("{:04}-{:02}-{:02}", date.year, date.month, date.day);
}

std::string_view month_name(Language language, int month) {
  return in_language(kMonths[static_cast<size_t>(month) - 1], language);
}

std::string_view weekday_name(Language language, int weekday) {
  return in_language(kWeekdays[static_cast<size_t>(weekday)], language);
}

std::string written_date(Language language, const Date& date) {
  return filled(in_language(kDates, language), {{"day", std::to_string(date.day)},
                                                {"month", month_name(language, date.month)},
                                                {"year", std::to_string(date.year)}});
}

}  // namespace minke
