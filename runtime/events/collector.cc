#include "runtime/events/collector.h"

#include <fcntl.h>
#include <net/if.h>

#include <array>
#include <cerrno>
#include <map>
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

Outcome<std::unique_ptr<Collector>> Collector::Start(boost::asio::io_context& context,
                                                     const bpf::StateMaps& state, NamesOf names,
                                                     EventLog& log) {
  auto ring = bpf::EventRing::Open(state.Find("march_events"));
  if (!ring.ok()) return std::move(ring).diagnostics();
  // The io_context closes what it waits for.
  const int wake = ::fcntl(ring->wake_fd(), F_DUPFD_CLOEXEC, 3);
  if (wake < 0) {
    return MakeDiagnostic(Code::kKernelRefused, {},
                          "cannot wait for events: " + std::generic_category().message(errno));
  }
  return std::unique_ptr<Collector>(
      new Collector(context, wake, *std::move(ring), state, std::move(names), log));
}

Collector::Collector(boost::asio::io_context& context, int wake, bpf::EventRing ring,
                     const bpf::StateMaps& state, NamesOf names, EventLog& log)
    : ring_(std::move(ring)),
      state_(state),
      names_(std::move(names)),
      log_(log),
      readable_(context, wake),
      pause_(context),
      second_(context) {
  Count();
  Read();
  Wait();
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

void Collector::Read() {
  const std::chrono::nanoseconds offset = ClockOffset();
  std::map<std::uint32_t, std::string> interfaces;
  ring_.Read(kTurn, [&](const march_event& event) {
    const auto [name, is_new] = interfaces.try_emplace(event.ifindex);
    if (is_new) name->second = InterfaceName(event.ifindex);
    log_.Append(EventJson(event, names_(event.generation), name->second, offset));
  });
}

void Collector::Count() {
  // If they cannot be read this time, those of the last time stay.
  if (const auto statistics = state_.ReadStatistics(); statistics.ok()) {
    CountsByKind counts;
    for (std::uint32_t kind = 0; kind < MARCH_EVENT_KINDS; ++kind) {
      counts.at(kind) = {statistics->at(MARCH_STATISTIC_EVENTS_TOLD + kind),
                         statistics->at(MARCH_STATISTIC_EVENTS_SUPPRESSED + kind),
                         statistics->at(MARCH_STATISTIC_EVENTS_LOST + kind)};
    }
    log_.SetCounts(counts);
  }
  second_.expires_after(kCountEvery);
  second_.async_wait([this](const boost::system::error_code& error) {
    if (!error) Count();
  });
}

}  // namespace march::events
