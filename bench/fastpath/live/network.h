// A host in the middle: two network namespaces joined by a veth pair, with nothing beyond.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/bpf/unique_fd.h"

namespace march::bench {

// A network namespace without a name: it is gone with its last descriptor, however we end.
class Namespace {
 public:
  Namespace();

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
  bpf::UniqueFd fd_;
};

struct InterfaceCounts {
  std::uint64_t received = 0;
  std::uint64_t receive_dropped = 0;
  std::uint64_t sent = 0;
};

// The gateway: frames arrive on `in`; what it lets through it routes to `out`, a bridge
// without ports, which counts and drops. Its peer `feed`, in a namespace of its own, is where
// frames are sent from.
class Gateway {
 public:
  Gateway();

  const Namespace& inside() const { return inside_; }
  const Namespace& outside() const { return outside_; }
  const std::string& in() const { return in_; }
  unsigned in_index() const { return in_index_; }
  unsigned feed_index() const { return feed_index_; }

  InterfaceCounts CountsOfIn() const;
  InterfaceCounts CountsOfOut() const;

  // Lets `in` be served by a kernel thread on a CPU of its own, so that its work is told apart from
  // the sender's. None where there is only one CPU, or the kernel would not.
  std::optional<int> ReceiverThread() const;

 private:
  InterfaceCounts CountsOf(const std::string& interface) const;

  Namespace inside_;
  Namespace outside_;
  std::string in_;
  unsigned in_index_ = 0;
  unsigned feed_index_ = 0;
};

inline constexpr std::uint8_t kGatewayMac[6] = {0x02, 0, 0, 0, 0, 2};
inline constexpr std::uint8_t kFeedMac[6] = {0x02, 0, 0, 0, 0, 1};
inline constexpr int kSenderCpu = 0;
inline constexpr int kReceiverCpu = 1;

// Nanoseconds that a thread has been on a CPU.
std::uint64_t CpuNanosecondsOf(int thread);

}  // namespace march::bench
