// march-bench-acl 4|6 RULES: what DPDK's librte_acl needs to classify packets in memory. A helper
// of march-bench-fastpath, which talks to it in lines:
//
//   (start)           ready BUILD_SECONDS TABLE_BYTES, or failed WHY
//   trace FILE        trace PACKETS          struct bench_packet4 or bench_packet6 of bpf/trace.h
//   measure PACKETS   ns PER_PACKET          from the trace's start, over and over
//   verdicts COUNT    one digit a packet     1 is allowed
#include <rte_acl.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_malloc.h>
#include <rte_memory.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "bench/common/cpu_time.h"
#include "bench/fastpath/acl/rules.h"
#include "bench/fastpath/bpf/trace.h"

namespace {

using march::bench::AclRule;

constexpr std::size_t kBurst = 64;
constexpr std::uint32_t kAllow = 2;
constexpr std::uint32_t kDeny = 1;
constexpr std::size_t kMostFields = 11;

RTE_ACL_RULE_DEF(RuleOfMost, kMostFields);

// Protocol; source and destination in words of 32 bits; both ports.
struct Layout {
  std::uint32_t address_words = 0;
  std::uint32_t fields = 0;
  std::uint32_t packet_bytes = 0;
  std::array<rte_acl_field_def, kMostFields> defs{};
};

template <class Packet>
Layout LayoutOf() {
  Layout layout;
  layout.address_words = sizeof(Packet::source) / 4;
  layout.packet_bytes = sizeof(Packet);
  const auto add = [&](std::size_t type, std::size_t size, std::size_t offset, std::size_t input) {
    rte_acl_field_def& def = layout.defs[layout.fields];
    def.type = static_cast<std::uint8_t>(type);
    def.size = static_cast<std::uint8_t>(size);
    def.field_index = static_cast<std::uint8_t>(layout.fields++);
    def.input_index = static_cast<std::uint8_t>(input);
    def.offset = static_cast<std::uint32_t>(offset);
  };
  const std::size_t words = layout.address_words;
  add(RTE_ACL_FIELD_TYPE_BITMASK, 1, offsetof(Packet, protocol), 0);
  for (std::size_t i = 0; i < words; ++i) {
    add(RTE_ACL_FIELD_TYPE_MASK, 4, offsetof(Packet, source) + 4 * i, 1 + i);
  }
  for (std::size_t i = 0; i < words; ++i) {
    add(RTE_ACL_FIELD_TYPE_MASK, 4, offsetof(Packet, destination) + 4 * i, 1 + words + i);
  }
  add(RTE_ACL_FIELD_TYPE_RANGE, 2, offsetof(Packet, ports), 1 + 2 * words);
  add(RTE_ACL_FIELD_TYPE_RANGE, 2, offsetof(Packet, ports) + 2, 1 + 2 * words);
  return layout;
}

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

[[noreturn]] void Failed(const std::string& why) {
  std::cout << "failed " << why << std::endl;
  std::exit(1);
}

void SetPrefix(rte_acl_field* fields, const std::uint8_t* address, unsigned length,
               std::uint32_t words) {
  for (std::uint32_t i = 0; i < words; ++i) {
    std::uint32_t word = 0;
    for (unsigned byte = 0; byte < 4; ++byte) word = word << 8 | address[4 * i + byte];
    fields[i].value.u32 = word;
    fields[i].mask_range.u32 = std::clamp(length, 32 * i, 32 * i + 32) - 32 * i;
  }
}

RuleOfMost RuleFor(const AclRule& rule, const Layout& layout, std::int32_t priority) {
  RuleOfMost made{};
  made.data.category_mask = 1;
  made.data.priority = priority;
  made.data.userdata = rule.allow != 0 ? kAllow : kDeny;
  const std::uint32_t words = layout.address_words;
  made.field[0].value.u8 = rule.protocol;
  made.field[0].mask_range.u8 = 0xFF;
  SetPrefix(&made.field[1], rule.source, rule.source_length, words);
  SetPrefix(&made.field[1 + words], rule.destination, rule.destination_length, words);
  rte_acl_field* ports = &made.field[1 + 2 * words];
  ports[0].value.u16 = 0;
  ports[0].mask_range.u16 = 0xFFFF;
  ports[1].value.u16 = rule.first_port;
  ports[1].mask_range.u16 = rule.last_port;
  return made;
}

std::size_t HeapBytes() {
  rte_malloc_socket_stats stats{};
  return rte_malloc_get_socket_stats(0, &stats) == 0 ? stats.heap_allocsz_bytes : 0;
}

// DPDK's own memory would be huge pages; here none are reserved, so they are asked for.
int AskForHugePages(const rte_memseg_list* list, void*) {
  ::madvise(list->base_va, list->len, MADV_HUGEPAGE);
  return 0;
}

rte_acl_ctx* Build(const std::string& path, const Layout& layout) {
  const std::string bytes = ReadAll(path);
  const std::size_t count = bytes.size() / sizeof(AclRule);
  rte_acl_param parameters{};
  parameters.name = "march";
  parameters.socket_id = SOCKET_ID_ANY;
  parameters.rule_size = static_cast<std::uint32_t>(RTE_ACL_RULE_SZ(layout.fields));
  parameters.max_rule_num = static_cast<std::uint32_t>(count);
  rte_acl_ctx* context = rte_acl_create(&parameters);
  if (context == nullptr) Failed("rte_acl_create: " + std::string(rte_strerror(rte_errno)));
  for (std::size_t i = 0; i < count; ++i) {
    AclRule rule{};
    std::memcpy(&rule, bytes.data() + i * sizeof(rule), sizeof(rule));
    const RuleOfMost made = RuleFor(rule, layout, static_cast<std::int32_t>(count - i));
    const auto* plain = reinterpret_cast<const rte_acl_rule*>(&made);
    if (const int error = rte_acl_add_rules(context, plain, 1); error != 0) {
      Failed("rte_acl_add_rules: " + std::string(rte_strerror(-error)));
    }
  }
  rte_acl_config config{};
  config.num_categories = 1;
  config.num_fields = layout.fields;
  std::copy_n(layout.defs.begin(), layout.fields, config.defs);
  const std::size_t before = HeapBytes();
  const auto start = std::chrono::steady_clock::now();
  if (const int error = rte_acl_build(context, &config); error != 0) {
    Failed("rte_acl_build: " + std::string(rte_strerror(-error)));
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::cout << "ready " << took.count() << " " << HeapBytes() - before << std::endl;
  return context;
}

class Trace {
 public:
  Trace(const std::string& path, std::size_t packet_bytes) : bytes_(ReadAll(path)) {
    for (std::size_t at = 0; at + packet_bytes <= bytes_.size(); at += packet_bytes) {
      packets_.push_back(reinterpret_cast<const std::uint8_t*>(bytes_.data()) + at);
    }
  }
  std::size_t size() const { return packets_.size(); }
  const std::uint8_t** At(std::size_t packet) { return packets_.data() + packet % packets_.size(); }

 private:
  std::string bytes_;
  std::vector<const std::uint8_t*> packets_;
};

double Measure(const rte_acl_ctx* context, Trace& trace, std::size_t packets) {
  std::array<std::uint32_t, kBurst> results{};
  std::uint64_t allowed = 0;
  const double start = march::bench::ThreadCpuNanoseconds();
  std::size_t done = 0;
  while (done < packets) {
    const std::size_t left_in_trace = trace.size() - done % trace.size();
    const auto burst = static_cast<std::uint32_t>(std::min(kBurst, left_in_trace));
    rte_acl_classify(context, trace.At(done), results.data(), burst, 1);
    for (std::uint32_t i = 0; i < burst; ++i) allowed += results[i] == kAllow;
    done += burst;
  }
  const double took = march::bench::ThreadCpuNanoseconds() - start;
  // Used, so that it is counted.
  return allowed <= done ? took / static_cast<double>(done) : 0;
}

std::string Verdicts(const rte_acl_ctx* context, Trace& trace, std::size_t count) {
  std::string digits;
  for (std::size_t i = 0; i < count; ++i) {
    std::uint32_t result = 0;
    rte_acl_classify(context, trace.At(i), &result, 1, 1);
    digits += result == kAllow ? '1' : '0';
  }
  return digits;
}

void Serve(const rte_acl_ctx* context, const Layout& layout) {
  Trace trace("", layout.packet_bytes);
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string command, argument;
    words >> command >> argument;
    if (command == "trace") {
      trace = Trace(argument, layout.packet_bytes);
      std::cout << "trace " << trace.size() << std::endl;
    } else if (trace.size() == 0) {
      Failed("there is no trace");
    } else if (command == "measure") {
      std::cout << "ns " << Measure(context, trace, std::stoull(argument)) << std::endl;
    } else if (command == "verdicts") {
      std::cout << Verdicts(context, trace, std::stoull(argument)) << std::endl;
    } else {
      Failed("what is " + command + "?");
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: march-bench-acl 4|6 RULES\n";
    return 64;
  }
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const char* arguments[] = {argv[0], "--no-huge", "--no-pci", "--no-shconf", "--no-telemetry",
                             "-m",    "4096",      "--lcores", "0",           "--log-level=1"};
  // rte_eal_init does not change what it points to.
  if (rte_eal_init(static_cast<int>(std::size(arguments)), const_cast<char**>(arguments)) < 0) {
    Failed("rte_eal_init: " + std::string(rte_strerror(rte_errno)));
  }
  rte_memseg_list_walk(AskForHugePages, nullptr);
  const Layout layout =
      std::string(argv[1]) == "4" ? LayoutOf<bench_packet4>() : LayoutOf<bench_packet6>();
  rte_acl_ctx* context = Build(argv[2], layout);
  Serve(context, layout);
  return 0;
}
