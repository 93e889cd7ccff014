#include "learn/tasks/money_text.h"

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

const Wordings kTotal = {{{
    {"الأسعار: {prices}. الطلب: {order}. كم المبلغ الإجمالي بالدراهم؟",
     "价格：{prices}。订单：{order}。一共多少元？",
     "Prices: {prices}. Order: {order}. What is the total in dollars?",
     "Preise: {prices}. Bestellung: {order}. Wie viel Euro kostet das zusammen?",
     "दाम: {prices}। ऑर्डर: {order}। कुल कितने रुपये हुए?",
     "Harga: {prices}. Pesanan: {order}. Berapa ribu rupiah totalnya?"},
    {"في متجر هذه الأسعار: {prices}. اشترت ليلى: {order}. كم درهمًا تدفع؟",
     "商店的价格是：{prices}。小丽买了：{order}。她要付多少元？",
     "A shop has these prices: {prices}. Lena buys: {order}. How many dollars does she pay?",
     "In einem Laden gelten diese Preise: {prices}. Lena kauft: {order}. Wie viel Euro bezahlt "
     "sie?",
     "एक दुकान के दाम ये हैं: {prices}। लीना खरीदती है: {order}। वह कितने रुपये देगी?",
     "Sebuah toko memasang harga: {prices}. Lina membeli: {order}. Berapa ribu rupiah yang ia "
     "bayar?"},
    {"احسب ثمن هذا الطلب بالدراهم: {order}. الأسعار: {prices}.",
     "计算这份订单的价钱（元）：{order}。价格：{prices}。",
     "Work out the price of this order in dollars: {order}. Prices: {prices}.",
     "Berechne den Preis dieser Bestellung in Euro: {order}. Preise: {prices}.",
     "इस ऑर्डर का दाम रुपये में निकालिए: {order}। दाम: {prices}।",
     "Hitung harga pesanan ini dalam ribu rupiah: {order}. Harga: {prices}."},
    {"قائمة الأسعار: {prices}. ما قيمة الفاتورة بالدراهم لطلب {order}؟",
     "价目表：{prices}。买{order}的账单是多少元？",
     "Price list: {prices}. How many dollars is the bill for {order}?",
     "Preisliste: {prices}. Wie viel Euro beträgt die Rechnung für {order}?",
     "मूल्य सूची: {prices}। {order} का बिल कितने रुपये का होगा?",
     "Daftar harga: {prices}. Berapa ribu rupiah tagihan untuk {order}?"},
    {"يريد سامي شراء {order}. كم درهمًا يحتاج إذا كانت الأسعار: {prices}؟",
     "小明想买{order}，价格是：{prices}。他需要多少元？",
     "Sam wants {order}. How many dollars does he need, with these prices: {prices}?",
     "Sam möchte {order}. Wie viel Euro braucht er bei diesen Preisen: {prices}?",
     "सोनू को {order} चाहिए। दाम {prices} हों, तो उसे कितने रुपये चाहिए?",
     "Sami ingin {order}. Berapa ribu rupiah yang ia perlukan jika harganya: {prices}?"},
}}};

const Wordings kChange = {{{
    {"الأسعار: {prices}. الطلب: {order}. دفع الزبون {note}. كم الباقي بالدراهم؟",
     "价格：{prices}。订单：{order}。顾客付了{note}。应找回多少元？",
     "Prices: {prices}. Order: {order}. The customer pays with {note}. What is the change in "
     "dollars?",
     "Preise: {prices}. Bestellung: {order}. Der Kunde zahlt mit {note}. Wie viel Euro bekommt er "
     "zurück?",
     "दाम: {prices}। ऑर्डर: {order}। ग्राहक {note} देता है। कितने रुपये वापस मिलेंगे?",
     "Harga: {prices}. Pesanan: {order}. Pembeli membayar {note}. Berapa ribu rupiah "
     "kembaliannya?"},
    {"اشترت ليلى: {order}. الأسعار: {prices}. أعطت البائع {note}. كم درهمًا يعيد إليها؟",
     "小丽买了：{order}。价格：{prices}。她给了{note}。店员找给她多少元？",
     "Lena buys: {order}. Prices: {prices}. She gives {note}. How many dollars does she get back?",
     "Lena kauft: {order}. Preise: {prices}. Sie gibt {note}. Wie viel Euro bekommt sie zurück?",
     "लीना खरीदती है: {order}। दाम: {prices}। वह {note} देती है। उसे कितने रुपये वापस मिलेंगे?",
     "Lina membeli: {order}. Harga: {prices}. Ia memberi {note}. Berapa ribu rupiah uang "
     "kembaliannya?"},
    {"لديك {note}. كم درهمًا يبقى معك بعد شراء {order}؟ الأسعار: {prices}.",
     "你有{note}。买了{order}以后还剩多少元？价格：{prices}。",
     "You have {note}. How many dollars are left after buying {order}? Prices: {prices}.",
     "Du hast {note}. Wie viel Euro bleiben nach dem Kauf von {order}? Preise: {prices}.",
     "आपके पास {note} हैं। {order} खरीदने के बाद कितने रुपये बचेंगे? दाम: {prices}।",
     "Kamu punya {note}. Berapa ribu rupiah sisanya setelah membeli {order}? Harga: {prices}."},
    {"احسب الباقي بالدراهم: المدفوع {note}، الطلب {order}، الأسعار {prices}.",
     "计算找零（元）：付款{note}，订单{order}，价格{prices}。",
     "Work out the change in dollars: paid {note}; order {order}; prices {prices}.",
     "Berechne das Rückgeld in Euro: gezahlt {note}; Bestellung {order}; Preise {prices}.",
     "वापसी रुपये में निकालिए: दिए {note}; ऑर्डर {order}; दाम {prices}।",
     "Hitung kembalian dalam ribu rupiah: dibayar {note}; pesanan {order}; harga {prices}."},
    {"كان مع سامي {note} واشترى {order} بهذه الأسعار: {prices}. كم درهمًا بقي معه؟",
     "小明带了{note}，按这些价格买了{order}：{prices}。他还剩多少元？",
     "Sam had {note} and bought {order} at these prices: {prices}. How many dollars did he keep?",
     "Sam hatte {note} und kaufte {order} zu diesen Preisen: {prices}. Wie viel Euro behielt er?",
     "सोनू के पास {note} थे और उसने {prices} के दाम पर {order} खरीदा। उसके पास कितने रुपये बचे?",
     "Sami punya {note} dan membeli {order} dengan harga: {prices}. Berapa ribu rupiah sisa "
     "uangnya?"},
}}};

