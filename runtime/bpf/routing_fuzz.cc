// The reader of rtnetlink, fed with arbitrary bytes: it must stay inside them, and whatever it does
// not understand to the end makes routing of both families one that asks for more.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "runtime/bpf/netlink.h"
#include "runtime/bpf/routing.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using march::bpf::kIpv4;
  using march::bpf::kIpv6;
  using march::bpf::ReadRoutingNews;
  using march::bpf::RoutingNews;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  RoutingNews whole;
  ReadRoutingNews(bytes, whole);
  // Message by message, it says the same.
  RoutingNews parts;
  std::string_view rest = bytes;
  std::size_t begin = 0;
  while (march::bpf::TakeMessage(rest)) {
    const std::size_t end = bytes.size() - rest.size();
    ReadRoutingNews(bytes.substr(begin, end - begin), parts);
    begin = end;
  }
  if (!rest.empty()) {
    if (!whole.failed || !whole.asks_more[kIpv4] || !whole.asks_more[kIpv6]) std::abort();
    ReadRoutingNews(rest, parts);
  }
  if (whole.changed != parts.changed || whole.asks_more != parts.asks_more ||
      whole.done != parts.done || whole.failed != parts.failed || whole.error != parts.error) {
    std::abort();
  }
  return 0;
}
