#include "runtime/bpf/event_ring.h"

#include <bpf/libbpf.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "runtime/bpf/loader.h"

namespace march::bpf {
namespace {

struct FreeRing {
  void operator()(ring_buffer* ring) const { ring_buffer__free(ring); }
};

}  // namespace

struct EventRing::State {
  std::unique_ptr<ring_buffer, FreeRing> ring;
  // During Read.
  std::size_t left = 0;
  const std::function<void(const march_event&)>* take = nullptr;

  // Negative: no more for now; this record counts as read.
  static int Take(void* context, void* record, std::size_t bytes) {
    auto* self = static_cast<State*>(context);
    // A program of another version may write more.
    march_event event{};
    std::memcpy(&event, record, std::min(bytes, sizeof(event)));
    (*self->take)(event);
    return --self->left == 0 ? -ECANCELED : 0;
  }
};

EventRing::EventRing(std::unique_ptr<State> state) : state_(std::move(state)) {}
EventRing::EventRing(EventRing&&) noexcept = default;
EventRing& EventRing::operator=(EventRing&&) noexcept = default;
EventRing::~EventRing() = default;

Outcome<EventRing> EventRing::Open(int fd) {
  auto state = std::make_unique<State>();
  state->ring.reset(ring_buffer__new(fd, &State::Take, state.get(), nullptr));
  if (state->ring == nullptr) return KernelRefused("read the ring of events", errno);
  return EventRing(std::move(state));
}

int EventRing::wake_fd() const {
  return ring_buffer__epoll_fd(state_->ring.get());
}

std::size_t EventRing::Read(std::size_t most, const std::function<void(const march_event&)>& take) {
  if (most == 0) return 0;
  state_->left = most;
  state_->take = &take;
  static_cast<void>(ring_buffer__consume(state_->ring.get()));
  state_->take = nullptr;
  return most - state_->left;
}

}  // namespace march::bpf