const Wordings kShare = {{{
    {"الأسعار: {prices}. الطلب: {order}. عدد الأشخاص {people} ويتقاسمون الفاتورة بالتساوي. كم "
     "درهمًا يدفع كل واحد؟",
     "价格：{prices}。订单：{order}。{people}个人平分账单。每人付多少元？",
     "Prices: {prices}. Order: {order}. {people} people share the bill equally. How many dollars "
     "does each pay?",
     "Preise: {prices}. Bestellung: {order}. {people} Personen teilen die Rechnung gleichmäßig. "
     "Wie viel Euro zahlt jede?",
     "दाम: {prices}। ऑर्डर: {order}। {people} लोग बिल बराबर बाँटते हैं। हर एक कितने रुपये देगा?",
     "Harga: {prices}. Pesanan: {order}. {people} orang membagi tagihan sama rata. Berapa ribu "
     "rupiah bayaran tiap orang?"},
    {"طلبت مجموعة عددها {people}: {order}. الأسعار: {prices}. كم درهمًا نصيب كل فرد بالتساوي؟",
     "{people}个朋友点了：{order}。价格：{prices}。平均每人多少元？",
     "A group of {people} friends orders: {order}. Prices: {prices}. How many dollars is an equal "
     "share?",
     "Eine Gruppe von {people} Freunden bestellt: {order}. Preise: {prices}. Wie viel Euro ist "
     "ein gleicher Anteil?",
     "{people} दोस्त मँगाते हैं: {order}। दाम: {prices}। बराबर हिस्सा कितने रुपये का होगा?",
     "Sebanyak {people} teman memesan: {order}. Harga: {prices}. Berapa ribu rupiah bagian tiap "
     "orang?"},
    {"قسّم ثمن {order} على عدد الأشخاص {people} بالتساوي. الأسعار: {prices}. كم درهمًا لكل شخص؟",
     "把{order}的价钱平均分给{people}个人。价格：{prices}。每人多少元？",
     "Split the price of {order} equally among {people} people. Prices: {prices}. How many dollars "
     "is it for each?",
     "Teile den Preis von {order} gleichmäßig auf {people} Personen auf. Preise: {prices}. Wie "
     "viel Euro sind es für jede?",
     "{order} का दाम {people} लोगों में बराबर बाँटिए। दाम: {prices}। हर एक के कितने रुपये?",
     "Bagi harga {order} sama rata untuk {people} orang. Harga: {prices}. Berapa ribu rupiah per "
     "orang?"},
    {"الفاتورة: {order}. الأسعار: {prices}. يدفعها بالتساوي أشخاص عددهم {people}. ما نصيب كل "
     "واحد بالدراهم؟",
     "账单：{order}。价格：{prices}。由{people}人平摊。每人几元？",
     "Bill: {order}. Prices: {prices}. It is paid in equal parts by {people} people. What does "
     "each pay, in dollars?",
     "Rechnung: {order}. Preise: {prices}. Sie wird zu gleichen Teilen von {people} Personen "
     "bezahlt. Was zahlt jede, in Euro?",
     "बिल: {order}। दाम: {prices}। इसे {people} लोग बराबर-बराबर चुकाते हैं। "
     "हर एक कितने रुपये चुकाता है?",
     "Tagihan: {order}. Harga: {prices}. Dibayar sama rata oleh {people} orang. Berapa ribu "
     "rupiah tiap orang?"},
    {"عدد الجيران {people} واشتروا معًا {order} بهذه الأسعار: {prices}. كم درهمًا على كل جار؟",
     "{people}位邻居一起买了{order}，价格是：{prices}。每位邻居出多少元？",
     "Together {people} neighbours buy {order} at these prices: {prices}. How many dollars does "
     "each neighbour owe?",
     "Gemeinsam kaufen {people} Nachbarn {order} zu diesen Preisen: {prices}. Wie viel Euro "
     "schuldet jeder Nachbar?",
     "{people} पड़ोसी मिलकर {prices} के दाम पर {order} खरीदते हैं। हर पड़ोसी पर कितने रुपये आएँगे?",
     "Bersama-sama {people} tetangga membeli {order} dengan harga: {prices}. Berapa ribu rupiah "
     "tanggungan tiap tetangga?"},
}}};

const Phrase kTotalStep = {"المجموع:", "总计：", "Total:", "Summe:", "कुल:", "Total:"};
const Phrase kChangeStep = {"الباقي:", "找回：", "Left:", "Rest:", "बाकी:", "Sisa:"};
const Phrase kShareStep = {"لكل واحد:", "每人：", "Each:", "Jeder:", "हर एक:", "Tiap orang:"};
const Phrase kComma = {"، ", "，", ", ", ", ", ", ", ", "};

}  // namespace minke::money_text
