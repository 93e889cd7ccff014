#include "model/kv/page_store.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/core/atomic_file.h"
#include "base/core/check.h"
#include "model/kv/page_folder.h"

namespace minke {
namespace {

constexpr std::string_view kMagic = "MINKEKV1";

template <typename T>
void append(std::string& text, T value) {
  text.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

// What stands in a file before the rows: all that they depend on.
std::string key_of(const KvLayout& layout, std::string_view fingerprint, std::string_view owner,
                   std::span<const int32_t> tokens) {
  std::string key(kMagic);
  append(key, static_cast<int32_t>(layout.layers));
  append(key, static_cast<int32_t>(layout.width));
  append(key, static_cast<int32_t>(layout.type));
  append(key, static_cast<int32_t>(kPageTokens));
  append(key, uint64_t{fingerprint.size()});
  append(key, uint64_t{owner.size()});
  append(key, uint64_t{tokens.size()});
  key.append(fingerprint).append(owner);
  key.append(reinterpret_cast<const char*>(tokens.data()), tokens.size_bytes());
  return key;
}

// What stands behind the rows.
struct Checksum {
  uint64_t low, high;
};

struct Name {
  explicit Name(const std::string& key) {
    const XXH128_hash_t hash = XXH3_128bits(key.data(), key.size());
    file = fmt::format("{:016x}{:016x}.page", hash.high64, hash.low64);
    seed = hash.low64;
  }

  std::string file;
  uint64_t seed;
};

// The rows of the first tokens of a page, as a file has them: those of a layer follow one another.
class Rows {
 public:
  // Of the page that ends `tokens` tokens.
  Rows(const KvLayout& layout, size_t tokens)
      : layout_(layout), tokens_((static_cast<int64_t>(tokens) - 1) % kPageTokens + 1) {}

  int64_t bytes() const { return layout_.layers * layer_bytes(); }
  size_t layer_bytes() const { return static_cast<size_t>(tokens_ * layout_.row_bytes()); }
  template <typename Page, typename Body>  // body(first byte of a layer's rows)
  void for_each_layer(Page& page, const Body& body) const {
    for (int layer = 0; layer < layout_.layers; ++layer) {
      body(page.data() + layout_.offset_in_page(layer, 0));
    }
  }
  void copy(const KvPage& from, KvPage& to) const {
    const uint8_t* const first = from.data();
    for_each_layer(
        to, [&](uint8_t* rows) { std::memcpy(rows, first + (rows - to.data()), layer_bytes()); });
  }
  Checksum checksum(const KvPage& page, uint64_t seed) const {
    const std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> state(XXH3_createState(),
                                                                                XXH3_freeState);
    CHECK(state != nullptr);
    XXH3_128bits_reset_withSeed(state.get(), seed);
    for_each_layer(
        page, [&](const uint8_t* rows) { XXH3_128bits_update(state.get(), rows, layer_bytes()); });
    const XXH128_hash_t hash = XXH3_128bits_digest(state.get());
    return {hash.low64, hash.high64};
  }

 private:
  const KvLayout& layout_;
  int64_t tokens_;
};

int64_t file_bytes(const std::string& key, const Rows& rows) {
  return static_cast<int64_t>(key.size() + sizeof(Checksum)) + rows.bytes();
}

class OpenFile {
 public:
  explicit OpenFile(const std::filesystem::path& path)
      : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) {}
  ~OpenFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  explicit operator bool() const { return fd_ >= 0; }
  bool has_size(int64_t bytes) const {
    struct stat s {};
    return ::fstat(fd_, &s) == 0 && S_ISREG(s.st_mode) && s.st_size == bytes;
  }
  // False at the end of the file, or if the disk fails.
  bool read(void* to, size_t bytes) const {
    auto* at = static_cast<char*>(to);
    while (bytes > 0) {
      const ssize_t got = ::read(fd_, at, bytes);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return false;
      at += got;
      bytes -= static_cast<size_t>(got);
    }
    return true;
  }
  // Whether `text` is what follows.
  bool follows(std::string_view text) const {
    std::array<char, 1 << 16> block;
    while (!text.empty()) {
      const size_t count = std::min(block.size(), text.size());
      if (!read(block.data(), count)) return false;
      if (std::memcmp(block.data(), text.data(), count) != 0) return false;
      text.remove_prefix(count);
    }
    return true;
  }
  void mark_as_used() const { ::futimens(fd_, nullptr); }

 private:
  int fd_;
};

}  // namespace

class PageStore::Impl {
 public:
  Impl(const KvLayout& layout, PageStoreOptions options)
      : layout_(layout),
        options_(std::move(options)),
        pause_(std::chrono::duration_cast<Clock::duration>(
            std::chrono::duration<double>(options_.retry_seconds))),
        folder_(options_.folder, options_.budget),
        copy_(layout.page_bytes()),
        thread_([this] { write_queued(); }) {}

