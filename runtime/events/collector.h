// What fills the log: events from the kernel's ring, when there are any, records of connections as
// they are handed in, and every second what was counted. Runs on the io_context of the caller's.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/outcome.h"
#include "bundle/mappings.h"
#include "runtime/bpf/event_ring.h"
#include "runtime/bpf/state_maps.h"
#include "runtime/events/event_json.h"
#include "runtime/events/event_log.h"
#include "runtime/flows/flow_table.h"

namespace march::events {

// The names of a generation's slots; null if they are not known. Good until the next event.
using MappingsOf = std::function<const bundle::MappingTable*(std::uint64_t generation)>;

class Collector {
 public:
  // `state` and `log` outlive the collector. Without a ring in `state` there are no events of
  // packets. Error: kKernelRefused.
  static Outcome<std::unique_ptr<Collector>> Start(boost::asio::io_context& context,
                                                   const bpf::StateMaps& state,
                                                   MappingsOf mappings_of, EventLog& log);
  // A connection has ended.
  void Record(const flows::FlowRecord& record);

  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

 private:
  Collector(boost::asio::io_context& context, const bpf::StateMaps& state, MappingsOf mappings_of,
            EventLog& log);

  Outcome<Done> OpenRing();
  Names Resolve(std::uint64_t generation, std::uint32_t slot, std::uint32_t interface);
  void Wait();
  void Pause();
  void Read();
  void Count();

  std::optional<bpf::EventRing> ring_;
  const bpf::StateMaps& state_;
  MappingsOf mappings_of_;
  EventLog& log_;
  boost::asio::posix::stream_descriptor readable_;
  boost::asio::steady_timer pause_;
  boost::asio::steady_timer second_;
  std::uint64_t records_ = 0;
  std::map<std::uint32_t, std::string> interfaces_;  // by index, as of this second
};

}  // namespace march::events
