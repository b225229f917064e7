// The real kernel: needs root, BPF, and leave to make namespaces. Everything happens in a network
// and a mount namespace of the test's own, which end with it.
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <thread>

#include "bundle/abi/tables.h"
#include "runtime/bpf/libbpf_kernel.h"
#include "runtime/bpf/loader.h"
#include "runtime/bpf/test_run.h"

namespace march::bpf {
namespace {

constexpr std::uint32_t kSlots = 3328;  // what the objects in testdata have room for
constexpr std::uint32_t kPass = 2;      // enum xdp_action
constexpr std::uint32_t kDrop = 1;

[[noreturn]] void Skip(const std::string& why) {
  std::cerr << "\nSKIPPED: the real kernel was NOT tested: " << why << "\n\n";
  std::exit(77);
}

void Shell(const std::string& command) {
  INFO(command);
  REQUIRE(std::system(command.c_str()) == 0);
}

// Once for the process: namespaces, a bpffs, a pair of veth.
const std::string& Playground() {
  static const std::string directory = [] {
    if (::geteuid() != 0) Skip("this needs root");
    if (::unshare(CLONE_NEWNS | CLONE_NEWNET) != 0) Skip("namespaces cannot be made here");
    if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) Skip("mounts are shared");
    const std::string place = "/mnt";
    if (::mount("tmpfs", place.c_str(), "tmpfs", 0, nullptr) != 0) Skip("tmpfs cannot be mounted");
    std::filesystem::create_directory(place + "/bpf");
    if (::mount("bpf", (place + "/bpf").c_str(), "bpf", 0, nullptr) != 0) {
      Skip("bpffs cannot be mounted");
    }
    if (std::system("ip link add left type veth peer name right && ip link set left up && "
                    "ip link set right up") != 0) {
      Skip("veth interfaces cannot be made");
    }
    return place;
  }();
  return directory;
}

std::string Object(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) Skip("there is no clang to compile " + path);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

const std::string& OneVerdict() {
  static const std::string object = Object(MARCH_TEST_OBJECTS "/one_verdict.o");
  return object;
}

std::string Tables(std::uint32_t action, std::uint32_t slot) {
  std::string tables(sizeof(march_tables_header) + MARCH_LINE_BYTES, '\0');
  const std::uint64_t verdict = MARCH_VERDICT(action, slot);
  std::memcpy(tables.data() + sizeof(march_tables_header), &verdict, 8);
  return tables;
}

const std::string kAllow17 = Tables(MARCH_ACTION_ALLOW, 17);
const std::string kDeny3000 = Tables(MARCH_ACTION_DENY, 3000);

// Frames that arrive at `left`.
void SendFrames(int count) {
  const int fd = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
  REQUIRE(fd >= 0);
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_ifindex = static_cast<int>(::if_nametoindex("right"));
  std::string frame(60, '\0');
  for (int i = 0; i < count; ++i) {
    CHECK(::sendto(fd, frame.data(), frame.size(), 0, reinterpret_cast<const sockaddr*>(&address),
                   sizeof(address)) == 60);
  }
  ::close(fd);
}

std::uint64_t Packets(const Kernel& kernel, std::uint64_t generation, std::uint32_t slot) {
  const auto counters = kernel.ReadCounters(generation);
  REQUIRE(counters.ok());
  REQUIRE(counters->size() == kSlots);
  return (*counters)[slot].packets;
}

// A prepared kernel with nothing pinned yet.
LibbpfKernel Fresh(const std::string& name) {
  LibbpfKernel kernel(Playground() + "/bpf/" + name);
  REQUIRE(kernel.Prepare().ok());
  // The neighbours' own chatter would be counted.
  std::ofstream("/proc/sys/net/ipv6/conf/left/disable_ipv6") << 1;
  std::ofstream("/proc/sys/net/ipv6/conf/right/disable_ipv6") << 1;
  return kernel;
}

std::string Message(const Diagnostics& diagnostics) {
  REQUIRE_FALSE(diagnostics.empty());
  return diagnostics.front().message;
}

TEST_CASE("a program runs on frames and counts them") {
  Playground();
  auto run = TestRun::Load({OneVerdict(), kAllow17, kSlots});
  REQUIRE(run.ok());
  CHECK(run->Run(std::string(60, 'x'))->xdp_action == kPass);
  CHECK(run->Run(std::string(1500, 'x'))->xdp_action == kPass);
  CHECK(run->ReadSlot(17)->packets == 2);
  CHECK(run->ReadSlot(17)->bytes == 1560);
  const auto all = run->ReadAll();
  REQUIRE(all->size() == kSlots);
  CHECK((*all)[17].bytes == 1560);
  CHECK((*all)[18].packets == 0);
  CHECK_FALSE(run->Run("short").ok());
  CHECK_FALSE(run->ReadSlot(kSlots).ok());
  auto drops = TestRun::Load({OneVerdict(), kDeny3000, kSlots});
  REQUIRE(drops.ok());
  CHECK(drops->Run(std::string(60, 'x'))->xdp_action == kDrop);
  CHECK(drops->ReadSlot(3000)->packets == 1);
}

TEST_CASE("what is no program of a bundle is told so") {
  Playground();
  const auto load = [](const std::string& object, const std::string& tables, std::uint32_t slots) {
    const auto program = LoadProgram({object, tables, slots});
    REQUIRE_FALSE(program.ok());
    return program.diagnostics().front();
  };
  CHECK(load("garbage", kAllow17, kSlots).code == Code::kBundleMalformed);
  CHECK(load(OneVerdict(), "odd", kSlots).code == Code::kBundleMalformed);
  CHECK(load(OneVerdict(), kAllow17, 3).code == Code::kBundleMalformed);
  // More than the object has room for.
  CHECK(load(OneVerdict(), kAllow17, kSlots + 1).message ==
        "the BPF object has no room for the counters");
  CHECK(load(OneVerdict(), kAllow17 + std::string(64, '\0'), kSlots).message ==
        "the BPF object has no room for the tables");
  CHECK(load(Object(MARCH_TEST_OBJECTS "/old_counters.o"), kAllow17, 256).message ==
        "the BPF object has no usable map march_counters");
  const std::string old_flows = Object(MARCH_TEST_OBJECTS "/old_flows.o");
  const std::vector<StateMap> flows = {{"march_flows", -1}};
  const auto keeps = LoadProgram({old_flows, kAllow17, kSlots, {}, flows});
  REQUIRE_FALSE(keeps.ok());
  CHECK(
      keeps.diagnostics().front().message ==
      "the BPF object keeps connections in the form of another version; compile the policy again");
  // Where none are kept, it does not matter.
  CHECK(LoadProgram({old_flows, kAllow17, kSlots}).ok());
  const Diagnostic refused = load(Object(MARCH_TEST_OBJECTS "/refused.o"), kAllow17, kSlots);
  CHECK(refused.code == Code::kKernelRefused);
  INFO(refused.message);
  CHECK(refused.message.find("cannot load the program: Permission denied") == 0);
  CHECK(refused.message.find("invalid access to packet") != std::string::npos);
  CHECK(refused.message.size() < 2000);
}

TEST_CASE("a directory that is not on a bpffs is told with the remedy") {
  LibbpfKernel kernel(Playground() + "/plain/march");
  const auto prepared = kernel.Prepare();
  CHECK(Message(prepared.diagnostics()) == "/mnt is not on a bpffs");
  CHECK(prepared.diagnostics().front().hint == "mount -t bpf bpf /mnt");
}

TEST_CASE("live packets are judged, a link is replaced, and pins outlive their maker") {
  for (const XdpMode mode : {XdpMode::kNative, XdpMode::kGeneric}) {
    {
      LibbpfKernel kernel = Fresh("live");
      REQUIRE(kernel.Load(1, {OneVerdict(), kAllow17, kSlots}).ok());
      const auto attached = kernel.Attach("left", mode, 1);
      REQUIRE(attached.ok());
      CHECK(attached->mode == mode);
      SendFrames(5);
    }
    LibbpfKernel kernel = Fresh("live");
    auto pins = kernel.Discover();
    REQUIRE(pins.ok());
    CHECK(pins->generations == std::vector<std::uint64_t>{1});
    REQUIRE(pins->links.size() == 1);
    CHECK(pins->links[0].interface == "left");
    CHECK(pins->links[0].state == LinkState::kAlive);
    CHECK(pins->links[0].generation == 1);
    CHECK(pins->links[0].mode == mode);
    CHECK(Packets(kernel, 1, 17) == 5);

    REQUIRE(kernel.Load(2, {OneVerdict(), kDeny3000, kSlots}).ok());
    REQUIRE(kernel.Replace("left", 2).ok());
    CHECK(kernel.Settle());
    SendFrames(3);
    CHECK(Packets(kernel, 1, 17) == 5);
    CHECK(Packets(kernel, 2, 3000) == 3);
    CHECK(kernel.Discover()->links[0].generation == 2);
    REQUIRE(kernel.Unload(1).ok());
    SendFrames(1);
    CHECK(Packets(kernel, 2, 3000) == 4);
    REQUIRE(kernel.Detach("left").ok());
    SendFrames(1);
    CHECK(Packets(kernel, 2, 3000) == 4);
    REQUIRE(kernel.Unload(2).ok());
    CHECK(kernel.Discover()->generations.empty());
    CHECK(kernel.Discover()->links.empty());
  }
}

TEST_CASE("no packet is lost from the counts while programs are swapped under load") {
  LibbpfKernel kernel = Fresh("load");
  REQUIRE(kernel.Load(1, {OneVerdict(), kAllow17, kSlots}).ok());
  REQUIRE(kernel.Attach("left", XdpMode::kNative, 1).ok());
  constexpr int kFrames = 50'000;
  std::thread sender([] { SendFrames(kFrames); });
  std::uint64_t folded = 0;
  std::uint64_t generation = 1;
  for (; generation < 20; ++generation) {
    REQUIRE(kernel.Load(generation + 1, {OneVerdict(), kAllow17, kSlots}).ok());
    REQUIRE(kernel.Replace("left", generation + 1).ok());
    REQUIRE(kernel.Settle());
    folded += Packets(kernel, generation, 17);
    REQUIRE(kernel.Unload(generation).ok());
  }
  sender.join();
  CHECK(folded + Packets(kernel, generation, 17) == kFrames);
  REQUIRE(kernel.Detach("left").ok());
  REQUIRE(kernel.Unload(generation).ok());
}

TEST_CASE("somebody else's program is named and left alone") {
  LibbpfKernel theirs = Fresh("theirs");
  REQUIRE(theirs.LoadLockdown().ok());
  REQUIRE(theirs.Attach("left", XdpMode::kGeneric, kLockdown).ok());
  LibbpfKernel ours = Fresh("ours");
  REQUIRE(ours.LoadLockdown().ok());
  for (const XdpMode mode : {XdpMode::kAuto, XdpMode::kNative, XdpMode::kGeneric}) {
    const std::string message = Message(ours.Attach("left", mode, kLockdown).diagnostics());
    INFO(message);
    CHECK(message.find("left already runs the XDP program \"march_lockdown\" (id ") == 0);
  }
  CHECK(theirs.Discover()->links[0].state == LinkState::kAlive);
  REQUIRE(theirs.Detach("left").ok());
  CHECK(ours.Attach("left", XdpMode::kAuto, kLockdown)->mode == XdpMode::kNative);
  REQUIRE(ours.Detach("left").ok());
}

TEST_CASE("a link to an interface that was made anew is dead") {
  LibbpfKernel kernel = Fresh("anew");
  // A dot is fine in the name of an interface and not in that of a pin.
  Shell("ip link add v.1 type veth peer name v.2");
  REQUIRE(kernel.LoadLockdown().ok());
  REQUIRE(kernel.Attach("v.1", XdpMode::kAuto, kLockdown).ok());
  CHECK(kernel.Discover()->links[0].interface == "v.1");
  CHECK(kernel.Discover()->links[0].state == LinkState::kAlive);
  Shell("ip link del v.1");
  CHECK_FALSE(kernel.HasInterface("v.1"));
  CHECK(kernel.Discover()->links[0].state == LinkState::kDead);
  Shell("ip link add v.1 type veth peer name v.2");
  CHECK(kernel.Discover()->links[0].state == LinkState::kDead);
  REQUIRE(kernel.Attach("v.1", XdpMode::kAuto, kLockdown).ok());
  CHECK(kernel.Discover()->links[0].state == LinkState::kAlive);
  CHECK(Message(kernel.Attach("none", XdpMode::kAuto, kLockdown).diagnostics()) ==
        "there is no interface none");
  Shell("ip link del v.1");
}

TEST_CASE("a link of which the kernel does not tell is neither dead nor replaced") {
  LibbpfKernel kernel = Fresh("silent");
  REQUIRE(kernel.LoadLockdown().ok());
  REQUIRE(kernel.Attach("left", XdpMode::kAuto, kLockdown).ok());
  CHECK(Message(kernel.Attach("left", XdpMode::kAuto, kLockdown).diagnostics()) ==
        "a link of marchd's may still be attached to left");
  // Without a descriptor to spare, nothing can be learnt of any link.
  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  const rlimit none{0, limit.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  const bool discovered = kernel.Discover().ok();
  const auto attached = kernel.Attach("left", XdpMode::kAuto, kLockdown);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
  CHECK_FALSE(discovered);
  CHECK_FALSE(attached.ok());
  CHECK(kernel.Discover()->links[0].state == LinkState::kAlive);
  REQUIRE(kernel.Detach("left").ok());
}

TEST_CASE("one directory of pins serves one marchd") {
  const LibbpfKernel first = Fresh("shared");
  LibbpfKernel second(Playground() + "/bpf/shared");
  const auto prepared = second.Prepare();
  REQUIRE_FALSE(prepared.ok());
  CHECK(Message(prepared.diagnostics()) == "another marchd uses " + Playground() + "/bpf/shared");
}

TEST_CASE("a generation whose pinning was interrupted is cleaned away") {
  LibbpfKernel kernel = Fresh("partial");
  REQUIRE(kernel.Load(4, {OneVerdict(), kAllow17, kSlots}).ok());
  const std::string directory = Playground() + "/bpf/partial/generations/4";
  std::filesystem::remove(directory + "/prog");
  CHECK(kernel.Discover()->generations.empty());
  REQUIRE(kernel.Prepare().ok());
  CHECK_FALSE(std::filesystem::exists(directory));
}

}  // namespace
}  // namespace march::bpf
