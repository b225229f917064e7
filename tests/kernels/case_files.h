// A case: a program, the frames that it gets, and what must become of each. On disk it is these
// files, so that whoever checks cases need not know who made them:
//
//   NAME.march     the program and its tables, as a gateway gets them
//   NAME.frames    a line a frame, in the order in which they are sent: what the program returns
//                  ("pass", "drop"; enum xdp_action), the slots that count the frame, separated
//                  by commas, or "-", and the frame from its Ethernet header on, in hexadecimal
//                  digits
//   NAME.estimate  how many instructions the kernel verifies at most (compiler/budget/verifier.h);
//                  may be missing
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/outcome.h"

namespace march::tests {

struct Frame {
  std::string bytes;
  std::uint32_t xdp_action = 0;
  std::vector<std::uint32_t> slots;
};

struct Case {
  std::string bundle;  // the bytes of NAME.march
  std::vector<Frame> frames;
  std::optional<std::uint64_t> estimate;
};

// `path` is without an ending: "cases/shapes/NAME".
Outcome<Done> WriteCase(FileSystem& files, const std::string& path, const Case& written);
// Error: kCannotRead, also for a line or number of another form.
Outcome<Case> ReadCase(const FileTree& files, const std::string& path);

// The paths of the cases in a directory and those below it, sorted. Error: kCannotRead.
Outcome<std::vector<std::string>> FindCases(const FileTree& files, const std::string& directory);

// "pass", "drop", ... or "" for what no program returns.
std::string NameOfAction(std::uint32_t xdp_action);

}  // namespace march::tests
