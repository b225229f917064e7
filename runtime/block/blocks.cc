#include "runtime/block/blocks.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <limits>
#include <utility>

namespace march::block {
namespace {

using telemetry::Level;

constexpr std::uint64_t kMaxStoredBytes = std::uint64_t{1} << 30;
constexpr unsigned kMode = 0600;
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
// A thousand years: what is longer is for ever, near enough.
constexpr std::uint64_t kMaxSeconds = std::uint64_t{1000} * 366 * 24 * 60 * 60;

std::int64_t SystemNow() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

bool ByPrefix(const Entry& a, const Entry& b) {
  return a.prefix < b.prefix;
}

bool HasExpired(const Entry& entry, std::int64_t now) {
  return entry.until != 0 && entry.until <= now;
}

}  // namespace

List Merge(List list, std::vector<Entry> entries) {
  // Later ones first, and stable: of each prefix, the first is the one that holds.
  std::reverse(entries.begin(), entries.end());
  std::stable_sort(entries.begin(), entries.end(), ByPrefix);
  List merged;
  merged.reserve(list.size() + entries.size());
  std::merge(std::make_move_iterator(entries.begin()), std::make_move_iterator(entries.end()),
             std::make_move_iterator(list.begin()), std::make_move_iterator(list.end()),
             std::back_inserter(merged), ByPrefix);
  const auto end = std::unique(merged.begin(), merged.end(),
                               [](const Entry& a, const Entry& b) { return a.prefix == b.prefix; });
  merged.erase(end, merged.end());
  return merged;
}

Blocks::Blocks(std::string path, std::uint32_t capacity, FileSystem& files, telemetry::Logger& log)
    : Blocks(std::move(path), capacity, files, log, SystemNow) {}

Blocks::Blocks(std::string path, std::uint32_t capacity, FileSystem& files, telemetry::Logger& log,
               Clock clock)
    : path_(std::move(path)),
      capacity_(capacity),
      files_(files),
      log_(log),
      clock_(std::move(clock)) {}

void Blocks::Start(Publish publish) {
  publish_ = std::move(publish);
  if (files_.KindOf(path_) != FileTree::Kind::kNothing) {
    const auto text = files_.Read(path_, kMaxStoredBytes);
    if (!text.ok()) log_.Write(Level::kError, "block_list_lost", text.diagnostics());
    Stored stored = text.ok() ? ReadStored(*text) : Stored{};
    if (stored.damaged != 0) {
      log_.Write(Level::kError, "block_list_damaged",
                 {{"file", path_}, {"lines", std::uint64_t{stored.damaged}}});
    }
    list_ = Merge({}, std::move(stored.entries));
  }
  std::erase_if(list_, [now = clock_()](const Entry& entry) { return HasExpired(entry, now); });
  if (list_.size() > capacity_) {
    log_.Write(Level::kError, "block_list_full",
               {{"message", std::to_string(list_.size() - capacity_) +
                                " entries of the block list are not in force"},
                {"hint", "make room for more in the configuration: abuse, block_list"}});
    list_.resize(capacity_);
  }
  Enforce();
  log_.Write(Level::kInfo, "block_list", {{"entries", std::uint64_t{list_.size()}}});
}

Outcome<Blocks::Added> Blocks::Add(std::string_view list, std::optional<std::uint64_t> seconds,
                                   const std::string& comment) {
  if (!IsComment(comment)) {
    return MakeDiagnostic(Code::kBadBlock, {}, "the comment is too long or not printable",
                          "a comment has at most " + std::to_string(kMaxCommentBytes) + " bytes");
  }
  auto entries = ReadList(list);
  if (!entries.ok()) return std::move(entries).diagnostics();
  const std::int64_t until =
      seconds ? clock_() + static_cast<std::int64_t>(std::min(*seconds, kMaxSeconds)) : 0;
  for (Entry& entry : *entries) {
    entry.until = until;
    if (entry.comment.empty()) entry.comment = comment;
  }
  const List fresh = Merge({}, std::move(entries).value());
  List next = Merge(list_, fresh);
  if (next.size() > capacity_) {
    return MakeDiagnostic(Code::kBlockListFull, {},
                          "the block list has room for " + std::to_string(capacity_) +
                              " entries, not for " + std::to_string(next.size()),
                          "make room for more in marchd's configuration: abuse, block_list");
  }
  const std::size_t added = next.size() - list_.size();
  if (auto done = Become(std::move(next)); !done.ok()) return std::move(done).diagnostics();
  return Added{added, fresh.size() - added};
}

Outcome<Blocks::Removed> Blocks::Remove(std::string_view list) {
  auto read = ReadList(list);
  if (!read.ok()) return std::move(read).diagnostics();
  const List entries = Merge({}, std::move(read).value());
  List next;
  std::set_difference(list_.begin(), list_.end(), entries.begin(), entries.end(),
                      std::back_inserter(next), ByPrefix);
  Removed removed{list_.size() - next.size(), {}};
  List missing;
  std::set_difference(entries.begin(), entries.end(), list_.begin(), list_.end(),
                      std::back_inserter(missing), ByPrefix);
  for (const Entry& entry : missing) removed.missing.push_back(entry.prefix);
  if (removed.removed == 0) return removed;
  if (auto done = Become(std::move(next)); !done.ok()) return std::move(done).diagnostics();
  return removed;
}

Outcome<Blocks::Removed> Blocks::RemoveAll() {
  const Removed removed{list_.size(), {}};
  if (auto done = Become({}); !done.ok()) return std::move(done).diagnostics();
  return removed;
}

void Blocks::Expire() {
  const std::int64_t now = clock_();
  if (now < next_expiry_) return;
  List next = list_;
  const std::size_t expired =
      std::erase_if(next, [now](const Entry& entry) { return HasExpired(entry, now); });
  list_ = std::move(next);
  Enforce();
  // On disk they are until the next change: whoever reads them sees that they have expired.
  log_.Write(Level::kInfo, "blocks_expired",
             {{"expired", std::uint64_t{expired}}, {"entries", std::uint64_t{list_.size()}}});
}

// On disk first: what was promised to be in force is so after a crash too.
Outcome<Done> Blocks::Become(List list) {
  if (auto written = files_.WriteAtomically(path_, WriteStored(list), kMode); !written.ok()) {
    return written;
  }
  list_ = std::move(list);
  Enforce();
  return Done{};
}

void Blocks::Enforce() {
  std::vector<Prefix> prefixes;
  prefixes.reserve(list_.size());
  next_expiry_ = kNever;
  for (const Entry& entry : list_) {
    prefixes.push_back(entry.prefix);
    if (entry.until != 0) next_expiry_ = std::min(next_expiry_, entry.until);
  }
  publish_(prefixes);
}

}  // namespace march::block
