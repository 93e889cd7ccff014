#include "learn/tasks/words/known_words.h"

#include <functional>
#include <string>
#include <unordered_map>
#include <utility>

#include "learn/tasks/words/words.h"

namespace minke {
namespace {

// Enough for nearly all that the wordings of a task hold.
constexpr uint64_t kProblems = 40;  // of each task, language and level

// Frequent words that reasoning in each language is made of, those of several in each of them.
constexpr std::pair<Language, std::string_view> kFrequent[] = {
    {Language::kEnglish,
     "the of and to in is that it for was on are as with be at this have from or an not by we but "
     "so if then they which you has had were their there what can will would each all one two "
     "first now need because since must do does how many much than more less also am let us find "
     "answer therefore result"},
    {Language::kGerman,
     "der die das und ist in zu den mit von für auf ein eine einen einem einer nicht es sich auch "
     "als an er sie wir ich man so dann aus bei wie nach im am um dem des sind war wird werden "
     "haben hat wenn aber oder noch nur über durch also weil da jetzt zuerst muss müssen kann "
     "können will alle was antwort daher ergebnis"},
    {Language::kIndonesian,
     "yang dan di ke dari ini itu untuk dengan pada adalah tidak akan juga dalam oleh karena ada "
     "saya kita kami kamu ia dia mereka atau bisa dapat harus sudah telah jadi maka lalu kemudian "
     "jika kalau bila agar lebih kurang semua setiap tiap satu dua pertama sekarang berapa apa "
     "sebagai saat seperti hanya masih bukan ya jawaban hasil jumlah"},
};

struct Hash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};
using KnownWords = std::unordered_map<std::string, KnownIn, Hash, std::equal_to<>>;

void learn(KnownWords& known, Language language, std::string_view text) {
  WordReader reader(text);
  while (auto word = reader.next()) {
    if (word->script == Script::kLatin && word->letters > 1) {
      known[std::move(word->folded)].add(language);
    }
  }
}

KnownWords learned() {
  KnownWords known;
  for (const auto& [language, words] : kFrequent) {
    learn(known, language, words);
    for (const Task* task : all_tasks()) {
      for (int level = 1; level <= task->levels(); ++level) {
        for (uint64_t seed = 0; seed < kProblems; ++seed) {
          Rng rng(seed);
          const Problem problem = task->make(language, level, Split::kTrain, rng);
          learn(known, language, problem.question);
          learn(known, language, problem.reasoning);
        }
      }
    }
  }
  return known;
}

}  // namespace

KnownIn known_in(std::string_view folded_word) {
  static const KnownWords known = learned();
  const auto found = known.find(folded_word);
  return found == known.end() ? KnownIn() : found->second;
}

}  // namespace minke
