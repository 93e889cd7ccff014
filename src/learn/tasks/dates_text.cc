#include "learn/tasks/dates_text.h"

namespace minke::dates_text {

const Wordings kWeekday = {{{
    {"اليوم هو {weekday}. ما يوم الأسبوع بعد {days} من الأيام؟ أجب باسم اليوم.",
     "今天是{weekday}。{days}天后是星期几？请回答如“星期一”的名称。",
     "Today is {weekday}. What day of the week is it in {days} days? Answer with its name.",
     "Heute ist {weekday}. Welcher Wochentag ist in {days} Tagen? Antworte mit seinem Namen.",
     "आज {weekday} है। {days} दिन बाद कौन-सा वार होगा? वार का नाम लिखिए।",
     "Hari ini {weekday}. Hari apa {days} hari lagi? Jawab dengan nama hari."},
    {"إذا كان اليوم {weekday}، فماذا سيكون اليوم بعد مرور {days} من الأيام؟ أجب باسم اليوم.",
     "如果今天是{weekday}，再过{days}天是星期几？请回答如“星期一”的名称。",
     "If today is {weekday}, which weekday comes {days} days later? Answer with its name.",
     "Wenn heute {weekday} ist, welcher Wochentag folgt {days} Tage später? Antworte mit seinem "
     "Namen.",
     "यदि आज {weekday} है, तो {days} दिन बाद कौन-सा वार आएगा? वार का नाम लिखिए।",
     "Jika hari ini {weekday}, hari apa yang jatuh {days} hari kemudian? Jawab dengan nama hari."},
    {"بدأت رحلة يوم {weekday} وتنتهي بعد {days} من الأيام. في أي يوم من الأسبوع تنتهي؟ أجب باسم "
     "اليوم.",
     "旅行从{weekday}开始，{days}天后结束。结束那天是星期几？请回答如“星期一”的名称。",
     "A journey begins on {weekday} and ends {days} days later. On which weekday does it end? "
     "Answer with its name.",
     "Eine Reise beginnt am {weekday} und endet {days} Tage später. An welchem Wochentag endet "
     "sie? Antworte mit seinem Namen.",
     "एक यात्रा {weekday} को शुरू होती है और {days} दिन बाद समाप्त होती है। "
     "वह किस वार को समाप्त होगी? "
     "वार का "
     "नाम लिखिए।",
     "Sebuah perjalanan dimulai hari {weekday} dan berakhir {days} hari kemudian. Pada hari apa "
     "berakhir? Jawab dengan nama hari."},
    {"اكتب اسم يوم الأسبوع الذي يأتي بعد يوم {weekday} بعدد {days} من الأيام.",
     "写出{weekday}之后第{days}天是星期几，请回答如“星期一”的名称。",
     "Name the weekday that is {days} days after a {weekday}.",
     "Nenne den Wochentag, der {days} Tage nach einem {weekday} liegt.",
     "{weekday} के {days} दिन बाद आने वाले वार का नाम लिखिए।",
     "Sebutkan nama hari yang jatuh {days} hari setelah hari {weekday}."},
    {"وصل طرد يوم {weekday}، وسيصل الطرد التالي بعد {days} من الأيام. ما اسم يوم وصوله؟",
     "一个包裹在{weekday}到达，下一个{days}天后到达。那天是星期几？请回答如“星期一”的名称。",
     "A parcel came on a {weekday}; the next one comes {days} days after it. What is the name of "
     "that weekday?",
     "Ein Paket kam an einem {weekday}, das nächste kommt {days} Tage danach. Wie heißt dieser "
     "Wochentag?",
     "एक पार्सल {weekday} को आया और अगला उसके {days} दिन बाद आएगा। उस वार का नाम क्या है?",
     "Sebuah paket tiba hari {weekday}, paket berikutnya tiba {days} hari setelahnya. Apa nama "
     "hari itu?"},
}}};

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

const Wordings kLater = {{{
    {"ما التاريخ بعد {days} من الأيام من {date}؟ أجب بالصيغة YYYY-MM-DD.",
     "{date}之后{days}天是哪一天？请按 YYYY-MM-DD 回答。",
     "What is the date {days} days after {date}? Answer as YYYY-MM-DD.",
     "Welches Datum ist {days} Tage nach dem {date}? Antworte in der Form YYYY-MM-DD.",
     "{date} के {days} दिन बाद कौन-सी तारीख होगी? YYYY-MM-DD रूप में लिखिए।",
     "Tanggal berapa {days} hari setelah {date}? Jawab dalam bentuk YYYY-MM-DD."},
    {"اليوم هو {date}. ما التاريخ بعد {days} من الأيام؟ أجب بالصيغة YYYY-MM-DD.",
     "今天是{date}。{days}天后是几月几日？请按 YYYY-MM-DD 回答。",
     "Today is {date}. What will the date be in {days} days? Answer as YYYY-MM-DD.",
     "Heute ist der {date}. Welches Datum ist in {days} Tagen? Antworte in der Form YYYY-MM-DD.",
     "आज {date} है। {days} दिन बाद तारीख क्या होगी? YYYY-MM-DD रूप में लिखिए।",
     "Hari ini {date}. Tanggal berapa {days} hari lagi? Jawab dalam bentuk YYYY-MM-DD."},
    {"استُعير كتاب في {date} ويجب إرجاعه بعد {days} من الأيام. ما تاريخ الإرجاع بالصيغة "
     "YYYY-MM-DD؟",
     "一本书在{date}借出，{days}天后归还。归还日期是哪天？请按 YYYY-MM-DD 回答。",
     "A book was lent on {date} and is due {days} days later. On which date is it due, as "
     "YYYY-MM-DD?",
     "Ein Buch wurde am {date} ausgeliehen und ist {days} Tage später fällig. An welchem Datum, "
     "in der Form YYYY-MM-DD?",
     "एक किताब {date} को ली गई और {days} दिन बाद लौटानी है। "
     "लौटाने की तारीख YYYY-MM-DD रूप में लिखिए।",
     "Sebuah buku dipinjam {date} dan harus kembali {days} hari kemudian. Tanggal berapa, dalam "
     "bentuk YYYY-MM-DD?"},
    {"أضف {days} من الأيام إلى {date} واكتب التاريخ بالصيغة YYYY-MM-DD.",
     "在{date}上加{days}天，按 YYYY-MM-DD 写出日期。",
     "Add {days} days to {date} and write the date as YYYY-MM-DD.",
     "Addiere {days} Tage zum {date} und schreibe das Datum in der Form YYYY-MM-DD.",
     "{date} में {days} दिन जोड़िए और तारीख YYYY-MM-DD रूप में लिखिए।",
     "Tambahkan {days} hari ke {date} dan tulis tanggalnya dalam bentuk YYYY-MM-DD."},
    {"يبدأ معرض في {date} ويُغلق بعد {days} من الأيام. متى يُغلق؟ أجب بالصيغة YYYY-MM-DD.",
     "展览{date}开幕，{days}天后闭幕。哪天闭幕？请按 YYYY-MM-DD 回答。",
     "An exhibition opens on {date} and closes {days} days after that. When does it close? "
     "Answer as YYYY-MM-DD.",
     "Eine Ausstellung öffnet am {date} und schließt {days} Tage danach. Wann schließt sie? "
     "Antworte in der Form YYYY-MM-DD.",
     "एक प्रदर्शनी {date} को खुलती है और उसके {days} दिन बाद बंद होती है। "
     "वह कब बंद होगी? YYYY-MM-DD रूप में "
     "लिखिए।",
     "Sebuah pameran dibuka {date} dan ditutup {days} hari setelahnya. Kapan ditutup? Jawab "
     "dalam bentuk YYYY-MM-DD."},
}}};

const Phrase kMonthLength = {"عدد أيام {month} هو {days}.", "{month}有{days}天。",
                             "{month} has {days} days.",    "{month} hat {days} Tage.",
                             "{month} में {days} दिन हैं।",     "{month} punya {days} hari."};
const Phrase kWeekLength = {"الأسبوع 7 أيام.",     "一周有7天。",
                            "A week has 7 days.",  "Eine Woche hat 7 Tage.",
                            "एक सप्ताह में 7 दिन हैं।", "Seminggu ada 7 hari."};

}  // namespace minke::dates_text
