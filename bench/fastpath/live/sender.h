// Sends a trace as real frames, as fast as one CPU can.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "bench/fastpath/bpf_object.h"
#include "bench/fastpath/live/network.h"
#include "bench/fastpath/trace.h"

namespace march::bench {

// The frames are made in the kernel (BPF_PROG_TEST_RUN with BPF_F_TEST_XDP_LIVE_FRAMES, Linux 5.18)
// and redirected to the veth: nothing generates faster there. Checksums are right.
class Sender {
 public:
  Sender(space::Family family, const std::vector<tests::Packet>& trace);
  ~Sender();
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  void Start(const Gateway& gateway);
  void Stop();

  // Since Start.
  std::uint64_t sent() const { return trace_.Read().next; }

 private:
  void Send(const Gateway& gateway);

  BpfObject object_;
  TraceMaps trace_;
  std::vector<std::uint8_t> frame_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace march::bench
