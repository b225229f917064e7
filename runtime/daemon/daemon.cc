#include "runtime/daemon/daemon.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "base/version.h"
#include "runtime/apply/applier.h"
#include "runtime/bpf/kernel_release.h"
#include "runtime/bpf/libbpf_kernel.h"
#include "runtime/bpf/unique_fd.h"
#include "runtime/control/api.h"
#include "runtime/control/server.h"
#include "runtime/daemon/abuse_guard.h"
#include "runtime/events/collector.h"
#include "runtime/events/event_log.h"
#include "runtime/flows/keeper.h"

namespace march::daemon {
namespace {

namespace asio = boost::asio;
using telemetry::Level;

constexpr std::uint64_t kMaxKeyBytes = 64 * 1024;
constexpr std::chrono::seconds kReconcileEvery{5};
constexpr std::chrono::milliseconds kSweepEvery{1000};

// Held while it lives: two marchd on one state would undo each other.
Outcome<bpf::UniqueFd> LockState(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (!error) {
    std::filesystem::permissions(directory, std::filesystem::perms::owner_all, error);
  }
  if (error) {
    return MakeDiagnostic(Code::kCannotWrite, {},
                          "cannot use " + directory + ": " + error.message());
  }
  const std::string path = directory + "/lock";
  bpf::UniqueFd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock.ok()) {
    return MakeDiagnostic(Code::kCannotWrite, {},
                          "cannot open " + path + ": " + std::generic_category().message(errno));
  }
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return MakeDiagnostic(Code::kTargetFailed, {}, "another marchd uses " + directory,
                          "one state directory serves one marchd");
  }
  return lock;
}

// Enforcement never waits for its observers: an address that cannot be bound yet is tried again.
class MetricsListener {
 public:
  MetricsListener(asio::io_context& context, std::string address, control::Handler& handler,
                  telemetry::Logger& log)
      : context_(context), address_(std::move(address)), handler_(handler), log_(log) {}

  void Try() {
    if (listening_ || address_.empty()) return;
    const auto serving = control::ServeTcp(context_, address_, handler_);
    listening_ = serving.ok();
    if (listening_) {
      log_.Write(Level::kInfo, "metrics_ready", {{"address", address_}});
    } else if (!std::exchange(failed_, true)) {
      log_.Write(Level::kError, "metrics_not_ready", serving.diagnostics());
    }
  }

 private:
  asio::io_context& context_;
  std::string address_;
  control::Handler& handler_;
  telemetry::Logger& log_;
  bool listening_ = false;
  bool failed_ = false;
};

// Rules and routes by which connections go different ways are told to the programs at once.
class RouteFollower {
 public:
  RouteFollower(asio::io_context& context, bpf::LibbpfKernel& kernel, apply::Applier& applier,
                telemetry::Logger& log)
      : changes_(context), kernel_(kernel), applier_(applier), log_(log) {
    if (kernel_.routing_fd() < 0) return;
    Follow();
    // Without it, each survey still looks.
    boost::system::error_code error;
    changes_.assign(::fcntl(kernel_.routing_fd(), F_DUPFD_CLOEXEC, 0), error);
    if (!error) Wait();
  }

  // After each survey too, which may have told something else.
  void Follow() {
    if (kernel_.HasOtherRouting()) applier_.Survey();
    if (kernel_.told_routing() == logged_ || !kernel_.told_routing()) return;
    logged_ = kernel_.told_routing();
    const auto kept = [](bool is_plain) { return is_plain ? "by destination" : "by connection"; };
    log_.Write(Level::kInfo, "next_hops",
               {{"ipv4", kept(logged_->ipv4)}, {"ipv6", kept(logged_->ipv6)}});
  }

 private:
  void Wait() {
    changes_.async_wait(asio::posix::stream_descriptor::wait_read,
                        [this](const boost::system::error_code& error) {
                          if (error) return;
                          Follow();
                          Wait();
                        });
  }

  asio::posix::stream_descriptor changes_;
  bpf::LibbpfKernel& kernel_;
  apply::Applier& applier_;
  telemetry::Logger& log_;
  std::optional<bpf::PlainRouting> logged_;
};

// Housekeeping every few seconds.
class Heartbeat {
 public:
  Heartbeat(asio::io_context& context, apply::Applier& applier, RouteFollower& routes,
            MetricsListener& metrics)
      : timer_(context), applier_(applier), routes_(routes), metrics_(metrics) {
    metrics_.Try();
    Schedule();
  }

 private:
  void Schedule() {
    timer_.expires_after(kReconcileEvery);
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (error) return;
      applier_.Reconcile();
      routes_.Follow();
      metrics_.Try();
      Schedule();
    });
  }

  asio::steady_timer timer_;
  apply::Applier& applier_;
  RouteFollower& routes_;
  MetricsListener& metrics_;
};

// Records of connections that have ended, every second.
class FlowSweeper {
 public:
  FlowSweeper(asio::io_context& context, flows::FlowKeeper& keeper)
      : timer_(context), keeper_(keeper) {
    Schedule(kSweepEvery);
  }

 private:
  void Schedule(std::chrono::milliseconds wait) {
    timer_.expires_after(wait);
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (error) return;
      // Others get their turn before it goes on.
      Schedule(keeper_.Sweep(flows::CurrentTick()) ? kSweepEvery : std::chrono::milliseconds(1));
    });
  }

  asio::steady_timer timer_;
  flows::FlowKeeper& keeper_;
};

class Signals {
 public:
  Signals(asio::io_context& context, telemetry::Logger& log)
      : context_(context), signals_(context, SIGTERM, SIGINT, SIGHUP), log_(log) {
    Wait();
  }

