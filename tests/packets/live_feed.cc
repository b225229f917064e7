// march-live-feed INTERFACE [FRAMES]: sends UDP frames out of INTERFACE as fast as one core can,
// IPv4 and IPv6 by turns, until SIGTERM; then prints how many.
//
// Flow i of 64 goes from 10.1.0.i to 10.2.0.i (2001:db8:1::i to 2001:db8:2::i). A frame has 62
// bytes, of which IP has 48. The frames are made in the kernel with BPF_PROG_TEST_RUN in live mode
// and redirected to the interface, in batches that a veth's ring of 256 takes without loss. After
// FRAMES the kernel pauses for some 30 ms: with few, that takes a third of the time; with many,
// whoever waits for all CPUs to have left the kernel's programs, as a change of policy does, waits
// long. Ends with the process that started it.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <net/if.h>
#include <sys/prctl.h>

#include <array>
#include <csignal>
#include <cstring>
#include <iostream>
#include <string>

#include "base/number.h"
#include "base/print.h"
#include "compiler/clang/bpf_object.h"
#include "compiler/prove/frame.h"
#include "compiler/space/protocol.h"

namespace {

constexpr std::uint32_t kBatch = 64;
constexpr std::uint32_t kFramesPerRun = 64 * 1024;  // unless told otherwise
constexpr std::uint32_t kMostFramesPerRun = 1U << 30;
constexpr std::size_t kFrameBytes = 62;
constexpr std::size_t kRoom = 64;  // a frame in the map

const char* const kProgram = R"(
#include "common/bpf.h"

struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_ARRAY);
  MARCH_MAP_UINT(max_entries, 2);
  MARCH_MAP_TYPE(key, uint32_t);
  MARCH_MAP_TYPE(value, uint64_t);
} feed SEC(".maps");  /* frames so far; the interface to send from */

struct frame {
  uint64_t words[8];
};

struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_ARRAY);
  MARCH_MAP_UINT(max_entries, 2);
  MARCH_MAP_TYPE(key, uint32_t);
  MARCH_MAP_TYPE(value, struct frame);
} frames SEC(".maps");  /* IPv4; IPv6 */

static long (*const bpf_redirect)(uint32_t ifindex, uint64_t flags) = (void*)23;

SEC("xdp")
int march_feed(struct xdp_md* context) {
  uint8_t* data = (uint8_t*)(uint64_t)context->data;
  uint8_t* end = (uint8_t*)(uint64_t)context->data_end;
  const uint32_t frames_key = 0;
  const uint32_t interface_key = 1;
  uint64_t* sent = bpf_map_lookup_elem(&feed, &frames_key);
  uint64_t* interface = bpf_map_lookup_elem(&feed, &interface_key);
  if (!sent || !interface || data + 62 > end) return XDP_DROP;
  /* So many of a family in turn. */
  const uint32_t family = *sent >> 16 & 1;
  const struct frame* frame = bpf_map_lookup_elem(&frames, &family);
  if (!frame) return XDP_DROP;
  /* Pages come back with what was left in them, by a receiver too: every byte is written. */
  for (uint32_t i = 0; i < 7; i++) *(uint64_t*)(data + 8 * i) = frame->words[i];
  *(uint32_t*)(data + 56) = (uint32_t)frame->words[7];
  *(uint16_t*)(data + 60) = (uint16_t)(frame->words[7] >> 32);
  const uint8_t flow = *sent & 63;
  *sent += 1;
  if (family == 0) {
    data[29] = flow;
    data[33] = flow;
  } else {
    data[37] = flow;
    data[53] = flow;
  }
  return bpf_redirect((uint32_t)*interface, 0);
}

char march_license[] SEC("license") = "GPL";
)";

volatile std::sig_atomic_t stop = 0;

int Fail(const std::string& what) {
  std::cerr << "march-live-feed: " << what << ": " << std::strerror(errno) << "\n";
  return 1;
}

