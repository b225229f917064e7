#include "runtime/control/server.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <system_error>

#include "runtime/control/connection.h"

namespace march::control {
namespace {

namespace asio = boost::asio;

Diagnostic CannotListen(const std::string& where, const std::string& why, std::string hint = {}) {
  return MakeDiagnostic(Code::kTargetFailed, {}, "cannot listen on " + where + ": " + why,
                        std::move(hint));
}

std::string_view ReasonOf(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 413:
      return "Content Too Large";
    case 417:
      return "Expectation Failed";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Unknown";
  }
}

// `framing` is the header that says where the body ends.
std::string HeadOf(const Response& response, std::string_view framing) {
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " ";
  head += ReasonOf(response.status);
  head += "\r\nContent-Type: " + response.content_type + "\r\n";
  head += framing;
  if (!response.allow.empty()) head += "\r\nAllow: " + response.allow;
  head += "\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n";
  return head;
}

template <class Socket>
asio::awaitable<void> RunConnection(Socket socket, Handler& handler, std::shared_ptr<Load> load) {
  const auto connection =
      std::make_shared<Connection<Socket>>(std::move(socket), handler, std::move(load));
  co_await connection->Run();
}

template <class Acceptor>
asio::awaitable<void> AcceptLoop(Acceptor acceptor, Handler& handler, Limits limits) {
  const auto load = std::make_shared<Load>();
  load->limits = limits;
  asio::steady_timer pause(acceptor.get_executor());
  for (;;) {
    boost::system::error_code error;
    auto socket = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, error));
    if (error == asio::error::operation_aborted) co_return;
    if (error) {
      // Out of descriptors, most likely: give others the time to end.
      pause.expires_after(std::chrono::milliseconds(100));
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
      continue;
    }
    // Above the limit, the connection is closed without a word.
    if (load->connections >= limits.connections) continue;
    asio::co_spawn(acceptor.get_executor(), RunConnection(std::move(socket), handler, load),
                   asio::detached);
  }
}

// Whether somebody accepts connections on the socket.
bool IsAnswered(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return true;
  const int result = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  const bool answered = result == 0 || errno == EAGAIN;
  ::close(fd);
  return answered;
}

}  // namespace

std::string Serialize(Response response) {
  const std::string body = std::move(response.body);
  return HeadOf(response, "Content-Length: " + std::to_string(body.size())) + body;
}

std::string SerializeFeed(const Response& response) {
  return HeadOf(response, "Transfer-Encoding: chunked");
}

std::string Chunk(std::string_view piece) {
  std::array<char, 20> size{};
  const auto [end, error] = std::to_chars(size.data(), size.data() + size.size(), piece.size(), 16);
  std::string chunk(size.data(), error == std::errc() ? end : size.data());
  chunk += "\r\n";
  chunk += piece;
  chunk += "\r\n";
  return chunk;
}

Outcome<Done> ServeUnix(asio::io_context& context, const std::string& path, Handler& handler,
                        const Limits& limits) {
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return CannotListen(path, "a socket's path is at most 107 bytes long");
  }
  std::error_code filesystem_error;
  const auto status = std::filesystem::symlink_status(path, filesystem_error);
  if (std::filesystem::exists(status)) {
    if (!std::filesystem::is_socket(status)) return CannotListen(path, "something else is there");
    if (IsAnswered(path)) {
      return CannotListen(path, "another program answers there", "is a marchd running already?");
    }
    ::unlink(path.c_str());
  }
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), filesystem_error);

  asio::local::stream_protocol::acceptor acceptor(context);
  boost::system::error_code error;
  acceptor.open(asio::local::stream_protocol(), error);
  if (!error) {
    // The mode counts from the first moment on, so it must be right at bind.
    const mode_t old = ::umask(0177);
    acceptor.bind(asio::local::stream_protocol::endpoint(path), error);
    ::umask(old);
  }
  if (!error) acceptor.listen(limits.connections, error);
  if (error) return CannotListen(path, error.message());
  asio::co_spawn(context, AcceptLoop(std::move(acceptor), handler, limits), asio::detached);
  return Done{};
}

Outcome<HostPort> ParseHostPort(const std::string& address) {
  const auto bad = [&](const std::string& why) {
    return MakeDiagnostic(Code::kBadConfig, {}, "\"" + address + "\" " + why,
                          "write ADDRESS:PORT, as in 127.0.0.1:9477 or [::1]:9477");
  };
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos) return bad("has no port");
  std::string host = address.substr(0, colon);
  const bool is_bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (is_bracketed) host = host.substr(1, host.size() - 2);
  boost::system::error_code error;
  const asio::ip::address parsed = asio::ip::make_address(host, error);
  if (error || parsed.is_v6() != is_bracketed) return bad("does not start with an IP address");
  HostPort result{host, 0};
  const char* begin = address.data() + colon + 1;
  const char* end = address.data() + address.size();
  const auto [stop, failure] = std::from_chars(begin, end, result.port);
  if (failure != std::errc() || stop != end || result.port == 0) return bad("has no valid port");
  return result;
}

Outcome<Done> ServeTcp(asio::io_context& context, const std::string& address, Handler& handler,
                       const Limits& limits) {
  const auto where = ParseHostPort(address);
  if (!where.ok()) return where.diagnostics();
  const asio::ip::tcp::endpoint endpoint(asio::ip::make_address(where->host), where->port);
  asio::ip::tcp::acceptor acceptor(context);
  boost::system::error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(limits.connections, error);
  if (error) return CannotListen(address, error.message());
  asio::co_spawn(context, AcceptLoop(std::move(acceptor), handler, limits), asio::detached);
  return Done{};
}

}  // namespace march::control
