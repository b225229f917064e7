// The connections that the programs keep (bundle/abi/flow.h), as marchd sees and ends them. Both
// arrays are mapped into its memory: looking at them takes no system call and holds up no packet.
//
// What keeps this right while packets come:
//
// *Reading.* The word of a place, its record, the word again. A place changes hands only by way of
// a word that says that it is taken, so if the upper half of the word is as it was, the record is
// of the flow that the word speaks of. Counts may be those of two moments a few nanoseconds apart.
//
// *Sweeping.* Packets do not find a flow any more once its deadline has passed, or once one of them
// has ended it. The sweeper waits kGrace longer. By then no program is left that has found the flow
// before: programs run for microseconds and read the same clock. Whoever prolonged it at the last
// moment has done so, and the word has its new deadline. Whoever comes now can do one thing only:
// take the place, which begins with a compare-and-swap of the word. The sweeper reads the word,
// then the record, and frees the place with a compare-and-swap from the word that it read. If that
// succeeds, the place belonged to nobody else all the while: a word that is taken or written anew
// never gets back the value it had, since whoever writes one writes a deadline that is not before
// the tick before its own time, and so later than one whose grace is over. If it fails, a newer
// flow has taken the place, which has counted it (MARCH_STATISTIC_FLOWS_REPLACED), and there is no
// record. A record is handed out after its place was freed: at most once.
//
// *Cutting* sets a bit of the record, atomically, as the programs set theirs. If the place has
// changed hands just then, the bit is taken back from the flow that was not meant. A flow that
// moves from the new ones to the established ones may leave the bit behind; so CutAll looks again
// until it finds none to cut.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

#include "base/outcome.h"
#include "bundle/abi/config.h"
#include "bundle/abi/flow.h"
#include "runtime/flows/clock.h"
#include "runtime/flows/native_flow.h"

namespace march::flows {

// A living flow as it was at one moment.
struct Flow {
  std::uint32_t number = 0;  // of its place
  std::uint64_t word = 0;
  march_flow record{};
};

enum class Ending {
  kTimeout,    // nothing came for as long as its state allowed
  kFinished,   // TCP: both sides have ended it
  kReset,      // TCP: one side has reset it
  kCut,        // an operator has cut it
  kForbidden,  // a later policy forbids it
};

struct FlowRecord {
  march_flow flow{};  // as it was at last
  Tick ended = 0;     // its last packet, to four ticks, or its cut
  Ending ending = Ending::kTimeout;
};

struct Living {
  std::uint64_t established = 0;
  std::uint64_t fresh = 0;
};

class FlowTable {
 public:
  // How long after its end a flow is left alone, in ticks; at least one whole tick passes.
  static constexpr Tick kGrace = 2;

  // The maps march_flow_buckets and march_flows, of the sizes that `config` says. The descriptors
  // are not needed afterwards. Error: kKernelRefused.
  static Outcome<FlowTable> Map(int buckets_fd, int flows_fd, const march_config& config);
  // Memory of somebody else's, which stays there.
  FlowTable(march_flow_bucket* buckets, march_flow* flows, const march_config& config);
  FlowTable(FlowTable&& other) noexcept;
  FlowTable& operator=(FlowTable&& other) noexcept;
  ~FlowTable();

  const march_config& config() const { return config_; }
  // In flows.
  std::uint64_t established_capacity() const;
  std::uint64_t fresh_capacity() const;

  // Every flow that lives from the start to the end of the walk is visited, once; one that moves
  // meanwhile may be visited twice.
  void Walk(Tick now, const std::function<void(const Flow&)>& visit) const;
  // Reads the words alone, so it is much faster than a walk.
  Living Count(Tick now) const;

  // Cuts those that `matches`, new ones too: none of their packets passes any more, until
  //   TCP: the opener begins a new connection (SYN), or
  //   all: as much time has passed as a silent flow in its state is remembered, from the cut on.
  // What comes then is judged by the policy, as if it were new. How many were cut.
  std::uint64_t CutAll(Tick now, const std::function<bool(const march_flow&)>& matches);

  // Frees the places of flows that have ended and hands out what they were; at most `most` of them,
  // after which the next call goes on where this one stopped. True: it came to the end.
  bool Sweep(Tick now, std::size_t most, const std::function<void(const FlowRecord&)>& take);

  // In ticks: how long the flow is remembered when nothing comes.
  Tick TimeoutOf(const march_flow& record) const;
  // The last packet of a living flow, to four ticks.
  Tick LastSeen(const Flow& flow) const;

  march_native_flows native() { return {&config_, buckets_, flows_}; }

 private:
  FlowTable() = default;
  std::uint32_t places() const;
  std::optional<Flow> Read(std::uint32_t number, std::uint64_t word) const;
  bool Cut(const Flow& flow, Tick now);
  FlowRecord RecordOf(const Flow& ended) const;

  march_config config_{};
  march_flow_bucket* buckets_ = nullptr;
  march_flow* flows_ = nullptr;
  bool is_mapped_ = false;
  std::uint32_t next_ = 0;  // place to sweep
};

}  // namespace march::flows
