// Runs BPF programs on frames, again and again, in the kernel.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "bench/common/bpf_object.h"
#include "bench/common/network.h"

namespace march::bench {

// Runs a feeder, a program that fills in the next packet and jumps to the program under measurement
// by the first entry of its array "bench_program".
class FeederRun {
 public:
  // `object` is loaded and outlives this; `feeder` is the name of a program in it.
  FeederRun(const BpfObject& object, const char* feeder, std::vector<std::uint8_t> frame);

  // What the next runs jump to.
  void Install(int program);
  // Returns the last packet's XDP action.
  std::uint32_t Run(std::uint32_t packets);
  // Nanoseconds a packet, the feeder's among them: CPU time of this thread.
  double Measure(std::uint32_t packets);

 private:
  const BpfObject& object_;
  const char* feeder_;
  std::vector<std::uint8_t> frame_;
};

// Sends frames that a program makes and redirects to an interface, from a thread on a CPU of its
// own (BPF_PROG_TEST_RUN with BPF_F_TEST_XDP_LIVE_FRAMES, Linux 5.18): nothing generates faster
// there.
class LiveFrames {
 public:
  LiveFrames(int program, std::vector<std::uint8_t> frame);
  ~LiveFrames();
  LiveFrames(const LiveFrames&) = delete;
  LiveFrames& operator=(const LiveFrames&) = delete;

  // Without a limit until Stop, from the namespace of the interface. One run of the program, which
  // is ended by a signal to the thread: between two runs the kernel takes some 30 ms.
  void Start(const Namespace& place, unsigned cpu = kSenderCpu);
  void Stop();

  // So many frames, at once, from the calling thread.
  void Send(const Namespace& place, std::uint32_t frames);

 private:
  void Run(std::uint32_t frames);

  static constexpr std::uint32_t kEndless = 1U << 30;

  int program_;
  std::vector<std::uint8_t> frame_;
  std::atomic<bool> stop_ = false;
  std::atomic<bool> stopped_ = true;
  std::thread thread_;
};

}  // namespace march::bench
