// Serves a Handler over HTTP/1.1 on one listening socket: one request a connection, everything
// bounded, feeds in chunks (RFC 9112, 7.1). Runs on the io_context of the caller's, and calls the
// handler on its thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/outcome.h"
#include "runtime/control/api.h"

namespace march::control {

// Of one listener.
struct Limits {
  int connections = 64;
  int large_bodies = 2;  // of more than kLargeBodyBytes, at once
  int feeds = 16;        // at once
  // Without a byte from the peer, or one that it takes. A request's head has it as a whole.
  std::chrono::milliseconds idle = std::chrono::seconds(10);
  std::chrono::milliseconds whole_response = std::chrono::seconds(60);
  // A feed goes on as long as its peer takes something now and then, and is asked so often.
  std::chrono::milliseconds feed_idle = std::chrono::minutes(10);
  std::chrono::milliseconds feed_every = std::chrono::milliseconds(50);
};
// To a network address anybody may connect.
inline constexpr Limits kTcpLimits = {.connections = 8};

inline constexpr std::uint64_t kLargeBodyBytes = std::uint64_t{1} << 20;

// Both stop listening when the io_context stops. `handler` must outlive it. Error: kTargetFailed.

// A unix socket that only this user may connect to (mode 0600). A socket nobody answers on is
// replaced; one that is answered is an error. Missing directories are made.
Outcome<Done> ServeUnix(boost::asio::io_context& context, const std::string& path, Handler& handler,
                        const Limits& limits = {});
// `address` as in "127.0.0.1:9477" or "[::1]:9477".
Outcome<Done> ServeTcp(boost::asio::io_context& context, const std::string& address,
                       Handler& handler, const Limits& limits = kTcpLimits);

// Host and port of such an address; error: kBadConfig without a place.
struct HostPort {
  std::string host;
  std::uint16_t port = 0;
};
Outcome<HostPort> ParseHostPort(const std::string& address);

}  // namespace march::control
