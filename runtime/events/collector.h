// From the kernel's ring to the log: reads events when there are any, and what was counted every
// second. Runs on the io_context of the caller's.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>

#include "base/outcome.h"
#include "bundle/mappings.h"
#include "runtime/bpf/event_ring.h"
#include "runtime/bpf/state_maps.h"
#include "runtime/events/event_log.h"

namespace march::events {

// The names of a generation's slots; null if they are not known. Good until the next event.
using NamesOf = std::function<const bundle::MappingTable*(std::uint64_t generation)>;

class Collector {
 public:
  // `state` has the ring, and like `log` outlives the collector. Error: kKernelRefused.
  static Outcome<std::unique_ptr<Collector>> Start(boost::asio::io_context& context,
                                                   const bpf::StateMaps& state, NamesOf names,
                                                   EventLog& log);
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

 private:
  Collector(boost::asio::io_context& context, int wake, bpf::EventRing ring,
            const bpf::StateMaps& state, NamesOf names, EventLog& log);

  void Wait();
  void Pause();
  void Read();
  void Count();

  bpf::EventRing ring_;
  const bpf::StateMaps& state_;
  NamesOf names_;
  EventLog& log_;
  boost::asio::posix::stream_descriptor readable_;
  boost::asio::steady_timer pause_;
  boost::asio::steady_timer second_;
};

}  // namespace march::events