std::vector<std::uint8_t> Frame(march::space::Family family) {
  using march::space::Address;
  const bool v4 = family == march::space::Family::kV4;
  const march::space::Flow flow = {march::space::kUdp,
                                   *Address::Parse(v4 ? "10.1.0.0" : "2001:db8:1::"),
                                   *Address::Parse(v4 ? "10.2.0.0" : "2001:db8:2::"),
                                   40000,
                                   9,
                                   false};
  std::vector<std::uint8_t> frame = march::prove::BuildFrame(flow);
  if (!v4) return frame;
  // As long as those of IPv6, whose header has 20 bytes more.
  constexpr std::uint8_t kMore = 20;
  constexpr std::size_t kTotalLength = 17;  // the lower bytes of fields that hold less than 236
  constexpr std::size_t kUdpLength = 39;
  constexpr std::size_t kChecksum = 24;
  frame[kTotalLength] = static_cast<std::uint8_t>(frame[kTotalLength] + kMore);
  frame[kUdpLength] = static_cast<std::uint8_t>(frame[kUdpLength] + kMore);
  const auto before = static_cast<std::uint32_t>(frame[kChecksum] << 8 | frame[kChecksum + 1]);
  // One's complement (RFC 1624).
  const std::uint32_t after = before >= kMore ? before - kMore : before + 0xFFFF - kMore;
  frame[kChecksum] = static_cast<std::uint8_t>(after >> 8);
  frame[kChecksum + 1] = static_cast<std::uint8_t>(after);
  frame.resize(frame.size() + kMore);
  return frame;
}

bool Install(int frames, std::uint32_t family, std::vector<std::uint8_t> frame) {
  frame.resize(kRoom);
  return bpf_map_update_elem(frames, &family, frame.data(), BPF_ANY) == 0;
}

// False with errno set.
bool Run(int program, std::uint32_t frames) {
  const std::array<std::uint8_t, kFrameBytes> frame{};
  bpf_test_run_opts options{};
  options.sz = sizeof(options);
  options.data_in = frame.data();
  options.data_size_in = static_cast<std::uint32_t>(frame.size());
  options.repeat = static_cast<int>(frames);
  options.flags = BPF_F_TEST_XDP_LIVE_FRAMES;
  options.batch_size = kBatch;
  return bpf_prog_test_run_opts(program, &options) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  const auto frames_per_run = argc == 3 ? march::ReadNumber<std::uint32_t>(argv[2]) : kFramesPerRun;
  if (argc < 2 || argc > 3 || frames_per_run.value_or(0) == 0 ||
      *frames_per_run > kMostFramesPerRun) {
    std::cerr << "usage: march-live-feed INTERFACE [FRAMES]\n";
    return 64;
  }
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  const auto compiled = march::clang::CompileBpf({kProgram});
  if (!compiled) {
    march::PrintText(compiled.diagnostics(), std::cerr);
    return 1;
  }
  bpf_object* object =
      bpf_object__open_mem(compiled->bytes.data(), compiled->bytes.size(), nullptr);
  if (object == nullptr || bpf_object__load(object) != 0) return Fail("loading the feed");
  const int program = bpf_program__fd(bpf_object__find_program_by_name(object, "march_feed"));
  const int feed = bpf_map__fd(bpf_object__find_map_by_name(object, "feed"));
  const std::uint32_t interface_key = 1;
  const std::uint64_t interface = if_nametoindex(argv[1]);
  if (interface == 0) return Fail(argv[1]);
  if (bpf_map_update_elem(feed, &interface_key, &interface, BPF_ANY) != 0) return Fail("the feed");
  const int frames = bpf_map__fd(bpf_object__find_map_by_name(object, "frames"));
  if (!Install(frames, 0, Frame(march::space::Family::kV4)) ||
      !Install(frames, 1, Frame(march::space::Family::kV6))) {
    return Fail("the frames");
  }

  struct sigaction action{};
  action.sa_handler = [](int) { stop = 1; };
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  while (stop == 0) {
    if (!Run(program, *frames_per_run) && errno != EINTR) return Fail("sending");
  }
  const std::uint32_t frames_key = 0;
  std::uint64_t sent = 0;
  if (bpf_map_lookup_elem(feed, &frames_key, &sent) != 0) return Fail("the feed");
  std::cout << sent << "\n";
  bpf_object__close(object);
  return 0;
}
