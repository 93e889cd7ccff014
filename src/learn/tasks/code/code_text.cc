#include "learn/tasks/code/code_text.h"

namespace minke::code_text {

const std::array<Phrase, 4> kTrace = {{
    {"ماذا يطبع هذا البرنامج؟", "这个程序输出什么？", "What does this program print?",
     "Was gibt dieses Programm aus?", "यह प्रोग्राम क्या छापता है?", "Apa keluaran program ini?"},
    {"اكتب مخرجات هذا البرنامج:", "写出下面程序的输出：",
     "Give the output of this program:", "Gib die Ausgabe dieses Programms an:",
     "इस प्रोग्राम का आउटपुट लिखिए:", "Tulis keluaran program ini:"},
    {"نفّذ البرنامج خطوة خطوة. ما الذي يظهر؟", "逐步执行程序，会显示什么？",
     "Run the program step by step. What appears?",
     "Führe das Programm Schritt für Schritt aus. Was erscheint?",
     "प्रोग्राम को कदम-कदम पर चलाइए। क्या दिखाई देगा?",
     "Jalankan program langkah demi langkah. Apa yang muncul?"},
    {"ما ناتج تشغيل هذه الشيفرة؟", "运行这段代码的结果是什么？",
     "What is the result of running this code?", "Was ist das Ergebnis, wenn dieser Code läuft?",
     "यह कोड चलाने पर क्या परिणाम मिलेगा?", "Apa hasil menjalankan kode ini?"},
}};

const std::array<Phrase, 4> kComplete = {{
    {"أي {what} يجب أن يحل محل ___ في هذا البرنامج؟", "程序中的 ___ 应该是什么{what}？",
     "Which {what} belongs in place of ___ in this program?",
     "Welche {what} gehört in diesem Programm an die Stelle von ___?",
     "इस प्रोग्राम में ___ की जगह कौन-सा {what} आएगा?",
     "Apa {what} yang menggantikan ___ dalam program ini?"},
    {"أكمل البرنامج: ينقصه {what} في موضع ___.", "补全程序：___ 处缺少一个{what}。",
     "Complete the program: the {what} at ___ is missing.",
     "Vervollständige das Programm: Bei ___ fehlt die {what}.",
     "प्रोग्राम पूरा कीजिए: ___ पर {what} नहीं है।", "Lengkapi program ini: {what} di ___ hilang."},
    {"اكتب {what} بدل ___ ليعطي البرنامج المخرجات المطلوبة.",
     "写出代替 ___ 的{what}，使程序得到要求的输出。",
     "Write the {what} for ___ that gives the wanted output.",
     "Schreibe für ___ die {what}, die zur gewünschten Ausgabe führt.",
     "___ के लिए वह {what} लिखिए जिससे चाहा गया आउटपुट मिले।",
     "Tulis {what} untuk ___ yang memberi keluaran yang diminta."},
    {"في البرنامج فراغ ___. ضع مكانه {what} مناسبًا.", "程序里有一个空 ___，请填入合适的{what}。",
     "The program has a gap ___. Fill in a fitting {what}.",
     "Das Programm hat eine Lücke ___. Setze eine passende {what} ein.",
     "प्रोग्राम में ___ खाली है। वहाँ सही {what} भरिए।",
     "Program ini punya bagian kosong ___. Isi dengan {what} yang cocok."},
}};

const Phrase kExpression = {"تعبير", "表达式", "expression", "Formel", "व्यंजक", "ekspresi"};
const Phrase kLine = {"سطر", "语句", "line", "Zeile", "कथन", "baris"};
const Phrase kWanted = {"المخرجات المطلوبة:",  "要求的输出：",    "Wanted output:",
                        "Gewünschte Ausgabe:", "चाहा गया आउटपुट:", "Keluaran yang diminta:"};

const Phrase kSteps = {"خطوة خطوة:",           "逐步：",      "Step by step:",
                       "Schritt für Schritt:", "कदम-कदम पर:", "Langkah demi langkah:"};
const Phrase kPrints = {"يطبع", "输出", "It prints", "Ausgabe:", "आउटपुट:", "Tercetak"};
const Phrase kTry = {"المطلوب", "要求", "Wanted", "Gewünscht", "चाहिए", "Diminta"};
const Phrase kMiss = {"لا", "不对", "no", "nein", "नहीं", "bukan"};
const Phrase kHit = {"نعم", "对", "yes", "ja", "हाँ", "ya"};

}  // namespace minke::code_text
