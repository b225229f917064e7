#include "runtime/daemon/abuse_guard.h"

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/error.hpp>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

#include "bundle/abi/abuse.h"
#include "runtime/bpf/netlink.h"

namespace march::daemon {
namespace {

namespace asio = boost::asio;
using telemetry::Level;

constexpr std::chrono::seconds kTick{1};

// Every address that comes or goes.
constexpr std::array<int, 2> kAddresses = {RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR};

}  // namespace

Outcome<Done> AbuseGuard::Start(const bpf::StateMaps& state) {
  if (state.config().abuse.blocks != 0) {
    if (auto started = StartBlocks(state); !started.ok()) return started;
  }
  if ((state.config().abuse.screens & MARCH_SCREEN_SPOOFED) == 0) return Done{};
  return StartOwnAddresses(state);
}

Outcome<Done> AbuseGuard::StartBlocks(const bpf::StateMaps& state) {
  const std::uint32_t capacity = state.config().abuse.blocks;
  auto table = block::LiveTable::Open(state.Find("march_block_filter"), state.Find("march_blocks"),
                                      capacity);
  if (!table.ok()) return std::move(table).diagnostics();
  table_.emplace(std::move(table).value());
  blocks_.emplace(state_directory_ + "/blocks", capacity, files_, log_);
  blocks_->Start([this](const std::vector<block::Prefix>& prefixes) {
    table_->Publish(prefixes);
    static_cast<void>(kernel_.Settle());
  });
  return Done{};
}

Outcome<Done> AbuseGuard::StartOwnAddresses(const bpf::StateMaps& state) {
  auto own = block::OwnAddresses::Open(state.Find("march_own_addresses"), state.config());
  if (!own.ok()) return std::move(own).diagnostics();
  own_addresses_.emplace(std::move(own).value());
  RefreshOwnAddresses();
  return Done{};
}

void AbuseGuard::RefreshOwnAddresses() {
  const auto addresses = block::LocalAddresses();
  if (!addresses.ok()) {
    log_.Write(Level::kError, "own_addresses", addresses.diagnostics());
    return;
  }
  const std::size_t without_room = own_addresses_->Set(*addresses);
  if (without_room != std::exchange(own_without_room_, without_room) && without_room != 0) {
    log_.Write(Level::kWarning, "own_addresses",
               {{"message", "this host has more addresses than are told from spoofed ones"},
                {"addresses", std::uint64_t{addresses->size()}},
                {"without_room", std::uint64_t{without_room}}});
  }
}

void AbuseGuard::Run(asio::io_context& context) {
  if (blocks_) {
    timer_.emplace(context);
    TickEverySecond();
  }
  if (!own_addresses_) return;
  bpf::UniqueFd changes = bpf::OpenRouteChanges(kAddresses);
  if (!changes.ok()) {
    log_.Write(Level::kError, "own_addresses",
               {{"message", "changes of this host's addresses are not followed: " +
                                std::generic_category().message(errno)}});
    return;
  }
  changes_.emplace(context, changes.release());
  WatchAddresses();
  // What came between the first look and now.
  RefreshOwnAddresses();
}

void AbuseGuard::Describe(telemetry::Snapshot& snapshot) const {
  if (blocks_) snapshot.block_list = {blocks_->list().size(), blocks_->capacity()};
}

void AbuseGuard::TickEverySecond() {
  timer_->expires_after(kTick);
  timer_->async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    blocks_->Expire();
    TickEverySecond();
  });
}

// What a message says does not matter, nor whether some were lost: all addresses are read again.
void AbuseGuard::WatchAddresses() {
  changes_->async_wait(
      asio::posix::stream_descriptor::wait_read, [this](const boost::system::error_code& error) {
        if (error) return;
        std::array<char, 8192> messages{};
        while (::recv(changes_->native_handle(), messages.data(), messages.size(), MSG_DONTWAIT) >
                   0 ||
               errno == ENOBUFS || errno == EINTR) {
        }
        RefreshOwnAddresses();
        WatchAddresses();
      });
}

}  // namespace march::daemon
