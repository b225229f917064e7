// Programs under measurement, and the feeder that runs them over a trace.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/bpf/unique_fd.h"
#include "tests/rulesets/rulesets.h"

struct bpf_object;

namespace march::bench {

// A BPF object of ours in the kernel. Anything that fails ends the program with a message: this is
// a tool, and half a measurement is none.
class Object {
 public:
  // `name` is that of a file of this folder.
  explicit Object(std::string_view name);

  // Before Load.
  void Resize(const char* map, std::uint32_t entries);
  void Load();

  int Program(const char* name) const;
  int Map(const char* name) const;

 private:
  struct Close {
    void operator()(bpf_object* object) const;
  };
  std::unique_ptr<bpf_object, Close> object_;
};

class Feeder {
 public:
  // The trace is repeated up to the next power of two.
  Feeder(space::Family family, const std::vector<tests::Packet>& trace);

  // Nanoseconds a packet for `program`, over `packets` packets, the feeder's own among them.
  double Measure(int program, std::uint32_t packets);

 private:
  space::Family family_;
  std::uint32_t mask_ = 0;
  Object object_;
};

}  // namespace march::bench
