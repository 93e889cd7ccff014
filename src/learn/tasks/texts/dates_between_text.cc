#include "learn/tasks/texts/dates_text.h"

namespace minke::dates_text {

const Wordings kBetween = {{{
    {"كم عدد الأيام من {first} إلى {second}؟ أجب بعدد.",
     "从{first}到{second}相隔多少天？请回答一个数。",
     "How many days are there from {first} to {second}? Answer with a number.",
     "Wie viele Tage sind es vom {first} bis zum {second}? Antworte mit einer Zahl.",
     "{first} से {second} तक कितने दिन होते हैं? एक संख्या लिखिए।",
     "Berapa hari dari {first} sampai {second}? Jawab dengan bilangan."},
    {"كم يومًا يفصل بين {first} و{second}؟ أجب بعدد.",
     "{first}和{second}之间隔了几天？请回答一个数。",
     "How many days after {first} is {second}? Answer with a number.",
     "Wie viele Tage nach dem {first} liegt der {second}? Antworte mit einer Zahl.",
     "{first} के कितने दिन बाद {second} आता है? एक संख्या लिखिए।",
     "Berapa hari setelah {first} jatuh tanggal {second}? Jawab dengan bilangan."},
    {"يبدأ مشروع في {first} وينتهي في {second}. كم يومًا بين التاريخين؟ أجب بعدد.",
     "一个项目{first}开始，{second}结束。两个日期相差多少天？请回答一个数。",
     "A project starts on {first} and ends on {second}. How many days lie between the dates? "
     "Answer with a number.",
     "Ein Projekt beginnt am {first} und endet am {second}. Wie viele Tage liegen die Daten "
     "auseinander? Antworte mit einer Zahl.",
     "एक परियोजना {first} को शुरू और {second} को समाप्त होती है। दोनों तारीखों में "
     "कितने दिनों का अंतर है? एक "
     "संख्या लिखिए।",
     "Sebuah proyek mulai {first} dan selesai {second}. Berapa hari selisih kedua tanggal itu? "
     "Jawab dengan bilangan."},
    {"اليوم هو {first}. كم يومًا بقي حتى {second}؟ أجب بعدد.",
     "今天是{first}。离{second}还有多少天？请回答一个数。",
     "Today is {first}. How many days remain until {second}? Answer with a number.",
     "Heute ist der {first}. Wie viele Tage sind es noch bis zum {second}? Antworte mit einer "
     "Zahl.",
     "आज {first} है। {second} आने में कितने दिन बाकी हैं? एक संख्या लिखिए।",
     "Hari ini {first}. Berapa hari lagi sampai {second}? Jawab dengan bilangan."},
    {"زُرعت بذرة في {first} ونبتت في {second}. كم يومًا مرّ حتى نبتت؟ أجب بعدد.",
     "一粒种子{first}种下，{second}发芽。过了多少天才发芽？请回答一个数。",
     "A seed was planted on {first} and came up on {second}. How many days did it take? Answer "
     "with a number.",
     "Ein Samen wurde am {first} gepflanzt und keimte am {second}. Wie viele Tage hat es gedauert? "
     "Antworte mit einer Zahl.",
     "एक बीज {first} को लगाया गया और {second} को उगा। उसे उगने में कितने दिन लगे? एक संख्या लिखिए।",
     "Sebuah benih ditanam {first} dan tumbuh {second}. Berapa hari lamanya? Jawab dengan "
     "bilangan."},
    {"احسب عدد الأيام من {first} إلى {second}.", "计算从{first}到{second}相隔的天数。",
     "Work out the number of days from {first} to {second}.",
     "Berechne die Zahl der Tage vom {first} bis zum {second}.",
     "{first} से {second} तक के दिनों की संख्या निकालिए।",
     "Hitung banyaknya hari dari {first} sampai {second}."},
    {"سافرت ليلى في {first} وعادت في {second}. بعد كم يوم عادت؟ أجب بعدد.",
     "小丽{first}出发，{second}回来。她过了多少天才回来？请回答一个数。",
     "Lena left on {first} and came back on {second}. After how many days did she come back? "
     "Answer with a number.",
     "Lena fuhr am {first} ab und kam am {second} zurück. Nach wie vielen Tagen kam sie zurück? "
     "Antworte mit einer Zahl.",
     "लीना {first} को निकली और {second} को लौटी। वह कितने दिन बाद लौटी? एक संख्या लिखिए।",
     "Lina berangkat {first} dan kembali {second}. Setelah berapa hari ia kembali? Jawab dengan "
     "bilangan."},
    {"أُرسلت رسالة في {first} ووصلت في {second}. كم يومًا استغرقت حتى وصلت؟ اكتب عددًا.",
     "一封信{first}寄出，{second}到达。路上用了多少天？请写一个数。",
     "A letter was sent on {first} and arrived on {second}. How many days was it on its way? Give "
     "a number.",
     "Ein Brief wurde am {first} verschickt und kam am {second} an. Wie viele Tage war er "
     "unterwegs? Nenne eine Zahl.",
     "एक चिट्ठी {first} को भेजी गई और {second} को पहुँची। उसे पहुँचने में कितने दिन लगे? संख्या बताइए।",
     "Sebuah surat dikirim {first} dan tiba {second}. Berapa hari surat itu di jalan? Sebutkan "
     "bilangannya."},
    {"افتُتح معرض في {first} وأُغلق في {second}. بعد كم يوم من افتتاحه أُغلق؟ أجب بعدد.",
     "展览{first}开幕，{second}闭幕。开幕多少天后闭幕？请回答一个数。",
     "An exhibition opened on {first} and closed on {second}. How many days later did it close? "
     "Answer with a number.",
     "Eine Ausstellung öffnete am {first} und schloss am {second}. Wie viele Tage später schloss "
     "sie? Antworte mit einer Zahl.",
     "एक प्रदर्शनी {first} को खुली और {second} को बंद हुई। वह कितने दिन बाद बंद हुई? एक संख्या लिखिए।",
     "Sebuah pameran dibuka {first} dan ditutup {second}. Berapa hari kemudian pameran itu "
     "ditutup? Jawab dengan bilangan."},
    {"ما الفرق بين {first} و{second} بالأيام؟ اكتب العدد فقط.",
     "{first}和{second}相差几天？只写数字。",
     "What is the difference between {first} and {second} in days? Write only the number.",
     "Wie groß ist der Abstand zwischen dem {first} und dem {second} in Tagen? Schreibe nur die "
     "Zahl.",
     "{first} और {second} में कितने दिनों का अंतर है? केवल संख्या लिखिए।",
     "Berapa selisih hari antara {first} dan {second}? Tulis bilangannya saja."},
    {"اليوم هو {first} وعيد ميلاد سامي في {second}. كم يومًا عليه أن ينتظر؟ أجب بعدد.",
     "今天是{first}，小明的生日在{second}。他还要等多少天？请回答一个数。",
     "Today is {first} and Sam's birthday is on {second}. How many days does he have to wait? "
     "Answer with a number.",
     "Heute ist der {first}, und Sam hat am {second} Geburtstag. Wie viele Tage muss er noch "
     "warten? Antworte mit einer Zahl.",
     "आज {first} है और सोनू का जन्मदिन {second} को है। उसे कितने दिन इंतज़ार करना होगा? एक संख्या लिखिए।",
     "Hari ini {first} dan ulang tahun Sami {second}. Berapa hari lagi ia harus menunggu? Jawab "
     "dengan bilangan."},
    {"اشترت ليلى شجرة في {first} ثم أزهرت في {second}. كم يومًا مرّ؟ أجب بعدد.",
     "小丽{first}买了一棵树，树在{second}开花。过了多少天？请回答一个数。",
     "Lena bought a tree on {first} and it bloomed on {second}. How many days had passed? Answer "
     "with a number.",
     "Lena kaufte am {first} einen Baum, und er blühte am {second}. Wie viele Tage waren "
     "vergangen? Antworte mit einer Zahl.",
     "लीना ने {first} को एक छोटा पेड़ खरीदा और वह {second} को फूला। कितने दिन बीते? एक संख्या लिखिए।",
     "Lina membeli pohon {first} dan pohon itu berbunga {second}. Berapa hari berlalu? Jawab "
     "dengan bilangan."},
    {"غادرت سفينة في {first} ووصلت في {second}. كم يومًا مرّ حتى وصلت؟ اكتب عددًا.",
     "一艘船{first}出发，{second}到达。用了多少天？请写一个数。",
     "A ship left on {first} and arrived on {second}. How many days did it take? Give a number.",
     "Ein Schiff fuhr am {first} ab und kam am {second} an. Wie viele Tage hat es gedauert? Nenne "
     "eine Zahl.",
     "एक जहाज़ {first} को निकला और {second} को पहुँचा। उसे पहुँचने में कितने दिन लगे? संख्या बताइए।",
     "Sebuah kapal berangkat {first} dan tiba {second}. Berapa hari lamanya? Sebutkan "
     "bilangannya."},
    {"اليوم هو {first} والامتحان في {second}. بعد كم يوم يكون الامتحان؟ اكتب العدد فقط.",
     "今天是{first}，考试在{second}。多少天后考试？只写数字。",
     "Today is {first} and the exam is on {second}. In how many days is the exam? Write only the "
     "number.",
     "Heute ist der {first}, und die Prüfung ist am {second}. In wie vielen Tagen ist die Prüfung? "
     "Schreibe nur die Zahl.",
     "आज {first} है और परीक्षा {second} को है। परीक्षा कितने दिन बाद है? केवल संख्या लिखिए।",
     "Hari ini {first} dan ujian jatuh pada {second}. Berapa hari lagi ujian itu? Tulis "
     "bilangannya saja."},
    {"زُرعت شجرة في {first} وأزهرت في {second}. بعد كم يوم أزهرت؟ أجب بعدد.",
     "一棵树{first}种下，{second}开花。过了多少天才开花？请回答一个数。",
     "A tree was planted on {first} and bloomed on {second}. After how many days did it bloom? "
     "Answer with a number.",
     "Ein Baum wurde am {first} gepflanzt und blühte am {second}. Nach wie vielen Tagen blühte "
     "er? Antworte mit einer Zahl.",
     "एक पेड़ {first} को लगाया गया और {second} को फूला। कितने दिन बाद वह फूला? एक संख्या लिखिए।",
     "Sebuah pohon ditanam {first} dan berbunga {second}. Setelah berapa hari pohon itu "
     "berbunga? Jawab dengan bilangan."},
}}};

}  // namespace minke::dates_text
