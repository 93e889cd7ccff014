#include "learn/tasks/texts/money_text.h"

#include <fmt/core.h>

namespace minke::money_text {
namespace {

// Arabic counts in the plural from 3 to 10, and in the accusative singular from 11 to 99; the last
// two digits tell.
std::string_view dirhams(int64_t amount) {
  const int64_t last = amount % 100;
  if (last >= 3 && last <= 10) return "دراهم";
  return last >= 11 ? "درهمًا" : "درهم";
}

}  // namespace

const std::array<Phrase, kGoodsCount> kGoods = {{
    {"قلم", "钢笔", "pen", "Stift", "कलम", "pena"},
    {"دفتر", "笔记本", "notebook", "Heft", "कॉपी", "buku tulis"},
    {"كتاب", "书", "book", "Buch", "किताब", "buku"},
    {"خبز", "面包", "bread", "Brot", "ब्रेड", "roti"},
    {"جبن", "奶酪", "cheese", "Käse", "पनीर", "keju"},
    {"شاي", "茶", "tea", "Tee", "चाय", "teh"},
    {"حليب", "牛奶", "milk", "Milch", "दूध", "susu"},
    {"فنجان", "杯子", "cup", "Tasse", "कप", "cangkir"},
    {"مصباح", "灯", "lamp", "Lampe", "दीपक", "lampu"},
    {"حقيبة", "包", "bag", "Tasche", "थैला", "tas"},
    {"تفاحة", "苹果", "apple", "Apfel", "सेब", "apel"},
    {"موزة", "香蕉", "banana", "Banane", "केला", "pisang"},
    {"بيضة", "鸡蛋", "egg", "Ei", "अंडा", "telur"},
    {"عصير", "果汁", "juice", "Saft", "जूस", "jus"},
    {"أرز", "大米", "rice", "Reis", "चावल", "beras"},
    {"سكر", "糖", "sugar", "Zucker", "चीनी", "gula"},
    {"كرسي", "椅子", "chair", "Stuhl", "कुर्सी", "kursi"},
    {"قميص", "衬衫", "shirt", "Hemd", "कमीज़", "kemeja"},
    {"قبعة", "帽子", "hat", "Hut", "टोपी", "topi"},
    {"كرة", "球", "ball", "Ball", "गेंद", "bola"},
    {"ساعة", "钟", "clock", "Uhr", "घड़ी", "jam dinding"},
    {"صابون", "肥皂", "soap", "Seife", "साबुन", "sabun"},
    {"مظلة", "雨伞", "umbrella", "Schirm", "छाता", "payung"},
    {"طبق", "盘子", "plate", "Teller", "प्लेट", "piring"},
}};

std::string amount_text(Language language, int64_t amount) {
  switch (language) {
    case Language::kArabic:
      return fmt::format("{} {}", amount, dirhams(amount));
    case Language::kChinese:
      return fmt::format("{}元", amount);
    case Language::kEnglish:
      return fmt::format("{} dollar{}", amount, amount == 1 ? "" : "s");
    case Language::kGerman:
      return fmt::format("{} Euro", amount);
    case Language::kHindi:
      return fmt::format("{} {}", amount, amount == 1 ? "रुपया" : "रुपये");
    case Language::kIndonesian:
      return fmt::format("{} ribu rupiah", amount);
  }
  return {};
}

const Phrase kTotalStep = {"المجموع:", "总计：", "Total:", "Summe:", "कुल:", "Total:"};
const Phrase kChangeStep = {"الباقي:", "找回：", "Left:", "Rest:", "बाकी:", "Sisa:"};
const Phrase kShareStep = {"لكل واحد:", "每人：", "Each:", "Jeder:", "हर एक:", "Tiap orang:"};
const Phrase kComma = {"، ", "，", ", ", ", ", ", ", ", "};

}  // namespace minke::money_text
