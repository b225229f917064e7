// The reading end of `march_events` (bundle/abi/event.h). There is one reader: what it has read is
// gone.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "base/outcome.h"
#include "bundle/abi/event.h"

namespace march::bpf {

class EventRing {
 public:
  // `fd` is the map's, and stays the caller's, who keeps it open. Error: kKernelRefused.
  static Outcome<EventRing> Open(int fd);
  EventRing(EventRing&&) noexcept;
  EventRing& operator=(EventRing&&) noexcept;
  ~EventRing();

  // Readable while there may be events; ours.
  int wake_fd() const;

  // Hands over the events that there are, in the order in which they were made, at most `most`.
  // Returns how many.
  std::size_t Read(std::size_t most, const std::function<void(const march_event&)>& take);

 private:
  struct State;
  explicit EventRing(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace march::bpf
