// The surroundings of a gateway whose program is run on single frames: a network namespace with the
// loopback interface, where frames come in, and a way out.
#pragma once

#include <cstdint>
#include <string>

#include "bundle/abi/interface.h"
#include "tests/connections/gateway.h"
#include "tests/forwarding/frame.h"

namespace march::tests {

// Of the gateway where frames come in, of its way out, and of the next hop there.
inline const Bytes kInMac = Hex("020000000001");
inline const Bytes kOutMac = Hex("0200000000aa");
inline const Bytes kNextMac = Hex("0200000000bb");

// Makes a namespace and moves into it, once for the test program: forwarding is on, "out" leads to
// 10.2.0.0/16 and 2001:db8:2::/48 by 10.2.0.9 and 2001:db8:2::9, whose MAC is known. Skips the test
// without root.
void EnterNetwork();

// Runs a command of ip(8), which must succeed.
void Ip(const std::string& arguments);
// Several, one a line.
void IpBatch(const std::string& commands);
void Sysctl(const std::string& name, const std::string& value);

unsigned OutIndex();

// A gateway that forwards and answers, whose interfaces are as `in` and `out` say.
class Forwarder {
 public:
  explicit Forwarder(march_config config);

  // Flags of the interfaces.
  std::uint32_t in = MARCH_INTERFACE_FAST;
  std::uint32_t out = MARCH_INTERFACE_FAST | MARCH_INTERFACE_TRANSMITS;
  bool has_addresses = true;      // 10.1.0.1 and 2001:db8:1::1
  std::uint64_t plain_until = 0;  // march_interface.plain_until, of both families

  Gateway& gateway() { return gateway_; }
  void Enforce(const std::string& policy);
  bpf::FrameResult Run(const Bytes& frame) { return gateway_.Run(frame); }
  // What `which` has become by one frame.
  std::uint64_t Counts(march_statistic which, const Bytes& frame);

 private:
  Gateway gateway_;
};

}  // namespace march::tests
