// What `top` shows: two readings of a gateway, and what happened between them.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/outcome.h"
#include "cli/live/policies.h"

namespace march::cli {

struct Amount {
  double packets = 0;
  double bytes = 0;
};

// What a gateway has counted up to one moment.
struct TopReading {
  // A mapping, a default or a slot, as /v1/rules has it.
  enum class Kind { kMapping, kDefault, kSlot };
  struct Row {
    Kind kind;
    std::string name;  // of a default ""
    std::string action;

    auto operator<=>(const Row&) const = default;
  };
  struct Table {
    std::string name;
    std::uint64_t flows = 0;
    std::uint64_t capacity = 0;
  };
  struct Connection {
    std::string source;
    Amount amount;  // in both directions
  };

  std::chrono::steady_clock::time_point at;
  std::string enforcement;
  std::uint64_t generation = 0;
  std::map<Row, Amount> rows;
  std::vector<Table> tables;
  std::uint64_t connections_begun = 0;
  std::map<std::string, Connection> connections;  // the largest, by their ends
  // Since the reading before: events of dropped packets by source, and all of them.
  std::map<std::string, std::uint64_t> drop_events;
  std::uint64_t all_drop_events = 0;
  std::uint64_t next_event = 0;  // number
};

// Reads the gateway behind `target`. What it does not keep (events, connections) is left empty.
// `before` is the reading before, null for the first.
Outcome<TopReading> ReadTop(const std::string& target, const TopReading* before);

// Between two readings, per second.
struct TopView {
  struct Mapping {
    std::string name;
    std::string action;
    Amount rate;
  };
  // Of the mappings that name it as a source, and as a destination.
  struct Service {
    std::string name;
    Amount from;
    Amount to;
  };
  struct Reason {
    std::string name;
    Amount rate;
  };
  struct Talker {
    std::string address;
    std::string service;
    Amount rate;  // of its connections
    std::uint64_t connections = 0;
    double drops = 0;  // packets, as far as the events tell
  };

  std::string enforcement;
  std::uint64_t generation = 0;
  Amount allowed;
  Amount denied;
  double connections_begun = 0;
  std::vector<TopReading::Table> tables;
  // Each with the most packets first; what had none is not there.
  std::vector<Mapping> mappings;
  std::vector<Service> services;
  std::vector<Reason> reasons;
  std::vector<Talker> talkers;
};

// `policy` is that of the generation in force, null if it is not known.
TopView Compare(const TopReading& before, const TopReading& now, const LivePolicy* policy);

// At most `rows` lines of at most `columns` characters; 0: as many as there are.
std::vector<std::string> Render(const TopView& view, const std::string& title, std::size_t rows,
                                std::size_t columns);

// "0", "7.5", "950", "12.3k", "4.56M"
std::string RateText(double rate);

}  // namespace march::cli
