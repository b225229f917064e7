// The newest events, as lines of JSON that any number of readers follow. What a reader does not
// take before it is the oldest that is kept is gone for it, and it is told how much that was.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace march::events {

// What there are events of. Each has room of its own, so that many of one sort displace none of the
// other.
enum class Sort : std::uint8_t { kPackets, kFlows };
inline constexpr std::size_t kSorts = 2;
using BySort = std::array<bool, kSorts>;  // which are meant

// Since the gateway's maps were made.
struct Counts {
  std::uint64_t told = 0;        // lines, here or in an earlier process
  std::uint64_t suppressed = 0;  // above the rate
  std::uint64_t lost = 0;        // there was no room

  friend bool operator==(const Counts&, const Counts&) = default;
};
struct AllCounts {
  Counts drops;
  Counts allows;
  Counts flows;

  friend bool operator==(const AllCounts&, const AllCounts&) = default;
};

class EventLog {
 public:
  // Keeps so many lines of each sort.
  explicit EventLog(std::size_t keep) : keep_(keep) {}

  // The line is the object that `event` makes, with `format_version` and its number. It is made
  // for each reader that takes it, so events that nobody follows cost little.
  using Event = std::function<nlohmann::ordered_json()>;
  void Append(Sort sort, Event event);
  void SetCounts(const AllCounts& counts) { counts_ = counts; }
  const AllCounts& counts() const { return counts_; }

  // The number of the line to come; the first ever is 1.
  std::uint64_t end() const { return end_; }
  // Of the `count` newest lines that are kept of these sorts, the oldest's number; end() if there
  // is none.
  std::uint64_t NumberBefore(const BySort& sorts, std::uint64_t count) const;

 private:
  friend class Reader;
  struct Line {
    std::uint64_t number;
    Event event;
  };
  struct Lane {
    std::deque<Line> lines;
    std::uint64_t gone = 0;  // lines before these

    std::uint64_t end() const { return gone + lines.size(); }
  };

  std::size_t keep_;
  std::array<Lane, kSorts> lanes_;
  std::uint64_t end_ = 1;
  AllCounts counts_;
};

// One who follows. The log must outlive it.
class Reader {
 public:
  // From the line `from` on; or from the oldest that is kept, if that is gone or never was. One who
  // does not follow takes no line that comes later, however many do while it takes these.
  Reader(const EventLog& log, const BySort& sorts, std::uint64_t from, bool follows = true);

  // The lines that came since, no more than make up `bytes`, but at least one. Before them, if that
  // is so, one that says how many this reader has missed:
  //   {"format_version":1,"type":"missed","events":N}
  // The first line of all, one a second while they change, and one every few seconds if there is
  // nothing else, has what was counted and the number of the next line:
  //   {"format_version":1,"type":"counts","next":N,
  //    "drops":{"told":N,"suppressed":N,"lost":N},"allows":{...},"flows":{...}}
  std::string Take(std::chrono::steady_clock::time_point now, std::size_t bytes);
  bool is_at_end() const { return !NextLane().has_value(); }
  // One who does not follow has nothing more to come, and has been told what it missed.
  bool has_ended() const;

 private:
  // Which has the next line; none if there is none.
  std::optional<std::size_t> NextLane() const;
  const EventLog::Line& LineAt(std::size_t lane) const;
  std::string CountsLine(std::chrono::steady_clock::time_point now);
  std::string MissedLine();

  const EventLog& log_;
  BySort sorts_;
  std::uint64_t end_;                          // the line before which one who does not follow ends
  std::array<std::uint64_t, kSorts> next_{};   // by lane, counted in its lines
  std::array<std::uint64_t, kSorts> until_{};  // as next_; what comes after it is not taken
  std::chrono::steady_clock::time_point last_counts_;
  bool has_begun_ = false;
  AllCounts shown_;
};

}  // namespace march::events
