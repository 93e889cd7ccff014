#include "model/convert/convert.h"

#include <algorithm>
#include <memory>

#include <fmt/core.h>

#include "base/core/error.h"
#include "math/quant/quant.h"
#include "model/convert/folder_files.h"
#include "model/convert/hugging_face_config.h"
#include "model/convert/hugging_face_tensors.h"
#include "model/convert/lora_adapter.h"
#include "model/families/bundle.h"
#include "model/families/gguf_config.h"
#include "model/families/gguf_tensors.h"
#include "model/formats/gguf_tokenizer.h"
#include "model/formats/write_checkpoint.h"

namespace minke {
namespace {

namespace fs = std::filesystem;

constexpr DType kFallbackFloat = DType::kBF16;

bool folder_holds(DType type) {
  return type == DType::kF32 || type == DType::kF16 || type == DType::kBF16;
}

// Counts of tensors that got another type than was asked for, by what the reason reads.
using Fallbacks = std::map<std::string, int64_t>;

// The type of a tensor in the destination.
DType written_type(const ListedTensor& t, const Conversion& conversion, bool gguf,
                   Fallbacks& fallbacks) {
  if (!t.is_matrix) return DType::kF32;
  const bool holds = gguf ? dtype_info(t.stored_type).ggml_id >= 0 : folder_holds(t.stored_type);
  if (!conversion.type && !holds) {
    ++fallbacks[fmt::format("{} in place of {}, which {} not hold", dtype_name(kFallbackFloat),
                            dtype_name(t.stored_type),
                            gguf ? "GGUF files do" : "Hugging Face folders do")];
    return kFallbackFloat;
  }
  const DType wanted = conversion.type.value_or(t.stored_type);
  const DType fitting = fitting_type(wanted, t.shape.last());
  if (fitting != wanted) {
    ++fallbacks[fmt::format("{} in place of {}: rows of {} values are no multiple of {}",
                            dtype_name(fitting), dtype_name(wanted), t.shape.last(),
                            dtype_info(wanted).block_elements)];
  }
  return fitting;
}

// The work of convert(), which its steps share.
class Converter {
 public:
  Converter(const Conversion& conversion, ThreadPool& pool,
            const std::function<void(int64_t, int64_t)>& progress)
      : conversion_(conversion), progress_(progress), bundle_(load_bundle(conversion.source)) {
    runner_ = [&pool](int64_t tasks, const std::function<void(int64_t)>& body) {
      pool.parallel_for(tasks, [&](int64_t task, int) { body(task); });
    };
    if (conversion.adapter) adapter_.emplace(*conversion.adapter);
    result_.gguf = is_gguf_name(conversion.destination);
    result_.parameters = count_parameters(*bundle_.model);
  }

  Converted run() {
    list_tensors();
    note_left_out();
    if (result_.gguf) {
      const Metadata metadata = gguf_header();
      require_space(fs::absolute(conversion_.destination).parent_path());
      write_gguf(conversion_.destination, metadata, tensors_);
    } else {
      write_folder();
    }
    return std::move(result_);
  }

 private:
  bool from_gguf() const { return bundle_.checkpoint.naming() == Naming::kGguf; }

  void list_tensors() {
    const WeightChanges* changes = adapter_ ? &*adapter_ : nullptr;
    auto listed = result_.gguf ? list_gguf_tensors(*bundle_.model, changes)
                               : list_hugging_face_tensors(*bundle_.model, changes);
    if (adapter_) {
      adapter_->require_all_used();
      result_.merged = adapter_->pairs();
    }
    const auto buffer = std::make_shared<std::vector<uint8_t>>();
    Fallbacks fallbacks;
    for (ListedTensor& t : listed) {
      const DType type = written_type(t, conversion_, result_.gguf, fallbacks);
      tensors_.push_back(
          encoded_tensor(std::move(t), type, bundle_.checkpoint.source(), buffer, runner_));
      add_progress(tensors_.back());
    }
    for (const auto& [reason, count] : fallbacks) {
      result_.notes.push_back(
          fmt::format("{} {} {}", count, count == 1 ? "tensor is" : "tensors are", reason));
    }
  }

