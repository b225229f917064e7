#include "bench/stateful/live/connections.h"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <string>

#include "bench/common/fail.h"

namespace march::bench {
namespace {

// 0 where the kernel tracks no connections.
std::uint64_t ReadNumber(const std::string& name) {
  std::ifstream file("/proc/sys/net/netfilter/" + name);
  std::uint64_t number = 0;
  file >> number;
  return number;
}

// IPCTNL_MSG_CT_DELETE without a tuple.
struct FlushRequest {
  nlmsghdr header{};
  nfgenmsg generic{};
};
struct Answer {
  nlmsghdr header{};
  nlmsgerr error{};
};

}  // namespace

std::uint64_t CountTracked(const Namespace& place) {
  const Namespace::Inside here(place);
  return ReadNumber("nf_conntrack_count");
}

void FlushTracked(const Namespace& place) {
  const Namespace::Inside here(place);
  const bpf::UniqueFd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
  if (!socket.ok()) Fail("open a netlink socket");
  FlushRequest request;
  request.header.nlmsg_len = sizeof(request);
  request.header.nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
  request.generic.nfgen_family = AF_UNSPEC;
  request.generic.version = NFNETLINK_V0;
  Answer answer;
  if (::send(socket.get(), &request, sizeof(request), 0) < 0 ||
      ::recv(socket.get(), &answer, sizeof(answer), 0) < 0) {
    Fail("flush the tracked connections");
  }
  if (answer.error.error != 0) {
    errno = -answer.error.error;
    Fail("flush the tracked connections");
  }
}

std::uint64_t MostTracked() {
  return ReadNumber("nf_conntrack_max");
}

nlohmann::json DescribeTracking() {
  return {{"buckets", ReadNumber("nf_conntrack_buckets")}, {"most", MostTracked()}};
}

}  // namespace march::bench
