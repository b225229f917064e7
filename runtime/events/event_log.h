// The newest events, as lines of JSON that any number of readers follow. What a reader does not
// take before it is the oldest that is kept is gone for it, and it is told how much that was.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <nlohmann/json.hpp>
#include <string>

#include "bundle/abi/event.h"

namespace march::events {

// Of one kind, since the gateway's maps were made.
struct Counts {
  std::uint64_t told = 0;        // lines, here or in an earlier process
  std::uint64_t suppressed = 0;  // above the rate
  std::uint64_t lost = 0;        // the ring was full

  friend bool operator==(const Counts&, const Counts&) = default;
};
using CountsByKind = std::array<Counts, MARCH_EVENT_KINDS>;

class EventLog {
 public:
  explicit EventLog(std::size_t keep) : keep_(keep) {}

  // The line is the object, with `format_version` and its number.
  void Append(const nlohmann::ordered_json& event);
  void SetCounts(const CountsByKind& counts) { counts_ = counts; }

  // Numbers of the lines that are kept: from `begin` to before `end`. The first ever is 1.
  std::uint64_t begin() const { return end_ - lines_.size(); }
  std::uint64_t end() const { return end_; }
  // `number` is of a line that is kept. Ends with its line break.
  const std::string& At(std::uint64_t number) const { return lines_[number - begin()]; }
  const CountsByKind& counts() const { return counts_; }

 private:
  std::size_t keep_;
  std::deque<std::string> lines_;
  std::uint64_t end_ = 1;
  CountsByKind counts_{};
};

// One who follows. The log must outlive it.
class Reader {
 public:
  // From the line `from` on; or from the oldest that is kept, if that is gone or never was.
  Reader(const EventLog& log, std::uint64_t from);

  // The lines that came since, no more than make up `bytes`, but at least one. Before them, if that
  // is so, one that says how many this reader has missed:
  //   {"format_version":1,"type":"missed","events":N}
  // The first line of all, one a second while they change, and one every few seconds if there is
  // nothing else, has what was counted and the number of the next line:
  //   {"format_version":1,"type":"counts","next":N,
  //    "drops":{"told":N,"suppressed":N,"lost":N},"allows":{...}}
  std::string Take(std::chrono::steady_clock::time_point now, std::size_t bytes);
  bool is_at_end() const { return next_ == log_.end(); }

 private:
  std::string CountsLine(std::chrono::steady_clock::time_point now);

  const EventLog& log_;
  std::uint64_t next_;
  std::chrono::steady_clock::time_point last_counts_;
  bool has_begun_ = false;
  CountsByKind shown_{};
};

}  // namespace march::events