  void add_progress(TensorToWrite& t) {
    const int64_t bytes = t.shape.rows() * row_bytes(t.type, t.shape.last());
    Converted::Total& total = result_.types[t.type];
    ++total.tensors;
    total.bytes += bytes;
    result_.bytes += bytes;
    t.bytes = [this, bytes, make = std::move(t.bytes)] {
      if (progress_) progress_(done_, result_.bytes);
      done_ += bytes;
      return make();
    };
  }

  void note_left_out() {
    const std::string next =
        fmt::format("{}{}.", from_gguf() ? "blk." : "model.layers.", bundle_.model->facts().layers);
    for (const auto& [name, tensor] : bundle_.checkpoint.tensors()) {
      if (!name.starts_with(next)) continue;
      result_.notes.emplace_back("layers of multi-token prediction are left out");
      break;
    }
    if (bundle_.tokenizer == nullptr) {
      result_.notes.push_back("no tokenizer: the source comes without one");
    }
  }

  Metadata gguf_header() {
    const Metadata& source = bundle_.checkpoint.metadata();
    Metadata metadata =
        gguf_metadata(*bundle_.model, source.text("general.name").value_or(conversion_.name));
    bool quantized = false;
    for (const auto& [type, total] : result_.types) quantized |= is_quantized(type);
    if (quantized) metadata.set("general.quantization_version", int64_t{2});
    if (from_gguf()) {
      // What describes the architecture is written anew, what describes the file's types no more.
      for (const auto& [key, value] : source.values()) {
        const bool kept = key.starts_with("general.") || key.starts_with("tokenizer.");
        if (kept && key != "general.file_type" && key != "general.alignment" &&
            key != "general.quantization_version" && !metadata.has(key)) {
          metadata.set(key, value);
        }
      }
    } else if (bundle_.tokenizer == nullptr) {
      set_no_gguf_tokenizer(metadata);
    } else {
      const std::string difference =
          set_gguf_tokenizer(bundle_.tokenizer->spec(), bundle_.model->facts().vocab, metadata);
      if (!difference.empty()) result_.notes.push_back("tokenizer: " + difference);
    }
    return metadata;
  }

  // Of the matrices, the one with most bytes.
  DType main_type() const {
    DType main = DType::kF32;
    int64_t most = -1;
    for (const auto& [type, total] : result_.types) {
      if (total.bytes > most) main = type;
      most = std::max(most, total.bytes);
    }
    return main;
  }

  void write_folder() {
    if (conversion_.type && !folder_holds(*conversion_.type)) torch_name(*conversion_.type);
    const fs::path& folder = conversion_.destination;
    std::string config = from_gguf()
                             ? hugging_face_config(*bundle_.model, main_type()).dump(2) + "\n"
                             : changed_config(bundle_.checkpoint.source(), main_type());
    require_space(fs::absolute(folder).parent_path());
    prepare_folder(folder);
    if (from_gguf()) {
      write_folder_tokenizer(bundle_, folder, config, result_.notes);
    } else {
      copy_folder_files(bundle_.checkpoint.source(), folder);
    }
    write_safetensors(folder / "model.safetensors", {{"format", "pt"}}, tensors_);
    write_text(folder / "config.json", config);
  }

  void require_space(const fs::path& folder) const {
    std::error_code error;
    const auto space = fs::space(folder, error);
    if (error) return;  // the file's creation will say what is wrong
    if (space.available < static_cast<uintmax_t>(result_.bytes)) {
      fail(conversion_.destination.string(), "expected room for {} bytes, found {} bytes free",
           result_.bytes, space.available);
    }
  }

  const Conversion& conversion_;
  const std::function<void(int64_t, int64_t)>& progress_;
  Bundle bundle_;
  TaskRunner runner_;
  std::optional<LoraAdapter> adapter_;
  std::vector<TensorToWrite> tensors_;
  Converted result_;
  int64_t done_ = 0;
};

}  // namespace

bool is_gguf_name(const fs::path& destination) {
  return destination.extension() == ".gguf";
}

Converted convert(const Conversion& conversion, ThreadPool& pool,
                  const std::function<void(int64_t, int64_t)>& progress) {
  return Converter(conversion, pool, progress).run();
}

}  // namespace minke
