// What marchd does against abuse: it keeps the block list and the gateway's own addresses where
// programs see them (bundle/abi/block.h, bundle/abi/abuse.h).
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>

#include "base/file_system.h"
#include "base/outcome.h"
#include "runtime/block/blocks.h"
#include "runtime/block/own_addresses.h"
#include "runtime/block/table.h"
#include "runtime/bpf/kernel.h"
#include "runtime/bpf/state_maps.h"
#include "runtime/telemetry/log.h"
#include "runtime/telemetry/snapshot.h"

namespace march::daemon {

// Does nothing for what the configuration does not ask for. Refers to its edges; they must outlive
// it.
class AbuseGuard {
 public:
  AbuseGuard(std::string state_directory, bpf::Kernel& kernel, FileSystem& files,
             telemetry::Logger& log)
      : state_directory_(std::move(state_directory)), kernel_(kernel), files_(files), log_(log) {}

  // Fills the maps, before a program sees them. Error: kKernelRefused.
  Outcome<Done> Start(const bpf::StateMaps& state);

  // From now on: entries expire, and the host's addresses are followed as they change.
  void Run(boost::asio::io_context& context);

  void Describe(telemetry::Snapshot& snapshot) const;

  // None without a block list.
  block::Blocks* blocks() { return blocks_ ? &*blocks_ : nullptr; }

 private:
  Outcome<Done> StartBlocks(const bpf::StateMaps& state);
  Outcome<Done> StartOwnAddresses(const bpf::StateMaps& state);
  void RefreshOwnAddresses();
  void TickEverySecond();
  void WatchAddresses();

  std::string state_directory_;
  bpf::Kernel& kernel_;
  FileSystem& files_;
  telemetry::Logger& log_;
  std::optional<block::LiveTable> table_;
  std::optional<block::Blocks> blocks_;
  std::optional<block::OwnAddresses> own_addresses_;
  std::size_t own_without_room_ = 0;
  std::optional<boost::asio::steady_timer> timer_;
  std::optional<boost::asio::posix::stream_descriptor> changes_;
};

}  // namespace march::daemon