 private:
  void Wait() {
    signals_.async_wait([this](const boost::system::error_code& error, int signal) {
      if (error) return;
      if (signal == SIGHUP) {
        log_.Write(Level::kInfo, "signal_ignored",
                   {{"signal", "SIGHUP"}, {"hint", "restart marchd to read its configuration"}});
        return Wait();
      }
      log_.Write(Level::kInfo, "stopping", {{"signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"}});
      context_.stop();
    });
  }

  asio::io_context& context_;
  asio::signal_set signals_;
  telemetry::Logger& log_;
};

// Empty where there is nothing that counts.
std::vector<std::uint64_t> StatisticsOf(const bpf::StateMaps& state) {
  if (state.Find("march_statistics") < 0) return {};
  auto sums = state.ReadStatistics();
  return sums.ok() ? *std::move(sums) : std::vector<std::uint64_t>{};
}

// None where no connections are kept.
Outcome<std::unique_ptr<flows::FlowKeeper>> KeepFlows(const bpf::StateMaps& state,
                                                      telemetry::Logger& log) {
  const int buckets = state.Find("march_flow_buckets");
  const int records = state.Find("march_flows");
  if (buckets < 0 || records < 0) return std::unique_ptr<flows::FlowKeeper>();
  auto table = flows::FlowTable::Map(buckets, records, state.config());
  if (!table.ok()) return std::move(table).diagnostics();
  return std::make_unique<flows::FlowKeeper>(
      *std::move(table), [&state] { return StatisticsOf(state); }, log);
}

}  // namespace

Outcome<bundle::Trust> LoadTrust(const Config& config, const FileSystem& files) {
  bundle::Trust trust;
  trust.cluster = config.cluster;
  for (const std::string& path : config.trusted_keys) {
    auto pem = files.Read(path, kMaxKeyBytes);
    if (!pem.ok()) return std::move(pem).diagnostics();
    auto key = bundle::PublicKey::FromPem(*pem);
    if (!key.ok()) {
      Diagnostics errors = std::move(key).diagnostics();
      for (Diagnostic& error : errors) error.message = path + ": " + error.message;
      return errors;
    }
    trust.keys.push_back(*key);
  }
  return trust;
}

Outcome<Done> Run(const Config& config, const Options& options, FileSystem& files,
                  telemetry::Logger& log) {
  ::umask(077);
  auto trust = LoadTrust(config, files);
  if (!trust.ok()) return std::move(trust).diagnostics();
  const auto lock = LockState(config.state_directory);
  if (!lock.ok()) return lock.diagnostics();

  log.Write(Level::kInfo, "starting", {{"version", kVersion}, {"cluster", config.cluster}});
  bpf::LibbpfKernel kernel(config.bpffs_directory, config.gateway);
  AbuseGuard guard(config.state_directory, kernel, files, log);
  kernel.WhenPrepared([&](const bpf::StateMaps& state) { return guard.Start(state); });
  apply::Applier applier({config.state_directory, config.interfaces, *std::move(trust),
                          config.drop_without_policy, bpf::KernelRelease()},
                         kernel, files, log);
  if (auto started = applier.Start(); !started.ok()) return started;

  const auto keeper = KeepFlows(kernel.state(), log);
  if (!keeper.ok()) return keeper.diagnostics();

  asio::io_context context(1);
  const Signals signals(context, log);
  control::Api api(applier, control::Api::Scope::kAll, config.max_bundle_bytes);
  control::Api metrics(applier, control::Api::Scope::kMetrics, 0);
  events::EventLog events(config.events.keep);
  const auto collector = events::Collector::Start(
      context, kernel.state(),
      [&](std::uint64_t generation) { return applier.MappingsOf(generation); }, events);
  if (!collector.ok()) return collector.diagnostics();
  if (config.events.AreOn() || *keeper != nullptr) api.ServeEvents(events);
  std::optional<FlowSweeper> sweeper;
  if (*keeper != nullptr) {
    flows::FlowKeeper& flows = **keeper;
    flows.SetRecordTaker(
        [&collector](const flows::FlowRecord& record) { (*collector)->Record(record); });
    sweeper.emplace(context, flows);
    api.ServeFlows(flows);
  }
  if (guard.blocks() != nullptr) api.ServeBlocks(*guard.blocks());
  for (control::Api* each : {&api, &metrics}) {
    each->DescribeWith([&](telemetry::Snapshot& snapshot) {
      if (*keeper != nullptr) (*keeper)->Describe(flows::CurrentTick(), snapshot);
      snapshot.statistics = StatisticsOf(kernel.state());
      guard.Describe(snapshot);
    });
  }
  if (auto serving = control::ServeUnix(context, config.control_socket, api); !serving.ok()) {
    return serving;
  }
  MetricsListener listener(context, config.metrics, metrics, log);
  RouteFollower routes(context, kernel, applier, log);
  const Heartbeat heartbeat(context, applier, routes, listener);
  guard.Run(context);
  log.Write(Level::kInfo, "ready", {{"socket", config.control_socket}});
  context.run();

  std::error_code ignored;
  std::filesystem::remove(config.control_socket, ignored);
  // Nobody follows routes any more.
  kernel.ForgetRouting();
  applier.Survey();
  if (options.detach_on_exit) {
    if (auto withdrawn = applier.Withdraw(); !withdrawn.ok()) return withdrawn;
  }
  log.Write(Level::kInfo, "stopped",
            {{"enforcement", options.detach_on_exit ? "ended" : "left in force"}});
  return Done{};
}

}  // namespace march::daemon
