// march-tag-frames INTERFACE ID: all that leaves by INTERFACE has the VLAN tag ID (IEEE 802.1Q),
// and nothing comes in but what has it; as in a VLAN interface, on kernels that have none. The tag
// is in the frame only where `ethtool -K INTERFACE txvlan off` was said. Lasts until the
// interface's clsact is deleted.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <net/if.h>

#include <cerrno>
#include <cstring>
#include <iostream>
#include <string>

#include "base/number.h"
#include "base/print.h"
#include "compiler/clang/bpf_object.h"

namespace {

constexpr std::uint32_t kMaxId = 4094;

// Behind a definition of ID. The context is struct __sk_buff, as far as it is used.
const char* const kPrograms = R"(
#include "common/bpf.h"

struct frame {
  uint32_t bytes;
  uint32_t type;
  uint32_t mark;
  uint32_t queue;
  uint32_t protocol;
  uint32_t is_tagged;
  uint32_t tag;
};

static long (*const bpf_skb_vlan_push)(struct frame* frame, uint16_t type, uint16_t tag) =
    (void*)18;
static long (*const bpf_skb_vlan_pop)(struct frame* frame) = (void*)19;

enum { PASS = 0, DROP = 2 };

SEC("tc")
int tag_egress(struct frame* frame) {
  return bpf_skb_vlan_push(frame, __builtin_bswap16(0x8100), ID) == 0 ? PASS : DROP;
}

SEC("tc")
int tag_ingress(struct frame* frame) {
  if (!frame->is_tagged || frame->tag != ID) return DROP;
  return bpf_skb_vlan_pop(frame) == 0 ? PASS : DROP;
}

char march_license[] SEC("license") = "GPL";
)";

bpf_tc_hook HookOf(unsigned ifindex, bpf_tc_attach_point where) {
  bpf_tc_hook hook{};
  hook.sz = sizeof(hook);
  hook.ifindex = static_cast<int>(ifindex);
  hook.attach_point = where;
  return hook;
}

// Where programs can be attached (clsact).
bool MakeHooks(unsigned ifindex) {
  bpf_tc_hook both =
      HookOf(ifindex, static_cast<bpf_tc_attach_point>(BPF_TC_INGRESS | BPF_TC_EGRESS));
  return bpf_tc_hook_create(&both) == 0;
}

bool Attach(const bpf_object* object, const char* program, unsigned ifindex,
            bpf_tc_attach_point where) {
  bpf_tc_hook hook = HookOf(ifindex, where);
  bpf_tc_opts options{};
  options.sz = sizeof(options);
  options.prog_fd = bpf_program__fd(bpf_object__find_program_by_name(object, program));
  return bpf_tc_attach(&hook, &options) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  const auto id = argc == 3 ? march::ReadNumber<std::uint32_t>(argv[2]) : std::nullopt;
  if (!id || *id == 0 || *id > kMaxId) {
    std::cerr << "usage: march-tag-frames INTERFACE ID\n";
    return 64;
  }
  const auto compiled =
      march::clang::CompileBpf({"#define ID " + std::to_string(*id) + "\n" + kPrograms});
  if (!compiled) {
    march::PrintText(compiled.diagnostics(), std::cerr);
    return 1;
  }
  bpf_object* object =
      bpf_object__open_mem(compiled->bytes.data(), compiled->bytes.size(), nullptr);
  const unsigned ifindex = if_nametoindex(argv[1]);
  if (object == nullptr || ifindex == 0 || bpf_object__load(object) != 0 || !MakeHooks(ifindex) ||
      !Attach(object, "tag_egress", ifindex, BPF_TC_EGRESS) ||
      !Attach(object, "tag_ingress", ifindex, BPF_TC_INGRESS)) {
    std::cerr << "march-tag-frames: " << argv[1] << ": " << std::strerror(errno) << "\n";
    return 1;
  }
  bpf_object__close(object);
  return 0;
}
