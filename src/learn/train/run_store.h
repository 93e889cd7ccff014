#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "learn/train/optimizer/optimizer.h"
#include "learn/train/parameter.h"

namespace minke {

// Where a run stands, besides its weights and the optimizer's state.
struct RunState {
  int64_t stage = 0;          // index in the recipe
  int64_t step = 0;           // done, of the whole run
  int64_t tokens = 0;         // trained on
  double seconds = 0;         // spent, over all sittings
  std::string cursor = "{}";  // a JSON object by which the data goes on
  // What was learned from, by name, and a hash of each: run_inputs.h.
  std::map<std::string, std::string> inputs = {};
};

// A checkpoint that was looked at and found whole.
struct SavedRun {
  std::filesystem::path folder;
  RunState state;
};

// Told what a user should know, such as which checkpoint is damaged.
using Warn = std::function<void(const std::string&)>;

// The folder of a run:
//   recipe.toml                  as the user wrote it
//   run.lock                     locked while somebody trains
//   log.jsonl                    run_log.h
//   checkpoints/step-00001200/   weights.safetensors, optimizer.safetensors (float32), state.json,
//                                manifest.json (bytes and XXH64 of each)
//
// A checkpoint is written to a folder with another name, brought to disk and renamed, so that it is
// there whole or not at all whenever the process or the machine stops. One whose bytes do not fit
// its manifest is passed over with a warning. Who goes on calls it step-00001200.damaged, so that
// it counts for nothing; it goes when it is older than all that are kept.
class RunStore {
 public:
  // Begins a run in a new or empty folder, or takes up the one that is there, if its recipe is
  // `recipe_toml`. Takes away what a write that was cut off left behind. Throws Error, and changes
  // nothing, if the folder holds something else, somebody else trains there, or the recipe is
  // another one; also if the folder cannot be written.
  RunStore(const std::filesystem::path& folder, const std::string& recipe_toml);
  ~RunStore();
  RunStore(const RunStore&) = delete;
  RunStore& operator=(const RunStore&) = delete;

  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path log_path() const { return folder_ / "log.jsonl"; }

  // The checkpoint to go on with, as latest_checkpoint() finds it. Those that are passed over are
  // called damaged from now on. Throws Error if one cannot be renamed, or if there are some and
  // none is whole: a run must not begin anew over what is left of itself.
  std::optional<SavedRun> resume(const Warn& warn);
  // The checkpoint of a step. Throws Error that names the file if it is not there or not whole.
  SavedRun checkpoint(int64_t step) const;

  // Writes a checkpoint, then removes the ones that are older than the last `keep` up to its step,
  // but not that of the step `best`. Nothing is done if there is one of that step. Throws Error if
  // it cannot be written; the others are untouched then.
  void save(const RunState& state, std::span<const Parameter> parameters, Optimizer& optimizer,
            int64_t keep, std::optional<int64_t> best);

 private:
  void lock();
  void require_recipe(const std::string& recipe_toml) const;
  void remove_leftovers() const;
  void prune(int64_t last, int64_t keep, std::optional<int64_t> best) const;

  std::filesystem::path folder_;
  int lock_ = -1;
};

// The checkpoint of the highest step that is whole; empty if there is none. For readers too: needs
// no lock and changes nothing.
std::optional<SavedRun> latest_checkpoint(const std::filesystem::path& run, const Warn& warn);

// Fills the masters of the parameters and the optimizer's state. Throws Error that names the tensor
// if one is missing, has another shape, or is one too many.
void restore_checkpoint(const SavedRun& saved, std::span<Parameter> parameters,
                        Optimizer& optimizer);

}  // namespace minke
