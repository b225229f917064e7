// Which events are meant: what the options of monitor say.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "cli/live/event.h"
#include "cli/live/policies.h"

namespace march::cli {

// All that is given must hold.
struct EventFilter {
  bool drops = false;
  bool allows = false;
  bool flows = false;
  std::string mapping;
  std::string service;  // holds one of the ends
  std::optional<space::Prefix> source;
  std::optional<space::Prefix> destination;
  std::optional<model::PortRange> port;  // of the destination
  std::string reason;

  // Of the three kinds, those that were asked for: drops and allows if none was.
  bool WantsPackets() const { return drops || allows || !flows; }
  bool Wants(const std::string& type) const;
  // `policy` is that of the event's generation, null if it is not known.
  bool Matches(const Event& event, const LivePolicy* policy) const;
};

// The options; `filter` must live as long as `verb`.
void AddFilterOptions(CLI::App& verb, EventFilter& filter);

}  // namespace march::cli
