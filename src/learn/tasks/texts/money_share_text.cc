#include "learn/tasks/texts/money_text.h"

namespace minke::money_text {

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
    {"اشترى جيران عددهم {people}: {order}. الأسعار: {prices}. يدفعون بالتساوي. كم درهمًا يدفع كل "
     "جار؟",
     "{people}位邻居买了：{order}。价格：{prices}。大家平分。每位邻居付多少元？",
     "A group of {people} neighbours buys: {order}. Prices: {prices}. They pay equal parts. How "
     "many dollars does each neighbour pay?",
     "Eine Gruppe von {people} Nachbarn kauft: {order}. Preise: {prices}. Alle zahlen gleich viel. "
     "Wie viel Euro zahlt jeder Nachbar?",
     "{people} पड़ोसी खरीदते हैं: {order}। दाम: {prices}। सब बराबर देते हैं। हर पड़ोसी कितने रुपये देगा?",
     "Sebanyak {people} tetangga membeli: {order}. Harga: {prices}. Mereka membayar sama rata. "
     "Berapa ribu rupiah bayaran tiap tetangga?"},
    {"عدد الأطفال {people} واشتروا معًا {order}. الأسعار: {prices}. كم درهمًا يدفع كل طفل إذا دفعوا "
     "بالتساوي؟",
     "{people}个孩子一起买{order}。价格：{prices}。大家出一样多。每个孩子出多少元？",
     "Together {people} children buy {order}. Prices: {prices}. All give the same. How many "
     "dollars does each child give?",
     "Gemeinsam kaufen {people} Kinder {order}. Preise: {prices}. Alle geben gleich viel. Wie viel "
     "Euro gibt jedes Kind?",
     "{people} बच्चे मिलकर {order} खरीदते हैं। दाम: {prices}। सब बराबर देते हैं। हर बच्चा कितने रुपये देता है?",
     "Bersama-sama {people} anak membeli {order}. Harga: {prices}. Semua memberi sama banyak. "
     "Berapa ribu rupiah dari tiap anak?"},
    {"بهذه الأسعار: {prices}. عدد الأشخاص {people} ويدفعون بالتساوي ثمن {order}. كم درهمًا على كل "
     "شخص؟",
     "按这些价格：{prices}。{people}个人平摊{order}的价钱。每人要出几元？",
     "At these prices: {prices}. How many dollars does each of {people} people owe for {order}, in "
     "equal parts?",
     "Zu diesen Preisen: {prices}. Wie viel Euro schuldet jede von {people} Personen für {order}, "
     "zu gleichen Teilen?",
     "इन दामों पर: {prices}। {people} लोग {order} का दाम बराबर चुकाते हैं। हर एक पर कितने रुपये आएँगे?",
     "Dengan harga: {prices}. Sebanyak {people} orang membayar {order} sama rata. Berapa ribu "
     "rupiah tanggungan tiap orang?"},
    {"طلب ضيوف عددهم {people}: {order}. قائمة الأسعار: {prices}. كم درهمًا يدفع كل ضيف بالتساوي؟",
     "一桌{people}位客人点了{order}。价目表：{prices}。平均每位客人付多少元？",
     "A table of {people} guests orders {order}. Price list: {prices}. How many dollars does each "
     "guest pay, in equal shares?",
     "Ein Tisch mit {people} Gästen bestellt {order}. Preisliste: {prices}. Wie viel Euro zahlt "
     "jeder Gast bei gleichen Anteilen?",
     "{people} मेहमान {order} मँगाते हैं। मूल्य सूची: {prices}। बराबर बाँटने पर हर मेहमान कितने रुपये देगा?",
     "Satu meja dengan {people} tamu memesan {order}. Daftar harga: {prices}. Berapa ribu rupiah "
     "bayaran tiap tamu jika dibagi sama rata?"},
    {"احسب نصيب الفرد الواحد بالدراهم: الفاتورة {order}، الأسعار {prices}، عدد الأشخاص {people}.",
     "计算每人平均付多少元：账单{order}，价格{prices}，人数{people}。",
     "Work out one equal share in dollars: bill {order}; prices {prices}; number of people "
     "{people}.",
     "Berechne einen gleichen Anteil in Euro: Rechnung {order}; Preise {prices}; Zahl der Personen "
     "{people}.",
     "एक बराबर हिस्सा रुपये में निकालिए: बिल {order}; दाम {prices}; लोगों की संख्या {people}।",
     "Hitung satu bagian sama rata dalam ribu rupiah: tagihan {order}; harga {prices}; banyaknya "
     "orang {people}."},
    {"الأسعار: {prices}. يُقسم ثمن {order} إلى أجزاء متساوية عددها {people}. كم درهمًا الجزء الواحد؟",
     "价格：{prices}。{order}的总价平均分成{people}份。一份是多少元？",
     "Prices: {prices}. The cost of {order} is split into {people} equal parts. How many dollars "
     "is one part?",
     "Preise: {prices}. Die Kosten für {order} werden in {people} gleiche Teile geteilt. Wie viel "
     "Euro ist ein Teil?",
     "दाम: {prices}। {order} का कुल दाम {people} बराबर हिस्सों में बाँटा जाता है। एक हिस्सा कितने रुपये का है?",
     "Harga: {prices}. Biaya {order} dibagi menjadi {people} bagian yang sama. Berapa ribu rupiah "
     "satu bagian?"},
    {"ليلى وصديقاتها عددهن معًا {people} واشترين {order}. الأسعار: {prices}. يتقاسمن الثمن "
     "بالتساوي. كم درهمًا تدفع ليلى؟",
     "小丽和朋友一共{people}人，买了{order}。价格：{prices}。他们平分账单。小丽付多少元？",
     "Lena and her friends are {people} people in all and buy {order}. Prices: {prices}. They "
     "share equally. How many dollars does Lena pay?",
     "Lena und ihre Freunde sind zusammen {people} Personen und kaufen {order}. Preise: {prices}. "
     "Sie teilen gleichmäßig. Wie viel Euro zahlt Lena?",
     "लीना और उसके दोस्त कुल {people} लोग हैं और {order} खरीदते हैं। दाम: {prices}। वे बराबर बाँटते हैं। लीना "
     "कितने रुपये देगी?",
     "Lina dan temannya berjumlah {people} orang dan membeli {order}. Harga: {prices}. Mereka "
     "membagi sama rata. Berapa ribu rupiah bayaran Lina?"},
    {"إذا تقاسم أصدقاء عددهم {people} ثمن {order} بالتساوي، فكم درهمًا على كل صديق؟ الأسعار: "
     "{prices}.",
     "如果{people}个朋友平分{order}的价钱，每个朋友要付几元？价格：{prices}。",
     "If {people} friends share the price of {order} equally, how many dollars does each friend "
     "pay? Prices: {prices}.",
     "Wenn sich {people} Freunde den Preis von {order} gleichmäßig teilen, wie viel Euro zahlt "
     "jeder Freund? Preise: {prices}.",
     "यदि {people} दोस्त {order} का दाम बराबर बाँटें, तो हर दोस्त को कितने रुपये देने होंगे? दाम: {prices}।",
     "Jika {people} teman membagi harga {order} sama rata, berapa ribu rupiah bayaran tiap teman? "
     "Harga: {prices}."},
    {"طلبت مجموعة أطفال عددها {people}: {order}. قائمة الأسعار: {prices}. يتقاسمون الفاتورة "
     "بالتساوي. كم درهمًا يدفع كل طفل؟",
     "{people}个孩子点了{order}。价目表：{prices}。他们平分账单。每个孩子付多少元？",
     "A group of {people} children orders {order}. Price list: {prices}. They share the bill "
     "equally. How many dollars does each child pay?",
     "Eine Gruppe von {people} Kindern bestellt {order}. Preisliste: {prices}. Sie teilen die "
     "Rechnung gleichmäßig. Wie viel Euro zahlt jedes Kind?",
     "{people} बच्चे {order} मँगाते हैं। मूल्य सूची: {prices}। वे बिल बराबर बाँटते हैं। हर बच्चा कितने रुपये देगा?",
     "Sebanyak {people} anak memesan {order}. Daftar harga: {prices}. Mereka membagi tagihan sama "
     "rata. Berapa ribu rupiah bayaran tiap anak?"},
    {"قسّم ثمن {order} بالتساوي على ضيوف عددهم {people}. الأسعار: {prices}. كم درهمًا على كل ضيف؟",
     "把{order}的账单平均分给{people}位客人。价格：{prices}。每位客人出多少元？",
     "Split the bill for {order} in equal parts among {people} guests. Prices: {prices}. How many "
     "dollars does each guest owe?",
     "Teile die Rechnung für {order} zu gleichen Teilen auf {people} Gäste auf. Preise: {prices}. "
     "Wie viel Euro schuldet jeder Gast?",
     "{order} का बिल {people} मेहमानों में बराबर बाँटिए। दाम: {prices}। हर मेहमान पर कितने रुपये आएँगे?",
     "Bagi tagihan {order} sama rata untuk {people} tamu. Harga: {prices}. Berapa ribu rupiah "
     "tanggungan tiap tamu?"},
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

}  // namespace minke::money_text
