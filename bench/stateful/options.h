// What to measure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/stateful/flows.h"

namespace march::bench {

struct LiveOptions {
  std::vector<std::string> traffic;
  std::vector<std::string> subjects;
  std::vector<std::uint64_t> flows;  // numbers of connections that are made
  std::uint32_t rounds = 0;
  std::uint32_t frames = 0;      // a measurement
  std::uint32_t most_fresh = 0;  // frames of new connections a measurement: there is room for them
};

struct CostOptions {
  std::vector<std::string> traffic;
  std::vector<std::string> subjects;      // the floor and the stateless program always are measured
  std::vector<std::uint64_t> flows;       // numbers of connections that are made
  std::vector<std::string> popularities;  // of connections
  std::uint32_t rounds = 0;
  std::uint32_t packets = 0;     // a measurement
  std::uint32_t most_fresh = 0;  // packets of new connections a measurement: there is room for them
};

struct Options {
  std::string preset = "quick";
  std::vector<std::string> families;
  unsigned source_bits = 12;
  unsigned destination_bits = 10;
  std::uint32_t mappings = 0;
  std::uint32_t blocked = 0;  // prefixes on the block list
  bool without_network = true;
  CostOptions cost;
  bool live = true;
  LiveOptions frames;
  std::string json_path;

  FlowSpace SpaceOf(const std::string& family) const;
};

// Reads the command line; ends the program on --help and on errors (64).
Options ParseOptions(int argc, char** argv);

}  // namespace march::bench
