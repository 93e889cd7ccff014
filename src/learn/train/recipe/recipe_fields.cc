#include "learn/train/recipe/recipe_visitor.h"

namespace minke {
namespace {

constexpr int64_t kMany = 1'000'000'000'000;

constexpr std::string_view kLanguageCodes[] = {"ar", "zh", "en", "de", "hi", "id"};
constexpr std::string_view kForms[] = {"text", "chat"};
constexpr std::string_view kOptimizers[] = {"adamw", "muon"};
constexpr std::string_view kSchedules[] = {"constant", "cosine", "wsd"};
constexpr std::string_view kDecays[] = {"linear", "1-sqrt"};
constexpr std::string_view kAdvantages[] = {"mean", "mean-and-deviation"};
constexpr std::string_view kNormalizers[] = {"constant", "tokens", "reply"};
constexpr std::string_view kPrecisions[] = {"f32", "bf16"};
constexpr std::string_view kModelChoices[] = {"last", "best"};

// The names stand in the order of the enum's values.
template <typename Enum>
void choose(RecipeVisitor& v, const RecipeField& field, Enum& value,
            std::span<const std::string_view> names) {
  int index = static_cast<int>(value);
  v.choice(field, index, names);
  value = static_cast<Enum>(index);
}

void visit_data(RecipeVisitor& v, DataRecipe& data) {
  v.begin("data");
  v.tasks({"tasks",
           "kinds of problems: names, or tables `{ name, weight, levels }`; a name may come again "
           "with other levels",
           "needed, or `shards`"},
          data.tasks);
  v.texts({"shards", "files of tokens, in place of `tasks`", "needed, or `tasks`"}, data.shards,
          {});
  v.texts({"held_out", "files of tokens that are not trained on, to measure the loss of", "none"},
          data.held_out, {});
  v.texts({"languages", "of the problems", "all six"}, data.languages, kLanguageCodes);
  v.range({"levels", "easiest and hardest level of the problems", ""}, data.levels, 1, kMostLevel);
  choose(v, {"form", "problems as plain text or as turns of a chat", ""}, data.form, kForms);
  v.integer({"seed", "the same seed gives the same data", ""}, data.seed, 0, kMany);
  v.integer(
      {"context", "tokens of a packed sequence; for reinforcement, of a prompt and its reply", ""},
      data.context, 2, 1 << 20);
  v.integer({"batch_tokens", "tokens of a step; a multiple of `micro_batch_tokens`", ""},
            data.batch_tokens, 2, 1 << 26);
  v.integer({"micro_batch_tokens",
             "tokens that pass the model at once, which decides the memory; a multiple of "
             "`context`",
             ""},
            data.micro_batch_tokens, 2, 1 << 24);
  v.end();
}

void visit_optimizer(RecipeVisitor& v, Stage& stage) {
  OptimizerOptions& optimizer = stage.optimizer;
  v.begin("optimizer");
  choose(v,
         {"kind", "`muon` has AdamW for all but hidden matrices",
          "`\"muon\"`; with `[grpo]` `\"adamw\"`"},
         optimizer.kind, kOptimizers);
  v.number({"learning_rate", "at the peak of the schedule", "0.001; with `[grpo]` 3e-05"},
           stage.schedule.peak, 0, 10);
  v.pair({"betas", "how AdamW's two averages forget", "[0.9, 0.95]; with `[grpo]` [0.9, 0.99]"},
         optimizer.beta1, optimizer.beta2, 0, 0.999999);
  v.number({"epsilon", "of AdamW", ""}, optimizer.epsilon, 1e-30, 1);
  v.number({"weight_decay", "not of vectors", "0.1; with `[grpo]` 0"}, optimizer.weight_decay, 0,
           100);
  v.number({"momentum", "of Muon", ""}, optimizer.momentum, 0, 0.999999);
  v.number({"clip", "largest norm of a step's gradients", ""}, stage.clip, 1e-9, 1e9);
  v.end();
}

void visit_schedule(RecipeVisitor& v, Schedule& schedule) {
  v.begin("schedule");
  choose(v, {"kind", "`wsd`: warm-up, stable, decay", ""}, schedule.kind, kSchedules);
  v.integer({"steps", "of the stage", "needed"}, schedule.steps, 1, kMany);
  v.integer({"warmup_steps", "over which the rate rises from 0", ""}, schedule.warmup_steps, 0,
            kMany);
  v.number({"decay_fraction", "the share of the steps that decays, of `wsd`", ""},
           schedule.decay_fraction, 0, 1);
  choose(v, {"decay", "the shape of the decay of `wsd`", ""}, schedule.decay, kDecays);
  v.number({"floor", "the last rate as a share of the first after the warm-up", ""}, schedule.floor,
           0, 1);
  v.end();
}

void visit_grpo(RecipeVisitor& v, GrpoRecipe& grpo) {
  v.begin("grpo");
  v.text({"questions",
          "a file of questions with answers, as `minke eval --format checked` reads it; "
          "`data.tasks` are then only measured with",
          "none"},
         grpo.questions);
  v.integer({"prompts", "questions of a step whose replies differ in reward", ""}, grpo.prompts, 1,
            1 << 20);
  v.integer({"group", "replies to each question", ""}, grpo.group, 2, 4096);
  v.integer({"reply_tokens", "most tokens of a reply, thinking included", ""}, grpo.reply_tokens, 2,
            1 << 20);
  v.integer({"slots", "replies that are sampled side by side", ""}, grpo.slots, 1, 4096);
  v.integer(
      {"updates", "optimizer steps that share the replies of a step; 1: strictly on-policy", ""},
      grpo.updates, 1, 1024);
  choose(v,
         {"advantage",
          "a reward less the mean of its group; or that over the group's standard deviation", ""},
         grpo.advantage, kAdvantages);
  choose(
      v,
      {"normalizer",
       "what a token's loss is divided by: a constant, all tokens of the update, or the tokens of "
       "its reply",
       ""},
      grpo.normalizer, kNormalizers);
  v.number({"clip_low", "how far below 1 a token's ratio of probabilities still teaches", ""},
           grpo.clip_low, 0, 1);
  v.number({"clip_high", "the same above 1", ""}, grpo.clip_high, 0, 1000);
  v.number({"kl", "weight of the divergence from the first model", ""}, grpo.kl, 0, 1000);
  v.flag({"mask_cut", "replies that the limit of tokens cut teach nothing", ""}, grpo.mask_cut);
  v.integer({"refill",
             "a step asks at most this many times its questions, to find those whose replies "
             "differ",
             ""},
            grpo.refill, 1, 1000);
  v.number(
      {"easy_share",
       "share of the questions that are taken again from those whose replies were all right", ""},
      grpo.easy_share, 0, 0.9);
  v.end();
}

void visit_rewards(RecipeVisitor& v, RewardWeights& rewards) {
  constexpr double kMost = 1000;
  v.begin("rewards");
  v.number({"accuracy", "1 for a well-formed reply with the right answer", ""}, rewards.accuracy, 0,
           kMost);
  v.number({"format", "1 for a well-formed reply: thinking, then one box", ""}, rewards.format, 0,
           kMost);
  v.number({"language",
            "of a right reply, the share of its thinking's words in the question's language", ""},
           rewards.language, 0, kMost);
  v.number({"length", "0, and down to -1 over the last fifth of `grpo.reply_tokens`", ""},
           rewards.length, 0, kMost);
  v.end();
}

}  // namespace

void visit_stage_sections(RecipeVisitor& v, Stage& stage) {
  visit_data(v, stage.data);
  visit_optimizer(v, stage);
  visit_schedule(v, stage.schedule);
  v.begin("router");
  v.number(
      {"bias_update_speed", "how far an expert's bias moves in a step", "0.001; with `[grpo]` 0"},
      stage.bias_update_speed, 0, 1);
  v.number({"balance_loss", "factor of the loss of unbalanced experts", ""}, stage.balance_loss, 0,
           10);
  v.end();
  v.begin("mtp");
  v.number({"weight", "of the loss of the second token ahead, if the model predicts it", ""},
           stage.mtp_weight, 0, 10);
  v.end();
}

void visit_run_sections(RecipeVisitor& v, Recipe& recipe) {
  v.begin("model");
  v.text({"from", "a model to train further", "none"}, recipe.model.from);
  v.others(
      {"any other",
       "a field of the Hugging Face `config.json` of a new model; with `from`, in the place of "
       "that model's own",
       "none"},
      recipe.model.config);
  v.end();
  v.begin("tokenizer");
  v.text({"path", "a folder with `tokenizer.json` and `tokenizer_config.json`, or the former",
          "needed; with `model.from`, the model's"},
         recipe.tokenizer);
  v.end();
  v.begin("precision");
  choose(v, {"type", "of products; sums and weights are always float32", ""}, recipe.precision,
         kPrecisions);
  v.end();
  v.begin("lora");
  v.integer({"rank", "of the adapters; 0 trains all weights", ""}, recipe.lora.rank, 0, 4096);
  v.number({"alpha", "the adapters count `alpha / rank`", ""}, recipe.lora.alpha, 1e-6, 1e6);
  v.texts({"targets", "names of the modules whose matrices get adapters, such as `q_proj`",
           "all matrices"},
          recipe.lora.targets, {});
  v.end();
  visit_grpo(v, recipe.grpo);
  visit_rewards(v, recipe.rewards);
  v.begin("evaluation");
  v.integer({"every", "steps between evaluations; 0: none", ""}, recipe.evaluation.every, 0, kMany);
  v.integer({"problems",
             "held-out problems of an evaluation; of a loss, a few more, so that micro-batches are "
             "full",
             ""},
            recipe.evaluation.problems, 1, 1 << 20);
  v.integer({"patience",
             "the run ends after so many evaluations of the last stage that are no better than one "
             "before; 0: never",
             ""},
            recipe.evaluation.patience, 0, kMany);
  v.end();
  v.begin("checkpoint");
  v.integer({"every_steps", "steps between checkpoints; 0: by time alone", ""},
            recipe.checkpoint.every_steps, 0, kMany);
  v.integer({"every_seconds", "seconds between checkpoints; 0: by steps alone", ""},
            recipe.checkpoint.every_seconds, 0, kMany);
  v.integer({"keep", "how many of the last ones stay", ""}, recipe.checkpoint.keep, 1, 10000);
  v.flag({"keep_best", "also keep the one that did best on held-out problems", ""},
         recipe.checkpoint.keep_best);
  v.end();
  v.begin("run");
  v.text({"output", "the folder of the run", "given on the command line"}, recipe.run.output);
  v.integer({"seed", "of the first weights, and of what reinforcement samples", ""},
            recipe.run.seed, 0, kMany);
  v.integer({"threads", "0: all cores", ""}, recipe.run.threads, 0, 1024);
  choose(
      v,
      {"model",
       "whose weights `RUN/model` gets: of the last step, or of the one that did best on held-out "
       "problems in the last stage",
       ""},
      recipe.run.model, kModelChoices);
  v.flag({"recompute",
          "layers are computed once more for their gradients, in place of keeping what they "
          "computed: less memory, more time, the same bits",
          ""},
         recipe.run.recompute);
  v.end();
}

}  // namespace minke
