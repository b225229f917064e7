// Network namespaces and veth pairs to measure in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/bpf/unique_fd.h"

namespace march::bench {

// A network namespace without a name: it is gone with its last descriptor, however we end.
class Namespace {
 public:
  Namespace();
  // The one that the calling thread is in.
  static Namespace OfThisThread();

  // The calling thread, and what it starts, is inside as long as this lives.
  class Inside {
   public:
    explicit Inside(const Namespace& other);
    ~Inside();
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

   private:
    bpf::UniqueFd before_;
  };

  int fd() const { return fd_.get(); }

 private:
  explicit Namespace(bpf::UniqueFd fd) : fd_(std::move(fd)) {}

  bpf::UniqueFd fd_;
};

struct InterfaceCounts {
  std::uint64_t received = 0;
  std::uint64_t receive_dropped = 0;
  std::uint64_t sent = 0;
  std::uint64_t send_dropped = 0;
};

InterfaceCounts CountsOf(const Namespace& place, const std::string& interface);

struct VethEnd {
  const Namespace& place;
  std::string name;
  std::string mac;
};

// With one queue in either direction, so that all is the work of one CPU. Both ends are down.
void MakeVeth(const VethEnd& one, const VethEnd& other);

// A name that no other interface of ours has: the kernel's thread is named after the interface, cut
// to 15 characters, and found by that.
std::string NewInterfaceName();

// Lets an interface of the namespace that the calling thread is in be served by a kernel thread of
// its own. Returns whether the kernel did.
bool ServeByThread(const std::string& interface);

// That thread, moved to `cpu`, so that its work is told apart from others'. None where there is no
// such CPU or no such thread.
std::optional<int> ServingThread(const std::string& interface, unsigned cpu);

// A veth takes redirected frames only if its peer has an XDP program or GRO, and is up.
void SwitchGroOn(const std::string& interface);

// In the namespace of the calling thread. Errors end the program.
void MustRun(const std::vector<std::string>& command);
void Sysctl(const std::string& name, const std::string& value);

// Nothing else than what a benchmark sends may speak on an interface of the calling thread's
// namespace, so that counters add up: no groups to report, no routers to look for.
void Silence(const std::string& interface);

// Nanoseconds that a thread has been on a CPU.
std::uint64_t CpuNanosecondsOf(int thread);

inline constexpr unsigned kSenderCpu = 0;
inline constexpr unsigned kReceiverCpu = 1;

}  // namespace march::bench
