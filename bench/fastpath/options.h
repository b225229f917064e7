// What to measure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace march::bench {

struct ClassifyOptions {
  std::vector<std::uint32_t> sizes;
  std::vector<std::string> styles;
  std::vector<std::string> families;
  std::vector<std::string> traffic;
  std::vector<std::string> subjects;  // the floor and ours are always measured
  std::uint32_t rounds = 0;
  std::uint32_t packets = 0;  // a measurement
};

struct LiveOptions {
  std::vector<std::uint32_t> sizes;
  std::vector<std::string> styles;
  std::vector<std::string> families;
  std::vector<std::string> traffic;
  std::vector<std::string> subjects;
  std::uint32_t rounds = 0;
  double seconds = 0;  // a measurement
};

struct Options {
  std::string preset = "quick";
  bool classify = true;
  bool live = true;
  ClassifyOptions classification;
  LiveOptions frames;
  std::string json_path;
  std::string compile_directory;  // not empty: this is a process that compiles
};

// Reads the command line; ends the program on --help and on errors (64).
Options ParseOptions(int argc, char** argv);

}  // namespace march::bench