  ~Impl() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  void put(std::string_view owner, std::span<const int32_t> tokens,
           std::shared_ptr<const KvPage> page) {
    check(tokens);
    CHECK(page != nullptr && page->bytes() == layout_.page_bytes());
    std::string key = key_of(layout_, options_.fingerprint, owner, tokens);
    {
      const std::lock_guard lock(mutex_);
      if (Clock::now() < retry_at_ || static_cast<int64_t>(queue_.size()) >= options_.queue) {
        ++stats_.dropped;
        return;
      }
      queue_.push_back({std::move(key), tokens.size(), std::move(page)});
    }
    changed_.notify_all();
  }

  std::shared_ptr<const KvPage> get(std::string_view owner, std::span<const int32_t> tokens,
                                    KvPagePool& pool) {
    check(tokens);
    CHECK(pool.layout() == layout_);
    const std::string key = key_of(layout_, options_.fingerprint, owner, tokens);
    const Name name(key);
    const std::filesystem::path path = folder_.path() / name.file;
    const OpenFile file(path);
    std::shared_ptr<KvPage> page = file ? pool.take() : nullptr;
    const Rows rows(layout_, tokens.size());
    const bool broken = page != nullptr && !read(file, key, name, rows, *page);
    if (broken) {
      ::unlink(path.c_str());
      page = nullptr;
    }
    if (page != nullptr) file.mark_as_used();
    const std::lock_guard lock(mutex_);
    ++(page != nullptr ? stats_.hits : stats_.misses);
    if (broken) ++stats_.broken;
    return page;
  }

  bool let_go() {
    std::shared_ptr<const KvPage> page;  // given back behind the lock
    std::unique_lock lock(mutex_);
    for (auto it = queue_.end(); it != queue_.begin();) {
      --it;
      if (it->page.use_count() - times_queued(*it->page) > 1) continue;
      page = std::move(it->page);
      queue_.erase(it);
      ++stats_.dropped;
      return true;
    }
    if (!copying_) return false;
    changed_.wait(lock, [this] { return !copying_; });
    return true;
  }

