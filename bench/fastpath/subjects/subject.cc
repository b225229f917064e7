#include "bench/fastpath/subjects/subject.h"

namespace march::bench {

std::optional<std::string> Subject::Prepare(const std::vector<tests::Packet>&) {
  return {};
}

double ProgramSubject::Measure(Feeder& feeder, std::uint32_t packets) {
  return feeder.Measure(program(), packets);
}

std::vector<bool> ProgramSubject::Verdicts(Feeder& feeder, std::size_t count) {
  return feeder.Verdicts(program(), count);
}

const std::vector<SubjectKind>& SubjectKinds() {
  static const std::vector<SubjectKind> kinds = {
      {"drop", "control: an XDP program that drops every packet unseen", true, MakeDrop},
      {kFloor, "control: reads all headers as the generated program does and decides nothing", true,
       MakeFloor},
      {kOurs, "the generated program and its tables, loaded as on a gateway; counts every packet",
       false, MakeGenerated},
      {"array",
       "control: the floor and one look-up in a BPF array with an 8-byte entry a mapping, "
       "at a place as good as random",
       true, MakeRandomArray},
      {"hash", "control: the floor and one look-up in a BPF hash map, likewise", true,
       MakeRandomHash},
      {"lpm",
       "reference of ours: LPM tries for source and destination, array for the port's class, "
       "hash map of the three; as Cilium, katran and xdp-filter are built",
       false, MakeLpm},
      {"bit-vector", "reference of ours: linear bit vector, as in bpf-iptables", false,
       MakeBitVector},
      {"rte_acl",
       "DPDK's librte_acl: classification alone, from user-space memory, no packet "
       "parsing, in bursts of 64; nothing is subtracted",
       false, MakeRteAcl},
  };
  return kinds;
}

}  // namespace march::bench
