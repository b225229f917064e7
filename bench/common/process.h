// Other programs: run to their end, or talked to line by line.
#pragma once

#include <sys/types.h>

#include <cstdio>
#include <optional>
#include <string>
#include <vector>

namespace march::bench {

struct Finished {
  bool ok = false;      // exit code 0, in time
  std::string problem;  // what went wrong, with the end of what it said
  double seconds = 0;
};

// Runs a program found in PATH (or /usr/sbin, /sbin) in the network namespace of the calling
// thread, and kills it after `limit_seconds`. `input` is the path of a file, or "".
Finished RunProgram(const std::vector<std::string>& command, double limit_seconds,
                    const std::string& input = "");

// The full path of a program, "" if there is none.
std::string FindProgram(const std::string& name);

// A program that answers each line with a line. Killed when this goes away.
class Conversation {
 public:
  explicit Conversation(const std::vector<std::string>& command);
  ~Conversation();
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  // None: the program ended or said nothing for so long.
  std::optional<std::string> Read(double limit_seconds);
  std::optional<std::string> Ask(const std::string& line, double limit_seconds);

 private:
  pid_t pid_ = -1;
  int to_ = -1;
  int from_ = -1;
  std::string buffer_;
};

}  // namespace march::bench