  void flush() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return queue_.empty() && !writing_; });
  }

  PageStoreStats stats() const {
    const std::lock_guard lock(mutex_);
    return stats_;
  }

 private:
  using Clock = std::chrono::steady_clock;

  struct Queued {
    std::string key;
    size_t tokens;  // that the page ends
    std::shared_ptr<const KvPage> page;
  };

  static void check(std::span<const int32_t> tokens) {
    CHECK(!tokens.empty() && tokens.size() % kStoredTokens == 0);
  }

  static bool read(const OpenFile& file, const std::string& key, const Name& name, const Rows& rows,
                   KvPage& page) {
    Checksum stored{};
    if (!file.has_size(file_bytes(key, rows)) || !file.follows(key)) return false;
    bool whole = true;
    rows.for_each_layer(page,
                        [&](uint8_t* to) { whole = whole && file.read(to, rows.layer_bytes()); });
    if (!whole || !file.read(&stored, sizeof(stored))) return false;
    const Checksum found = rows.checksum(page, name.seed);
    return stored.low == found.low && stored.high == found.high;
  }

  // A page may wait with several numbers of its tokens.
  int64_t times_queued(const KvPage& page) const {
    return std::ranges::count_if(queue_, [&](const Queued& q) { return q.page.get() == &page; });
  }

  // The thread's loop.
  void write_queued() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      Queued next = std::move(queue_.front());
      queue_.pop_front();
      writing_ = copying_ = true;
      lock.unlock();
      const Rows rows(layout_, next.tokens);
      rows.copy(*next.page, copy_);
      next.page = nullptr;
      lock.lock();
      copying_ = false;
      changed_.notify_all();
      lock.unlock();
      const bool good = write(next.key, rows);
      lock.lock();
      writing_ = false;
      if (!good) {
        retry_at_ = Clock::now() + pause_;
        stats_.dropped += static_cast<int64_t>(queue_.size()) + 1;
        queue_.clear();
      }
      changed_.notify_all();
    }
  }

  // Writes the rows of copy_. False if the disk refuses them, of which the first time is told.
  bool write(const std::string& key, const Rows& rows) {
    try {
      const Name name(key);
      const std::filesystem::path path = folder_.path() / name.file;
      // Somebody has written it: it counts as used.
      if (::utimensat(AT_FDCWD, path.c_str(), nullptr, 0) == 0) return true;
      const bool room = folder_.make_room(file_bytes(key, rows));
      if (room) {
        write_file(path, key, rows, copy_, rows.checksum(copy_, name.seed));
        told_ = false;
      }
      const std::lock_guard lock(mutex_);
      ++(room ? stats_.written : stats_.dropped);
      return true;
    } catch (const std::exception& e) {
      if (!std::exchange(told_, true) && options_.warn) options_.warn(e.what());
      return false;
    }
  }

  static void write_file(const std::filesystem::path& path, const std::string& key,
                         const Rows& rows, const KvPage& page, const Checksum& checksum) {
    AtomicFile file(path);
    file.write(key);
    rows.for_each_layer(page, [&](const uint8_t* from) { file.write({from, rows.layer_bytes()}); });
    file.write_value(checksum);
    file.commit();
  }

  const KvLayout layout_;
  const PageStoreOptions options_;
  const Clock::duration pause_;
  PageFolder folder_;  // after its making used by the thread alone, but for its path
  bool told_ = false;  // that writing fails; the thread's alone
  // What is being written; the thread's alone. Disks may be slow: nobody's pages wait for them.
  KvPage copy_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_:
  std::deque<Queued> queue_;
  bool writing_ = false;
  bool copying_ = false;  // the first step of it
  bool stopping_ = false;
  Clock::time_point retry_at_ = Clock::time_point::min();  // until then nothing is written
  PageStoreStats stats_;

  std::thread thread_;  // last: it uses all others
};

PageStore::PageStore(const KvLayout& layout, PageStoreOptions options)
    : impl_(std::make_unique<Impl>(layout, std::move(options))) {}

PageStore::~PageStore() = default;

void PageStore::put(std::string_view owner, std::span<const int32_t> tokens,
                    std::shared_ptr<const KvPage> page) {
  impl_->put(owner, tokens, std::move(page));
}

std::shared_ptr<const KvPage> PageStore::get(std::string_view owner,
                                             std::span<const int32_t> tokens, KvPagePool& pool) {
  return impl_->get(owner, tokens, pool);
}

void PageStore::flush() {
  impl_->flush();
}

bool PageStore::let_go() {
  return impl_->let_go();
}

PageStoreStats PageStore::stats() const {
  return impl_->stats();
}

}  // namespace minke
