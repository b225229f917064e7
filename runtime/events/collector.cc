#include "runtime/events/collector.h"

#include <fcntl.h>
#include <net/if.h>

#include <array>
#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "runtime/events/event_json.h"

namespace march::events {
namespace {

// A turn is short, so that whoever else waits for this thread gets it.
constexpr std::size_t kTurn = 2048;
// Events come in crowds: waking for each of them would cost more than reading it.
constexpr std::chrono::milliseconds kPause{10};
constexpr std::chrono::seconds kCountEvery{1};

std::string InterfaceName(std::uint32_t index) {
  std::array<char, IF_NAMESIZE> name{};
  return ::if_indextoname(index, name.data()) != nullptr ? std::string(name.data()) : std::string();
}

}  // namespace

Collector::Collector(boost::asio::io_context& context, const bpf::StateMaps& state,
                     MappingsOf mappings_of, EventLog& log)
    : state_(state),
      mappings_of_(std::move(mappings_of)),
      log_(log),
      readable_(context),
      pause_(context),
      second_(context) {}

Outcome<std::unique_ptr<Collector>> Collector::Start(boost::asio::io_context& context,
                                                     const bpf::StateMaps& state,
                                                     MappingsOf mappings_of, EventLog& log) {
  std::unique_ptr<Collector> collector(new Collector(context, state, std::move(mappings_of), log));
  if (auto opened = collector->OpenRing(); !opened.ok()) return std::move(opened).diagnostics();
  collector->Count();
  return collector;
}

Outcome<Done> Collector::OpenRing() {
  const int map = state_.Find("march_events");
  if (map < 0) return Done{};
  auto ring = bpf::EventRing::Open(map);
  if (!ring.ok()) return std::move(ring).diagnostics();
  // The io_context closes what it waits for.
  const int wake = ::fcntl(ring->wake_fd(), F_DUPFD_CLOEXEC, 3);
  if (wake < 0) {
    return MakeDiagnostic(Code::kKernelRefused, {},
                          "cannot wait for events: " + std::generic_category().message(errno));
  }
  ring_.emplace(*std::move(ring));
  readable_.assign(wake);
  Read();
  Wait();
  return Done{};
}

void Collector::Wait() {
  readable_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                       [this](const boost::system::error_code& error) {
                         if (error) return;
                         Read();
                         Pause();
                       });
}

void Collector::Pause() {
  pause_.expires_after(kPause);
  pause_.async_wait([this](const boost::system::error_code& error) {
    if (!error) Wait();
  });
}

Names Collector::Resolve(std::uint64_t generation, std::uint32_t slot, std::uint32_t interface) {
  const auto [name, is_new] = interfaces_.try_emplace(interface);
  if (is_new) name->second = InterfaceName(interface);
  return NamesOf(slot, mappings_of_(generation), name->second);
}

void Collector::Read() {
  const std::chrono::nanoseconds offset = ClockOffset();
  ring_->Read(kTurn, [&](const march_event& event) {
    log_.Append(Sort::kPackets,
                [event, offset, names = Resolve(event.generation, event.slot, event.ifindex)] {
                  return EventJson(event, names, offset);
                });
  });
}

void Collector::Record(const flows::FlowRecord& record) {
  ++records_;
  const std::uint64_t judged = record.flow.judged;
  log_.Append(Sort::kFlows,
              [record, names = Resolve(MARCH_FLOW_GENERATION(judged),
                                       static_cast<std::uint32_t>(MARCH_FLOW_SLOT(judged)),
                                       record.flow.ifindex)] { return FlowJson(record, names); });
}

void Collector::Count() {
  interfaces_.clear();
  // If they cannot be read this time, those of the last time stay.
  if (const auto statistics = state_.ReadStatistics(); statistics.ok()) {
    const auto counts_of = [&](std::uint32_t kind) {
      return Counts{statistics->at(MARCH_STATISTIC_EVENTS_TOLD + kind),
                    statistics->at(MARCH_STATISTIC_EVENTS_SUPPRESSED + kind),
                    statistics->at(MARCH_STATISTIC_EVENTS_LOST + kind)};
    };
    log_.SetCounts({counts_of(MARCH_EVENT_DROP), counts_of(MARCH_EVENT_ALLOW),
                    Counts{records_, 0, statistics->at(MARCH_STATISTIC_FLOWS_REPLACED)}});
  }
  second_.expires_after(kCountEvery);
  second_.async_wait([this](const boost::system::error_code& error) {
    if (!error) Count();
  });
}

}  // namespace march::events
