#include "learn/tasks/texts/dates_text.h"

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
    {"أُرسل طرد يوم {weekday} ووصل بعد {days} من الأيام. في أي يوم من أيام الأسبوع وصل؟ اذكر اسم "
     "اليوم.",
     "一个包裹{weekday}寄出，{days}天后到达。到达那天是星期几？请写如“星期一”的名称。",
     "A parcel is sent on a {weekday} and arrives {days} days later. On what day of the week does "
     "it arrive? Give its name.",
     "Ein Paket wird an einem {weekday} verschickt und kommt {days} Tage später an. An welchem Tag "
     "der Woche kommt es an? Nenne seinen Namen.",
     "एक पार्सल {weekday} को भेजा गया और {days} दिन बाद पहुँचा। वह सप्ताह के किस वार को पहुँचा? वार का नाम "
     "बताइए।",
     "Sebuah paket dikirim hari {weekday} dan tiba {days} hari kemudian. Pada hari apa paket itu "
     "tiba? Sebutkan nama harinya."},
    {"نحن اليوم في يوم {weekday}. ما اسم اليوم الذي يأتي بعد {days} من الأيام؟",
     "现在是{weekday}，再过{days}天会是星期几？请写出如“星期一”的名称。",
     "It is {weekday} today. What weekday will it be after {days} more days? Write the name of the "
     "day.",
     "Es ist {weekday}. Welcher Wochentag ist nach weiteren {days} Tagen? Schreibe den Namen des "
     "Tages.",
     "आज का वार {weekday} है। {days} दिन और बीतने पर कौन-सा वार होगा? वार का नाम बताइए।",
     "Sekarang hari {weekday}. Hari apa setelah {days} hari berlalu? Tulis nama harinya."},
    {"عيد ميلاد سامي بعد {days} من الأيام، واليوم هو {weekday}. في أي يوم من الأسبوع يكون؟ أجب "
     "باسم اليوم.",
     "小明的生日在{days}天后，今天是{weekday}。生日那天是星期几？请回答如“星期一”的名称。",
     "Sam's birthday is in {days} days and today is {weekday}. Which day of the week is his "
     "birthday? Answer with its name.",
     "Sam hat in {days} Tagen Geburtstag, und heute ist {weekday}. Auf welchen Wochentag fällt der "
     "Geburtstag? Antworte mit seinem Namen.",
     "सोनू का जन्मदिन {days} दिन बाद है और आज {weekday} है। जन्मदिन किस वार को है? वार का नाम लिखिए।",
     "Ulang tahun Sami {days} hari lagi dan hari ini {weekday}. Hari apa ulang tahunnya? Jawab "
     "dengan nama hari."},
    {"تقدّم {days} من الأيام بعد يوم {weekday}. إلى أي يوم من الأسبوع تصل؟ اكتب اسم اليوم.",
     "从{weekday}往后推{days}天，是星期几？请回答如“星期一”的名称。",
     "Go {days} days forward from a {weekday}. Which weekday do you reach? Write its name.",
     "Gehe von einem {weekday} aus {days} Tage weiter. Bei welchem Wochentag kommst du an? "
     "Schreibe seinen Namen.",
     "{weekday} से {days} दिन आगे बढ़िए। कौन-सा वार मिलेगा? उसका नाम लिखिए।",
     "Maju {days} hari dari hari {weekday}. Sampai di hari apa? Tulis nama harinya."},
    {"تبدأ دورة يوم {weekday} ويكون امتحانها بعد {days} من الأيام من بدايتها. في أي يوم من الأسبوع "
     "يكون الامتحان؟ أجب باسم اليوم.",
     "课程{weekday}开始，开始后{days}天考试。考试那天是星期几？请回答如“星期一”的名称。",
     "A course starts on a {weekday} and its exam is {days} days after that. On which weekday is "
     "the exam? Give its name.",
     "Ein Kurs beginnt an einem {weekday}, die Prüfung ist {days} Tage danach. An welchem "
     "Wochentag ist die Prüfung? Nenne seinen Namen.",
     "एक कोर्स {weekday} को शुरू होता है और परीक्षा उसके {days} दिन बाद है। परीक्षा किस वार को है? वार का "
     "नाम बताइए।",
     "Sebuah kursus mulai hari {weekday} dan ujiannya {days} hari setelahnya. Pada hari apa ujian "
     "itu? Sebutkan nama harinya."},
    {"ما يوم الأسبوع الذي يلي يوم {weekday} بعدد {days} من الأيام؟ اكتب الاسم فقط.",
     "{weekday}过{days}天是星期几？只写如“星期一”的名称。",
     "What weekday comes {days} days after {weekday}? Write only its name.",
     "Welcher Wochentag kommt {days} Tage nach {weekday}? Schreibe nur den Namen.",
     "{weekday} के {days} दिन बाद कौन-सा वार आता है? केवल वार का नाम लिखिए।",
     "Hari apa yang datang {days} hari setelah hari {weekday}? Tulis namanya saja."},
    {"زارت ليلى صديقتها يوم {weekday} ثم زارتها مرة أخرى بعد {days} من الأيام. ما اسم يوم الزيارة "
     "الثانية؟",
     "小丽{weekday}看望朋友，{days}天后又去了一次。第二次是星期几？请回答如“星期一”的名称。",
     "Lena visits a friend on a {weekday} and again {days} days later. What is the name of the "
     "weekday of her second visit?",
     "Lena besucht eine Freundin an einem {weekday} und {days} Tage später noch einmal. Wie heißt "
     "der Wochentag des zweiten Besuchs?",
     "लीना {weekday} को अपनी सहेली से मिली और {days} दिन बाद फिर मिली। दूसरी बार वह किस वार को मिली? "
     "उसका नाम क्या है?",
     "Lina menemui temannya hari {weekday} dan sekali lagi {days} hari kemudian. Apa nama hari "
     "pertemuan kedua itu?"},
    {"غادرت سفينة يوم {weekday}، وستغادر السفينة التالية بعد {days} من الأيام. ما اسم يوم الأسبوع "
     "الذي تغادر فيه السفينة التالية؟",
     "一艘船{weekday}出发，下一艘{days}天后出发。写出下一艘出发那天是星期几，如“星期一”。",
     "A ship left on a {weekday}; the next one leaves {days} days after it. Name the weekday on "
     "which the next ship leaves.",
     "Ein Schiff fuhr an einem {weekday} ab, das nächste fährt {days} Tage danach ab. Nenne den "
     "Wochentag, an dem das nächste Schiff abfährt.",
     "एक जहाज़ {weekday} को निकला और अगला उसके {days} दिन बाद निकलेगा। अगला जहाज़ जिस वार को निकलेगा, "
     "उस वार का नाम लिखिए।",
     "Sebuah kapal berangkat hari {weekday}, kapal berikutnya berangkat {days} hari setelahnya. "
     "Sebutkan nama hari kapal berikutnya berangkat."},
    {"تبدأ دورة بعد {days} من الأيام، واليوم هو {weekday}. اكتب اسم يوم الأسبوع الذي تبدأ فيه.",
     "课程{days}天后开始，今天是{weekday}。写出开始那天是星期几，如“星期一”。",
     "A course starts in {days} days and today is {weekday}. Name the weekday on which it starts.",
     "Ein Kurs beginnt in {days} Tagen, und heute ist {weekday}. Nenne den Wochentag, an dem er "
     "beginnt.",
     "एक कोर्स {days} दिन बाद शुरू होगा और आज {weekday} है। वह किस वार को शुरू होगा? वार का नाम बताइए।",
     "Sebuah kursus mulai {days} hari lagi dan hari ini {weekday}. Sebutkan nama hari kursus itu "
     "mulai."},
    {"سافرت ليلى يوم {weekday} وعادت بعد {days} من الأيام. في أي يوم من الأسبوع عادت؟ اكتب اسم "
     "اليوم.",
     "小丽{weekday}出发，{days}天后回来。回来那天是星期几？请写出如“星期一”的名称。",
     "Lena leaves on a {weekday} and comes back {days} days later. On which weekday does she come "
     "back? Write its name.",
     "Lena fährt an einem {weekday} ab und kommt {days} Tage später zurück. An welchem Wochentag "
     "kommt sie zurück? Schreibe seinen Namen.",
     "लीना {weekday} को निकलती है और {days} दिन बाद लौटती है। वह किस वार को लौटेगी? वार का नाम लिखिए।",
     "Lina berangkat hari {weekday} dan kembali {days} hari kemudian. Pada hari apa ia kembali? "
     "Tulis nama harinya."},
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
    {"يُفتح متجر في {date} ويُغلق بعد {days} من الأيام. في أي تاريخ يُغلق؟ اكتبه بالصيغة YYYY-MM-DD.",
     "一家商店{date}开业，{days}天后关门。哪天关门？请按 YYYY-MM-DD 写出。",
     "A shop opens on {date} and closes {days} days after that. On which date does it close? Write "
     "it as YYYY-MM-DD.",
     "Ein Laden öffnet am {date} und schließt {days} Tage danach. An welchem Datum schließt er? "
     "Schreibe es in der Form YYYY-MM-DD.",
     "एक दुकान {date} को खुलती है और उसके {days} दिन बाद बंद होती है। वह किस तारीख को बंद होगी? "
     "YYYY-MM-DD रूप में लिखिए।",
     "Sebuah toko dibuka {date} dan ditutup {days} hari setelahnya. Tanggal berapa toko itu "
     "ditutup? Tulis dalam bentuk YYYY-MM-DD."},
    {"تقدّم {days} من الأيام بعد {date}. إلى أي تاريخ تصل؟ أجب بالصيغة YYYY-MM-DD.",
     "从{date}往后推{days}天，是几月几日？请按 YYYY-MM-DD 回答。",
     "Go {days} days forward from {date}. Which date do you reach? Answer as YYYY-MM-DD.",
     "Gehe vom {date} aus {days} Tage weiter. Bei welchem Datum kommst du an? Antworte in der Form "
     "YYYY-MM-DD.",
     "{date} से {days} दिन आगे बढ़िए। कौन-सी तारीख मिलेगी? YYYY-MM-DD रूप में लिखिए।",
     "Maju {days} hari dari {date}. Sampai di tanggal berapa? Jawab dalam bentuk YYYY-MM-DD."},
    {"سافرت ليلى في {date} وعادت بعد {days} من الأيام. متى عادت؟ أجب بالصيغة YYYY-MM-DD.",
     "小丽{date}出发，{days}天后回来。她哪天回来？请按 YYYY-MM-DD 回答。",
     "Lena leaves on {date} and comes back {days} days later. When does she come back? Answer as "
     "YYYY-MM-DD.",
     "Lena fährt am {date} ab und kommt {days} Tage später zurück. Wann kommt sie zurück? Antworte "
     "in der Form YYYY-MM-DD.",
     "लीना {date} को निकलती है और {days} दिन बाद लौटती है। वह कब लौटेगी? YYYY-MM-DD रूप में लिखिए।",
     "Lina berangkat {date} dan kembali {days} hari kemudian. Kapan ia kembali? Jawab dalam bentuk "
     "YYYY-MM-DD."},
    {"أُرسلت رسالة في {date} ووصلت بعد {days} من الأيام. متى وصلت؟ اكتب التاريخ بالصيغة YYYY-MM-DD.",
     "一封信{date}寄出，{days}天后到达。哪天到达？请按 YYYY-MM-DD 写出日期。",
     "A letter was sent on {date} and arrived {days} days later. When did it arrive? Write the "
     "date as YYYY-MM-DD.",
     "Ein Brief wurde am {date} verschickt und kam {days} Tage später an. Wann kam er an? Schreibe "
     "das Datum in der Form YYYY-MM-DD.",
     "एक चिट्ठी {date} को भेजी गई और {days} दिन बाद पहुँची। वह कब पहुँची? तारीख YYYY-MM-DD रूप में लिखिए।",
     "Sebuah surat dikirim {date} dan tiba {days} hari kemudian. Kapan surat itu tiba? Tulis "
     "tanggalnya dalam bentuk YYYY-MM-DD."},
    {"اليوم هو {date} وعيد ميلاد سامي بعد {days} من الأيام. ما تاريخ عيد ميلاده بالصيغة "
     "YYYY-MM-DD؟",
     "今天是{date}，小明的生日在{days}天后。他的生日是哪天？请按 YYYY-MM-DD 回答。",
     "Today is {date} and Sam's birthday is in {days} days. What is the date of his birthday, as "
     "YYYY-MM-DD?",
     "Heute ist der {date}, und Sam hat in {days} Tagen Geburtstag. An welchem Datum ist das, in "
     "der Form YYYY-MM-DD?",
     "आज {date} है और सोनू का जन्मदिन {days} दिन बाद है। जन्मदिन की तारीख YYYY-MM-DD रूप में बताइए।",
     "Hari ini {date} dan ulang tahun Sami {days} hari lagi. Tanggal berapa ulang tahunnya, dalam "
     "bentuk YYYY-MM-DD?"},
    {"يبدأ معرض في {date} وينتهي بعد {days} من الأيام. في أي تاريخ ينتهي؟ أجب بالصيغة YYYY-MM-DD.",
     "一个展览{date}开幕，{days}天后闭幕。闭幕日期是哪天？请按 YYYY-MM-DD 回答。",
     "An exhibition begins on {date} and ends {days} days later. On which date does it end, as "
     "YYYY-MM-DD?",
     "Eine Ausstellung beginnt am {date} und endet {days} Tage später. An welchem Datum endet sie, "
     "in der Form YYYY-MM-DD?",
     "एक प्रदर्शनी {date} को शुरू होती है और {days} दिन बाद समाप्त होती है। वह किस तारीख को समाप्त होगी? "
     "YYYY-MM-DD रूप में बताइए।",
     "Sebuah pameran mulai {date} dan selesai {days} hari kemudian. Tanggal berapa pameran itu "
     "selesai, dalam bentuk YYYY-MM-DD?"},
    {"زُرعت بذرة في {date} ونبتت بعد {days} من الأيام. في أي تاريخ نبتت؟ اكتبه بالصيغة YYYY-MM-DD.",
     "一粒种子{date}种下，{days}天后发芽。发芽那天是几月几日？请按 YYYY-MM-DD 回答。",
     "A seed was planted on {date} and came up {days} days later. On which date did it come up? "
     "Answer as YYYY-MM-DD.",
     "Ein Samen wurde am {date} gepflanzt und keimte {days} Tage später. An welchem Datum keimte "
     "er? Antworte in der Form YYYY-MM-DD.",
     "एक बीज {date} को लगाया गया और {days} दिन बाद उगा। वह किस तारीख को उगा? YYYY-MM-DD रूप में "
     "लिखिए।",
     "Sebuah benih ditanam {date} dan tumbuh {days} hari kemudian. Tanggal berapa benih itu "
     "tumbuh? Jawab dalam bentuk YYYY-MM-DD."},
    {"إذا كان اليوم {date}، فماذا سيكون التاريخ بعد مرور {days} من الأيام؟ الصيغة: YYYY-MM-DD.",
     "如果今天是{date}，过了{days}天以后是几月几日？格式：YYYY-MM-DD。",
     "If today is {date}, which date is it when {days} days have passed? Form: YYYY-MM-DD.",
     "Wenn heute der {date} ist, welches Datum ist es, wenn {days} Tage vergangen sind? Form: "
     "YYYY-MM-DD.",
     "यदि आज {date} है, तो {days} दिन बीतने पर कौन-सी तारीख होगी? रूप: YYYY-MM-DD।",
     "Jika hari ini {date}, tanggal berapa setelah {days} hari berlalu? Bentuk: YYYY-MM-DD."},
    {"تبدأ دورة في {date} ويكون امتحانها بعد {days} من الأيام من بدايتها. في أي تاريخ يكون "
     "الامتحان؟ اكتبه بالصيغة YYYY-MM-DD.",
     "课程{date}开始，开始后{days}天考试。考试是哪天？请按 YYYY-MM-DD 写出。",
     "A course starts on {date} and its exam is {days} days after that. On which date is the exam? "
     "Write it as YYYY-MM-DD.",
     "Ein Kurs beginnt am {date}, die Prüfung ist {days} Tage danach. An welchem Datum ist die "
     "Prüfung? Schreibe es in der Form YYYY-MM-DD.",
     "एक कोर्स {date} को शुरू होता है और परीक्षा उसके {days} दिन बाद है। परीक्षा किस तारीख को है? "
     "YYYY-MM-DD रूप में लिखिए।",
     "Sebuah kursus mulai {date} dan ujiannya {days} hari setelahnya. Tanggal berapa ujian itu? "
     "Tulis dalam bentuk YYYY-MM-DD."},
    {"احسب التاريخ الذي يأتي بعد {date} بعدد {days} من الأيام. اكتبه بالصيغة YYYY-MM-DD.",
     "计算{date}过{days}天以后的日期，按 YYYY-MM-DD 写出。",
     "Work out the date that comes {days} days after {date}. Write it as YYYY-MM-DD.",
     "Berechne das Datum, das {days} Tage nach dem {date} kommt. Schreibe es in der Form "
     "YYYY-MM-DD.",
     "{date} के {days} दिन बाद आने वाली तारीख निकालिए और YYYY-MM-DD रूप में लिखिए।",
     "Hitung tanggal yang jatuh {days} hari setelah {date}. Tulis dalam bentuk YYYY-MM-DD."},
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
