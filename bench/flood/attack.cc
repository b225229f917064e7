#include "bench/flood/attack.h"

#include <bpf/bpf.h>
#include <net/if.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <optional>
#include <random>

#include "bench/common/bpf_object.h"
#include "bench/common/fail.h"
#include "bench/common/frame.h"
#include "bench/common/network.h"
#include "bench/common/test_run.h"
#include "bench/common/xdp.h"
#include "bench/flood/bpf/syns.h"

namespace march::bench {
namespace {

constexpr std::uint8_t kAttackerMac[6] = {0x02, 0, 0, 0, 0, 0x66};
constexpr std::uint64_t kSecond = 1'000'000'000;

// Told to stop by a signal, once what has to be stopped can be. Made before any thread is.
class StopSignal {
 public:
  StopSignal() {
    sigemptyset(&signals_);
    for (const int signal : {SIGINT, SIGTERM}) sigaddset(&signals_, signal);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  }
  void Wait() const {
    int signal = 0;
    while (sigwait(&signals_, &signal) != 0) continue;
  }

 private:
  sigset_t signals_{};
};

unsigned IndexOf(const std::string& interface) {
  const unsigned index = ::if_nametoindex(interface.c_str());
  if (index == 0) Fail("find the interface " + interface);
  return index;
}

void ReadMac(const std::string& text, std::uint8_t* mac) {
  if (std::sscanf(text.c_str(), "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0], &mac[1], &mac[2], &mac[3],
                  &mac[4], &mac[5]) != 6) {
    FailWith(text + " is no MAC address");
  }
}

bench_syns SynsOf(const Attack& attack) {
  bench_syns syns{};
  syns.seed = std::random_device()();
  syns.interval = attack.rate == 0 ? 0 : kSecond / attack.rate;
  syns.server6_hi = static_cast<std::uint64_t>(attack.server6.value >> 64);
  syns.server6_lo = static_cast<std::uint64_t>(attack.server6.value);
  syns.server4 = static_cast<std::uint32_t>(attack.server4.value);
  syns.port = attack.port;
  syns.sources = attack.sources;
  syns.interfaces[0] = IndexOf(attack.interface);
  syns.interfaces[1] = attack.other.empty() ? syns.interfaces[0] : IndexOf(attack.other);
  ReadMac(attack.gateway_mac, syns.destination_mac);
  std::copy_n(kAttackerMac, 6, syns.source_mac);
  return syns;
}

// A program on an interface, which then also takes what a program on its other end sends back: the
// kernel wakes up one end of a veth for that only if it has a program.
class OnInterface {
 public:
  OnInterface(const std::string& interface, Taker taker)
      : object_(taker == Taker::kDrop ? "fastpath/bpf/drop.bpf.c" : "flood/bpf/pass.bpf.c") {
    object_.Load();
    at_.emplace(place_, IndexOf(interface), object_.Program("bench_subject"));
  }
  const Namespace& place() const { return place_; }

 private:
  const Namespace place_ = Namespace::OfThisThread();
  BpfObject object_;
  std::optional<AttachedXdp> at_;
};

}  // namespace

std::uint64_t Flood(const Attack& attack) {
  const StopSignal stop;
  const OnInterface sink(attack.interface, Taker::kDrop);
  BpfObject object("flood/bpf/syn_sender.bpf.c");
  object.Load();
  const int map = object.Map("bench_syns");
  const std::uint32_t zero = 0;
  bench_syns syns = SynsOf(attack);
  if (bpf_map_update_elem(map, &zero, &syns, BPF_ANY) != 0) Fail("set the flood");
  LiveFrames frames(object.Program("bench_send_syn"),
                    FrameOf(space::Family::kV6, BENCH_SYN_BYTES + 1));
  frames.Start(sink.place(), attack.cpu);
  stop.Wait();
  frames.Stop();
  if (bpf_map_lookup_elem(map, &zero, &syns) != 0) Fail("read the flood");
  return syns.made;
}

void TakeAll(const std::string& interface, Taker taker) {
  const StopSignal stop;
  const OnInterface on(interface, taker);
  stop.Wait();
}

}  // namespace march::bench
