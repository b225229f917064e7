// One request and its response on one connected socket.
#pragma once

#include <algorithm>
#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "runtime/control/server.h"

namespace march::control {

// What is in work; shared by the connections of one listener.
struct Load {
  Limits limits;
  int connections = 0;
  int large_bodies = 0;
  int feeds = 0;
};

// The bytes of a response on the wire. By value, so that its body is gone when they are there.
std::string Serialize(Response response);
// Those of a feed before its first chunk.
std::string SerializeFeed(const Response& response);
// A piece of a feed as a chunk; the empty one is the last.
std::string Chunk(std::string_view piece);

template <class Socket>
class Connection : public std::enable_shared_from_this<Connection<Socket>> {
 public:
  Connection(Socket socket, Handler& handler, std::shared_ptr<Load> load)
      : socket_(std::move(socket)),
        timer_(socket_.get_executor()),
        handler_(handler),
        load_(std::move(load)),
        idle_(load_->limits.idle) {
    ++load_->connections;
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() {
    --load_->connections;
    if (is_large_) --load_->large_bodies;
    if (is_feed_) --load_->feeds;
  }

  boost::asio::awaitable<void> Run() {
    ExtendDeadline();
    std::optional<Response> response = co_await Serve();
    if (response && response->feed != nullptr && load_->feeds >= load_->limits.feeds) {
      response = Refuse({503, "too many others follow already"});
    }
    if (response && response->feed != nullptr) {
      co_await Follow(*std::move(response));
    } else if (response) {
      // A peer that takes a byte now and then holds the response in memory.
      end_ = std::chrono::steady_clock::now() + load_->limits.whole_response;
      ExtendDeadline();
      co_await Send(Serialize(*std::move(response)));
      co_await Linger();
    }
    timer_.cancel();
  }

 private:
  // What is still read after an early response, so that the peer gets to see it.
  static constexpr std::uint64_t kMaxLinger = std::uint64_t{64} << 20;

  // Closing the socket ends whatever operation waits on it. A timer that has fired may be heard of
  // only after the connection is gone.
  void ExtendDeadline() {
    timer_.expires_at(std::min(std::chrono::steady_clock::now() + idle_, end_));
    timer_.async_wait([weak = this->weak_from_this()](const boost::system::error_code& error) {
      if (const auto self = weak.lock(); self != nullptr && !error) self->CloseNow();
    });
  }

  void CloseNow() {
    boost::system::error_code ignored;
    socket_.close(ignored);
  }

  // 0 at the end of the stream and on any error.
  boost::asio::awaitable<std::size_t> ReadSome(boost::asio::mutable_buffer buffer) {
    boost::system::error_code error;
    const std::size_t size = co_await socket_.async_read_some(
        buffer, boost::asio::redirect_error(boost::asio::use_awaitable, error));
    co_return error ? 0 : size;
  }

  boost::asio::awaitable<bool> Send(std::string_view bytes) {
    boost::system::error_code error;
    while (!bytes.empty() && !error) {
      const std::size_t size = co_await socket_.async_write_some(
          boost::asio::buffer(bytes.data(), bytes.size()),
          boost::asio::redirect_error(boost::asio::use_awaitable, error));
      bytes.remove_prefix(size);
      if (size > 0) ExtendDeadline();
    }
    co_return !error;
  }

  // The response, or none when the peer is gone. The whole head has one deadline, however slowly it
  // trickles in; a body has one for every piece.
  boost::asio::awaitable<std::optional<Response>> Serve() {
    std::string bytes;
    std::size_t head_size = 0;
    std::array<char, 4096> piece{};
    while (head_size == 0) {
      const std::size_t size = co_await ReadSome(boost::asio::buffer(piece));
      if (size == 0) co_return std::nullopt;
      bytes.append(piece.data(), size);
      const auto found = FindHead(bytes);
      if (const auto* refusal = std::get_if<Refusal>(&found)) co_return Refuse(*refusal);
      if (const auto* end = std::get_if<std::size_t>(&found)) head_size = *end;
    }
    const auto parsed = ParseHead(std::string_view(bytes).substr(0, head_size));
    if (const auto* refusal = std::get_if<Refusal>(&parsed)) co_return Refuse(*refusal);
    const RequestHead& head = std::get<RequestHead>(parsed);

    Handler::Admission admission = handler_.Admit(head);
    if (!admission.admitted) co_return std::move(admission.refusal);
    if (head.content_length > admission.max_body) {
      co_return Refuse(
          {413, "the body is larger than " + std::to_string(admission.max_body) + " bytes"});
    }
    std::string body = bytes.substr(head_size);
    if (body.size() > head.content_length) {
      co_return Refuse({400, "the request goes on after its body"});
    }
    if (head.content_length > kLargeBodyBytes) {
      if (load_->large_bodies >= load_->limits.large_bodies) {
        co_return Refuse({503, "other uploads are in progress; try again"});
      }
      is_large_ = true;
      ++load_->large_bodies;
    }
    if (head.expects_continue && body.size() < head.content_length) {
      if (!co_await Send("HTTP/1.1 100 Continue\r\n\r\n")) co_return std::nullopt;
    }
    std::size_t used = body.size();
    while (used < head.content_length) {
      // Memory grows with what arrives, not with what was announced.
      body.resize(std::min<std::uint64_t>(head.content_length, used * 2 + 64 * 1024));
      const std::size_t size =
          co_await ReadSome(boost::asio::buffer(body.data() + used, body.size() - used));
      if (size == 0) co_return std::nullopt;
      used += size;
      ExtendDeadline();
    }
    co_return handler_.Handle(head, body);
  }

  static Response Refuse(const Refusal& refusal) {
    return ErrorResponse(refusal.status, "", "request", refusal.reason);
  }

  // Until the feed ends or the peer goes.
  boost::asio::awaitable<void> Follow(Response response) {
    Feed& feed = *response.feed;
    is_feed_ = true;
    ++load_->feeds;
    idle_ = load_->limits.feed_idle;
    ExtendDeadline();
    boost::asio::steady_timer pause(socket_.get_executor());
    if (!co_await Send(SerializeFeed(response))) co_return;
    for (;;) {
      const std::string piece = feed.Take();
      if (!piece.empty() && !co_await Send(Chunk(piece))) co_return;
      if (feed.HasEnded()) break;
      if (!piece.empty()) continue;
      boost::system::error_code ignored;
      pause.expires_after(load_->limits.feed_every);
      co_await pause.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
    }
    if (co_await Send(Chunk(""))) co_await Linger();
  }

  // A socket that is closed while the peer still sends would take the response with it.
  boost::asio::awaitable<void> Linger() {
    boost::system::error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
    ExtendDeadline();
    std::array<char, 16 * 1024> piece{};
    std::uint64_t total = 0;
    while (total < kMaxLinger) {
      const std::size_t size = co_await ReadSome(boost::asio::buffer(piece));
      if (size == 0) break;
      total += size;
    }
    CloseNow();
  }

  Socket socket_;
  boost::asio::steady_timer timer_;
  Handler& handler_;
  std::shared_ptr<Load> load_;
  std::chrono::milliseconds idle_;
  bool is_large_ = false;
  bool is_feed_ = false;
  std::chrono::steady_clock::time_point end_ = std::chrono::steady_clock::time_point::max();
};

}  // namespace march::control
