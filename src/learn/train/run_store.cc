#include "learn/train/run_store.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/core/atomic_file.h"
#include "base/core/error.h"
#include "base/core/mapped_file.h"
#include "learn/train/checkpoint_files.h"
#include "model/formats/open_checkpoint.h"

namespace minke {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFolder = "checkpoints";
constexpr const char* kModelPart = "model";
constexpr const char* kAdapterPart = "adapter";
constexpr const char* kRecipe = "recipe.toml";
constexpr const char* kLock = "run.lock";
constexpr std::string_view kPrefix = "step-";
// What is not whole, or about to go. No checkpoint has such a name.
constexpr std::string_view kUnfinished = ".tmp";
// Behind the name of a checkpoint that resuming passed over.
constexpr std::string_view kDamaged = ".damaged";

std::string name_of(int64_t step) {
  return fmt::format("{}{:08}", kPrefix, step);
}

// The step of a checkpoint's folder; empty for other names.
std::optional<int64_t> step_of(const std::string& name) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  const std::string digits = name.substr(kPrefix.size());
  if (digits.size() < 8 || digits.size() > 18 ||
      digits.find_first_not_of("0123456789") != std::string::npos) {
    return std::nullopt;
  }
  return std::stoll(digits);
}

// Steps of all checkpoints whose names end with `mark` (without one: whole or not), in ascending
// order.
std::vector<int64_t> saved_steps(const fs::path& run, std::string_view mark = "") {
  std::vector<int64_t> steps;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(run / kFolder, error)) {
    std::string name = entry.path().filename().string();
    if (!name.ends_with(mark)) continue;
    name.resize(name.size() - mark.size());
    if (const auto step = step_of(name)) steps.push_back(*step);
  }
  std::ranges::sort(steps);
  return steps;
}

// What a write that was cut off has left: a checkpoint, or a file with AtomicFile's six hexadecimal
// digits before the end of its name. Others may have names of their own that end so.
bool is_leftover(std::string name) {
  if (!name.ends_with(kUnfinished)) return false;
  name.resize(name.size() - kUnfinished.size());
  if (name.starts_with(kPrefix)) return true;
  const size_t dot = name.rfind('.');
  return dot != std::string::npos && name.size() - dot == 7 &&
         name.find_first_not_of("0123456789abcdef", dot + 1) == std::string::npos;
}

// A run may begin where nothing is, and go on where one began; everything else is somebody's.
void require_run_or_room(const fs::path& folder) {
  std::error_code error;
  if (fs::exists(folder / kLock, error)) return;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (name == kFolder && fs::is_empty(entry.path(), error)) continue;  // cut off at its beginning
    fail(folder.string(),
         "expected a new or empty folder, or that of a run (with run.lock), found \"{}\" in it",
         printable(name));
  }
}

[[noreturn]] void fail_to(const char* what, const fs::path& path, const std::string& why) {
  fail(path.string(), "cannot {}: {}", what, why);
}

void make_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) fail_to("create the folder", path, error.message());
}

// Brings the names in a folder to disk.
void sync_folder(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) fail_to("open", path, std::strerror(errno));
  const bool lost = ::fsync(fd) != 0 && (errno == EIO || errno == ENOSPC || errno == EDQUOT);
  const int error = errno;
  ::close(fd);
  if (lost) fail_to("bring to disk", path, std::strerror(error));
}

// First takes the name away at once, so that a checkpoint is never there in part.
void remove_checkpoint(const fs::path& path) {
  fs::path doomed = path;
  doomed += kUnfinished;
  std::error_code error;
  fs::remove_all(doomed, error);
  fs::rename(path, doomed, error);
  if (!error) fs::remove_all(doomed, error);
  if (error) fail_to("remove", path, error.message());
}

// Throws Error unless `folder` is a whole checkpoint of the step.
SavedRun whole_checkpoint(const fs::path& folder, int64_t step) {
  verify_checkpoint_files(folder);
  SavedRun saved = {folder, read_run_state(folder)};
  if (saved.state.step != step) {
    fail(folder.string(), "expected the state of step {}, found that of step {}", step,
         saved.state.step);
  }
  return saved;
}

void copy_tensor(const Checkpoint& from, const std::string& name, Tensor& to) {
  const auto found = from.find(name);
  if (!found) fail(from.source(), "tensor '{}': missing", printable(name));
  if (found->type != DType::kF32 || found->shape != to.shape) {
    fail(from.source(), "tensor '{}': expected F32 {}, found {} {}", printable(name),
         to.shape.to_string(), dtype_name(found->type), found->shape.to_string());
  }
  std::memcpy(to.data, found->data, static_cast<size_t>(to.bytes()));
}

Checkpoint open_tensors(const fs::path& file) {
  Checkpoint checkpoint(Naming::kHuggingFace, Metadata(file.string()));
  read_safetensors(file, checkpoint);
  return checkpoint;
}

void require_count(const Checkpoint& checkpoint, size_t expected) {
  if (checkpoint.tensor_count() == expected) return;
  fail(checkpoint.source(), "expected {} tensors, found {}", expected, checkpoint.tensor_count());
}

}  // namespace

RunStore::RunStore(const fs::path& folder, const std::string& recipe_toml) : folder_(folder) {
  require_run_or_room(folder_);
  make_folder(folder_ / kFolder);
  lock();
  try {
    if (fs::exists(folder_ / kRecipe)) {
      require_recipe(recipe_toml);
      remove_leftovers();
    } else {
      remove_leftovers();
      AtomicFile file(folder_ / kRecipe);
      file.write(recipe_toml);
      file.commit();
    }
  } catch (...) {
    ::close(lock_);
    throw;
  }
}

