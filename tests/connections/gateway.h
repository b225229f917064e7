// A gateway for tests of connections: the program of a policy in the kernel, with the maps that
// outlive it, and packets that go through it one by one with BPF_PROG_TEST_RUN.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bundle/abi/event.h"
#include "runtime/bpf/state_maps.h"
#include "runtime/bpf/test_run.h"

namespace march::tests {

// A frame that is being written. The text is a flow (compiler/space/flow.h).
class Packet {
 public:
  explicit Packet(const std::string& flow);

  // TCP, by letters: F, S, R, P, A.
  Packet& Flags(const std::string& letters);
  Packet& Sequence(std::uint32_t number);
  Packet& Acknowledge(std::uint32_t number);
  // ICMP: the identifier. Without it, 0.
  Packet& Identifier(std::uint16_t id);
  // IPv4 and IPv6: one fragment of several with this identification; `offset` in units of 8 bytes.
  Packet& Fragment(std::uint32_t id, unsigned offset, bool more);
  // An ICMP error: quotes `original` from its IP header on, and at most `bytes` of it.
  Packet& Quote(const Packet& original, std::size_t bytes = 48);

  const std::vector<std::uint8_t>& bytes() const { return bytes_; }

 private:
  bool IsV6() const;
  std::size_t L4() const;  // offset

  std::vector<std::uint8_t> bytes_;
};

class Gateway {
 public:
  // Sizes are in flows.
  struct Sizes {
    std::uint32_t established = 1024;
    std::uint32_t fresh = 1024;
    std::uint32_t limit_lines = 0;  // 0: as the configuration says
  };

  Gateway();  // skips the test without root
  // Of `config`, what is about flows is overwritten.
  explicit Gateway(const Sizes& sizes, march_config config = {});
  Gateway(const Sizes& sizes, const march_event_config& events);
  ~Gateway();

  // The program of the policy takes the place of the one before.
  void Enforce(const std::string& policy);
  bool Passes(const Packet& packet);
  // Sends any frame of at least 14 bytes, as often as is said. Whether the last one passed.
  bool Passes(const std::vector<std::uint8_t>& frame, int times = 1);
  // A whole frame, as one that came in by the loopback interface.
  bpf::FrameResult Run(const std::vector<std::uint8_t>& frame);
  // The frame as it passes; empty if it does not.
  std::vector<std::uint8_t> Sent(const Packet& packet);
  // Packets that were counted for a mapping, or a slot by its name, since Enforce.
  std::uint64_t Counted(const std::string& name);
  // Packets that were above the limit of a mapping.
  std::uint64_t AboveLimit(const std::string& name);
  std::uint64_t Statistic(march_statistic which);
  bpf::LoadFigures Figures();
  // Flows in each table that have not ended, and their number in all.
  std::uint64_t Established();
  std::uint64_t Fresh();

  // Those that were not read yet.
  std::vector<march_event> Events();

  bpf::StateMaps& state();
  void SetTimeout(march_timeout which, std::uint32_t ticks);  // for the next Enforce

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace march::tests