RunStore::~RunStore() {
  ::close(lock_);
}

void RunStore::lock() {
  const fs::path path = folder_ / kLock;
  lock_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (lock_ < 0) fail_to("open", path, std::strerror(errno));
  if (::flock(lock_, LOCK_EX | LOCK_NB) == 0) return;
  const int error = errno;
  ::close(lock_);
  if (error == EWOULDBLOCK) {
    fail(folder_.string(), "expected a run that nobody works on, found another process at it");
  }
  fail_to("lock", path, std::strerror(error));
}

void RunStore::require_recipe(const std::string& recipe_toml) const {
  const fs::path path = folder_ / kRecipe;
  if (read_text_file(path) == recipe_toml) return;
  fail(path.string(),
       "expected the recipe that this run began with, found a change; "
       "a run with another recipe needs another folder");
}

void RunStore::remove_leftovers() const {
  const auto clean = [](const fs::path& in) {
    if (!fs::exists(in)) return;
    std::error_code error;
    std::vector<fs::path> leftovers;
    for (const auto& entry : fs::directory_iterator(in, error)) {
      if (is_leftover(entry.path().filename().string())) leftovers.push_back(entry.path());
    }
    for (const fs::path& path : leftovers) fs::remove_all(path, error);
    if (error) fail_to("remove what a cut-off write left", in, error.message());
  };
  clean(folder_);
  for (const char* part : {kFolder, kModelPart, kAdapterPart}) clean(folder_ / part);
}

std::optional<SavedRun> RunStore::resume(const Warn& warn) {
  auto saved = latest_checkpoint(folder_, warn);
  if (!saved && !(saved_steps(folder_).empty() && saved_steps(folder_, kDamaged).empty())) {
    fail((folder_ / kFolder).string(),
         "expected a whole checkpoint to go on with, found damaged ones only; "
         "to begin anew, take another folder or remove this one");
  }
  for (const int64_t step : saved_steps(folder_)) {
    if (saved && step <= saved->state.step) continue;
    const fs::path from = folder_ / kFolder / name_of(step);
    fs::path to = from;
    to += kDamaged;
    std::error_code error;
    fs::remove_all(to, error);
    fs::rename(from, to, error);
    if (error) fail_to("rename", from, error.message());
  }
  return saved;
}

SavedRun RunStore::checkpoint(int64_t step) const {
  return whole_checkpoint(folder_ / kFolder / name_of(step), step);
}

void RunStore::save(const RunState& state, std::span<const Parameter> parameters,
                    Optimizer& optimizer, int64_t keep, std::optional<int64_t> best) {
  const fs::path checkpoints = folder_ / kFolder;
  const fs::path final_path = checkpoints / name_of(state.step);
  if (fs::exists(final_path)) {
    // The state of a step is the same however often it is reached; a damaged one makes room.
    try {
      verify_checkpoint_files(final_path);
      return;
    } catch (const Error&) {
      remove_checkpoint(final_path);
    }
  }
  fs::path unfinished = final_path;
  unfinished += kUnfinished;
  std::error_code error;
  fs::remove_all(unfinished, error);
  make_folder(unfinished);
  try {
    write_checkpoint_files(unfinished, state, parameters, optimizer);
    sync_folder(unfinished);
    fs::rename(unfinished, final_path, error);
    if (error) fail_to("rename", unfinished, error.message());
    sync_folder(checkpoints);
  } catch (...) {
    fs::remove_all(unfinished, error);
    throw;
  }
  prune(state.step, keep, best);
}

void RunStore::prune(int64_t last, int64_t keep, std::optional<int64_t> best) const {
  std::vector<int64_t> whole;
  const std::vector<int64_t> steps = saved_steps(folder_);
  for (const int64_t step : steps) {
    // One that is ahead of the run is of no use to it, whatever it holds.
    if (step > last) break;
    try {
      // The files that a state stands beside were whole when it got its name; damage that came
      // later is found by who resumes.
      read_run_state(folder_ / kFolder / name_of(step));
      whole.push_back(step);
    } catch (const Error&) {
      continue;
    }
  }
  if (static_cast<int64_t>(whole.size()) <= keep) return;
  const int64_t oldest = whole[whole.size() - static_cast<size_t>(keep)];
  for (const int64_t step : steps) {
    if (step < oldest && step != best) remove_checkpoint(folder_ / kFolder / name_of(step));
  }
  for (const int64_t step : saved_steps(folder_, kDamaged)) {
    fs::path damaged = folder_ / kFolder / name_of(step);
    damaged += kDamaged;
    if (step < oldest) remove_checkpoint(damaged);
  }
}

std::optional<SavedRun> latest_checkpoint(const fs::path& run, const Warn& warn) {
  std::vector<int64_t> steps = saved_steps(run);
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    const fs::path folder = run / kFolder / name_of(*step);
    try {
      return whole_checkpoint(folder, *step);
    } catch (const Error& error) {
      warn(fmt::format("a damaged checkpoint is passed over: {}", error.what()));
    }
  }
  return std::nullopt;
}

void restore_checkpoint(const SavedRun& saved, std::span<Parameter> parameters,
                        Optimizer& optimizer) {
  const Checkpoint weights = open_tensors(saved.folder / kWeightsFile);
  require_count(weights, parameters.size());
  for (Parameter& p : parameters) copy_tensor(weights, p.name, p.master);
  const Checkpoint states = open_tensors(saved.folder / kOptimizerFile);
  size_t count = 0;
  optimizer.visit_state([&](const std::string& name, Tensor& state) {
    copy_tensor(states, name, state);
    ++count;
  });
  require_count(states, count);
}

}  // namespace minke
