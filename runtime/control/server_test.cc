// The control API over real sockets: server, client, and peers that misbehave.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <catch2/catch.hpp>
#include <filesystem>
#include <functional>
#include <future>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "runtime/apply/test_world.h"
#include "runtime/control/client.h"
#include "runtime/control/server.h"

namespace march::control {
namespace {

nlohmann::ordered_json Line(const char* type) {
  return {{"type", type}};
}

// A marchd without a kernel, serving in a thread of its own.
class Gateway {
 public:
  explicit Gateway(std::uint64_t max_body = 8U << 20)
      : directory_(std::filesystem::temp_directory_path() /
                   ("march-control-test-" + std::to_string(::getpid()))),
        applier_(world.config, world.kernel, world.files, world.log),
        api_(applier_, Api::Scope::kAll, max_body) {
    api_.ServeEvents(events_);
    std::filesystem::create_directories(directory_);
    REQUIRE(applier_.Start().ok());
    REQUIRE(ServeUnix(context_, socket(), api_).ok());
    thread_ = std::thread([this] { context_.run(); });
  }
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;
  ~Gateway() {
    context_.stop();
    thread_.join();
    std::filesystem::remove_all(directory_);
  }

  std::string socket() const { return directory_ / "control.sock"; }
  std::string target() const { return "unix:" + socket(); }

  // On the server's thread.
  void Do(const std::function<void(events::EventLog&)>& what) {
    std::promise<void> done;
    boost::asio::post(context_, [&] {
      what(events_);
      done.set_value();
    });
    done.get_future().wait();
  }
  void Tell(int count) {
    Do([&](events::EventLog& log) {
      for (int i = 0; i < count; ++i)
        log.Append(events::Sort::kPackets, [] { return Line("drop"); });
    });
  }

  apply::World world;

 private:
  std::filesystem::path directory_;
  apply::Applier applier_;
  events::EventLog events_{100};
  Api api_;
  boost::asio::io_context context_{1};
  std::thread thread_;
};

class RawPeer {
 public:
  explicit RawPeer(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  }
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;
  ~RawPeer() { ::close(fd_); }

  bool connected() const { return connected_; }
  void Send(std::string_view bytes) {
    static_cast<void>(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
  }
  // What arrives until `bytes` are there or the other side closes.
  std::string Receive(std::size_t bytes = SIZE_MAX) {
    std::string all;
    char piece[4096];
    while (all.size() < bytes) {
      const ssize_t size = ::recv(fd_, piece, std::min(sizeof(piece), bytes - all.size()), 0);
      if (size <= 0) break;
      all.append(piece, static_cast<std::size_t>(size));
    }
    return all;
  }

 private:
  int fd_;
  bool connected_ = false;
};

nlohmann::json Json(const Outcome<Reply>& reply) {
  REQUIRE(reply.ok());
  return nlohmann::json::parse(reply->body);
}

TEST_CASE("a bundle is applied, reported and refused over the socket") {
  Gateway gateway;
  CHECK(Request(gateway.target(), "GET", "/healthz", "")->status == 503);

  const auto applied = Request(gateway.target(), "POST", "/v1/bundles", apply::MakeBundle("x", 7));
  CHECK(applied->status == 200);
  const auto json = Json(applied);
  CHECK(json["format_version"] == 1);
  CHECK(json["result"] == "applied");
  CHECK(json["generation"] == 1);
  CHECK(json["serial"] == 7);
  CHECK(json["interfaces"][0] ==
        nlohmann::json({{"name", "a"}, {"mode", "native"}, {"forward", "kernel"}}));
  CHECK(json["swap_ms"].is_number());
  CHECK(Json(Request(gateway.target(), "POST", "/v1/bundles",
                     apply::MakeBundle("x", 7)))["result"] == "unchanged");

  const auto refused = Request(gateway.target(), "POST", "/v1/bundles", apply::MakeBundle("y", 6));
  CHECK(refused->status == 403);
  CHECK(Json(refused)["error"]["code"] == "M0607");
  CHECK(Json(refused)["error"]["class"] == "refused");

  CHECK(Request(gateway.target(), "GET", "/healthz", "")->body == "ok\n");
  CHECK(Json(Request(gateway.target(), "GET", "/v1/status", ""))["refused_bundles"] == 1);
  const auto rules = Json(Request(gateway.target(), "GET", "/v1/rules?all", ""));
  CHECK(rules["mappings"][0]["name"] == "x");
  CHECK(rules["defaults"][0]["action"] == "deny");
  CHECK(rules["slots"][1]["name"] == "arp");
  CHECK(Request(gateway.target(), "GET", "/metrics", "")->body.find("march_generation 1\n") !=
        std::string::npos);
}

TEST_CASE("a failure of the gateway is told from a refusal") {
  Gateway gateway;
  gateway.world.kernel.interfaces["a"].foreign_program = "theirs";
  const auto failed = Request(gateway.target(), "POST", "/v1/bundles", apply::MakeBundle("x", 1));
  CHECK(failed->status == 500);
  CHECK(Json(failed)["error"]["class"] == "failed");
  CHECK(Json(failed)["error"]["code"] == "M0704");
}

TEST_CASE("paths and methods that are not there") {
  Gateway gateway;
  const auto missing = Request(gateway.target(), "GET", "/v2", "");
  CHECK(missing->status == 404);
  CHECK(Json(missing)["error"]["message"] == "there is nothing at this path");
  const auto wrong = Request(gateway.target(), "DELETE", "/v1/rules", "");
  CHECK(wrong->status == 405);
  CHECK(Json(wrong)["error"]["message"] == "/v1/rules answers GET only");
}

TEST_CASE("a body above its limit is refused, and the refusal arrives") {
  Gateway gateway(1000);
  CHECK(Request(gateway.target(), "POST", "/v1/bundles", std::string(4U << 20, 'a'))->status ==
        413);
  CHECK(Request(gateway.target(), "POST", "/v1/bundles", std::string(1000, 'a'))->status == 403);
}

TEST_CASE("a peer that expects a 100 gets one") {
  Gateway gateway;
  RawPeer peer(gateway.socket());
  peer.Send(
      "POST /v1/bundles HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  const std::string expected = "HTTP/1.1 100 Continue\r\n\r\n";
  CHECK(peer.Receive(expected.size()) == expected);
  peer.Send("abc");
  CHECK(peer.Receive().starts_with("HTTP/1.1 403 Forbidden\r\n"));
}

TEST_CASE("what is no request gets a precise answer") {
  Gateway gateway;
  RawPeer smuggler(gateway.socket());
  smuggler.Send(
      "POST /v1/bundles HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n");
  CHECK(smuggler.Receive().starts_with("HTTP/1.1 501 Not Implemented\r\n"));
  RawPeer pipeliner(gateway.socket());
  pipeliner.Send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\n");
  CHECK(pipeliner.Receive().starts_with("HTTP/1.1 400 Bad Request\r\n"));
  RawPeer bare(gateway.socket());
  bare.Send("GET / HTTP/1.1\n");
  CHECK(bare.Receive().starts_with("HTTP/1.1 400 Bad Request\r\n"));
}

TEST_CASE("the third large upload waits its turn outside") {
  Gateway gateway;
  const std::string head =
      "POST /v1/bundles HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n"
      "Expect: 100-continue\r\n\r\n";
  RawPeer first(gateway.socket());
  RawPeer second(gateway.socket());
  RawPeer third(gateway.socket());
  first.Send(head);
  CHECK(first.Receive(12) == "HTTP/1.1 100");
  second.Send(head);
  CHECK(second.Receive(12) == "HTTP/1.1 100");
  third.Send(head);
  CHECK(third.Receive().starts_with("HTTP/1.1 503 Service Unavailable\r\n"));
}

// What a line of a stream of events is: its number, or its type.
std::string NameOf(std::string_view line) {
  const auto json = nlohmann::json::parse(line);
  return json.contains("number") ? json["number"].dump() : json["type"].get<std::string>();
}

// The names of the first `count` lines.
std::vector<std::string> FollowFor(const Gateway& gateway, const std::string& query,
                                   std::size_t count) {
  std::vector<std::string> names;
  const auto reply = Follow(gateway.target(), "/v1/events" + query, [&](std::string_view line) {
    names.push_back(NameOf(line));
    return names.size() < count;
  });
  REQUIRE(reply.ok());
  CHECK(reply->status == 200);
  CHECK(reply->body.empty());
  return names;
}

TEST_CASE("events are followed by several at once, each from where it began") {
  Gateway gateway;
  gateway.Tell(3);
  std::vector<std::string> first;
  std::vector<std::string> second;
  std::thread one([&] { first = FollowFor(gateway, "", 6); });
  std::thread two([&] { second = FollowFor(gateway, "?last=2", 8); });
  // Both have begun when each has got its first line; nothing says so but time.
  std::this_thread::sleep_for(std::chrono::milliseconds(400));
  gateway.Tell(5);
  one.join();
  two.join();
  CHECK(first == std::vector<std::string>{"counts", "4", "5", "6", "7", "8"});
  CHECK(second == std::vector<std::string>{"counts", "2", "3", "4", "5", "6", "7", "8"});
}

TEST_CASE("events can be read without following") {
  Gateway gateway;
  using Names = std::vector<std::string>;
  CHECK(FollowFor(gateway, "?last=10&follow=false", 99) == Names{"counts"});
  gateway.Tell(3);
  CHECK(FollowFor(gateway, "?last=2&follow=false", 99) == Names{"counts", "2", "3"});
  CHECK(FollowFor(gateway, "?since=3&follow=false", 99) == Names{"counts", "3"});
  gateway.Tell(200);
  CHECK(FollowFor(gateway, "?since=3&follow=false", 99).size() == 99);
  gateway.Do(
      [](events::EventLog& log) { log.Append(events::Sort::kFlows, [] { return Line("flow"); }); });
  gateway.Tell(1);
  CHECK(FollowFor(gateway, "?last=2&follow=false", 99) == Names{"counts", "203", "205"});
  CHECK(FollowFor(gateway, "?last=2&flows=true&follow=false", 99) == Names{"counts", "204", "205"});
  CHECK(FollowFor(gateway, "?last=2&flows=true&packets=false&follow=false", 99) ==
        Names{"counts", "204"});
  const auto raw = Request(gateway.target(), "GET", "/v1/events?follow=false", "");
  CHECK(raw->status == 200);
  CHECK(Json(raw)["next"] == 206);
  for (const std::string query :
       {"?last=x", "?since=", "?since=-1", "?follow=no", "?flow=true", "?last"}) {
    CHECK(Request(gateway.target(), "GET", "/v1/events" + query, "")->status == 400);
  }
}

TEST_CASE("who follows and does not read holds nobody up, and is told what it missed") {
  Gateway gateway;
  RawPeer slow(gateway.socket());
  slow.Send("GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(slow.Receive(15) == "HTTP/1.1 200 OK");
  // More than the socket takes.
  for (int i = 0; i < 500; ++i) gateway.Tell(100);
  CHECK(Request(gateway.target(), "GET", "/healthz", "").ok());
  std::string text;
  while (text.find("missed") == std::string::npos) {
    const std::string piece = slow.Receive(1000);
    REQUIRE(piece.size() == 1000);
    text += piece;
  }
}

TEST_CASE("as many may follow as there is room for, and the others are told") {
  Gateway gateway;
  std::vector<std::unique_ptr<RawPeer>> peers;
  const std::string request = "GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n";
  for (int i = 0; i < Limits{}.feeds; ++i) {
    peers.push_back(std::make_unique<RawPeer>(gateway.socket()));
    peers.back()->Send(request);
    CHECK(peers.back()->Receive(12) == "HTTP/1.1 200");
  }
  const auto refused =
      Follow(gateway.target(), "/v1/events", [](std::string_view) { return true; });
  CHECK(refused->status == 503);
  CHECK(Json(refused)["error"]["message"] == "too many others follow already");
  // Who is gone makes room, once there is something to tell.
  peers.clear();
  for (int i = 0; i < 200; ++i) {
    gateway.Tell(1);
    const auto reply =
        Follow(gateway.target(), "/v1/events", [](std::string_view) { return false; });
    if (reply.ok() && reply->status == 200) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  FAIL("there was no room again");
}

TEST_CASE("without events there is nothing to follow") {
  apply::World world;
  apply::Applier applier(world.config, world.kernel, world.files, world.log);
  REQUIRE(applier.Start().ok());
  Api api(applier, Api::Scope::kAll, 1);
  RequestHead head;
  head.method = "GET";
  head.target = "/v1/events";
  const Response response = api.Handle(head, "");
  CHECK(response.status == 404);
  CHECK(response.feed == nullptr);
}

TEST_CASE("the bundles that are kept can be fetched") {
  Gateway gateway;
  CHECK(Request(gateway.target(), "GET", "/v1/bundle", "")->status == 404);
  const std::string first = apply::MakeBundle("x", 1);
  const std::string second = apply::MakeBundle("y", 2);
  CHECK(Request(gateway.target(), "POST", "/v1/bundles", first)->status == 200);
  CHECK(Request(gateway.target(), "GET", "/v1/bundle", "")->body == first);
  CHECK(Request(gateway.target(), "POST", "/v1/bundles", second)->status == 200);
  CHECK(Request(gateway.target(), "GET", "/v1/bundle", "")->body == second);
  CHECK(Request(gateway.target(), "GET", "/v1/bundle?generation=1", "")->body == first);
  CHECK(Request(gateway.target(), "GET", "/v1/bundle?generation=3", "")->status == 404);
  CHECK(Request(gateway.target(), "GET", "/v1/bundle?generation=x", "")->status == 400);
}

TEST_CASE("more than 64 connections are turned away") {
  Gateway gateway;
  std::vector<std::unique_ptr<RawPeer>> peers;
  for (int i = 0; i < Limits{}.connections; ++i) {
    peers.push_back(std::make_unique<RawPeer>(gateway.socket()));
    // The server has surely accepted it once it answers an early piece: nothing, for now.
    peers.back()->Send("G");
  }
  RawPeer late(gateway.socket());
  CHECK(late.Receive().empty());
  peers.clear();
  for (int i = 0; i < 100; ++i) {
    const auto reply = Request(gateway.target(), "GET", "/v1/status", "");
    if (reply.ok()) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  FAIL("the server did not recover");
}

// How long until the server closes on `peer`, which takes `bytes` every 20 ms.
std::chrono::milliseconds TimeUntilClosed(RawPeer& peer, std::size_t bytes) {
  const auto start = std::chrono::steady_clock::now();
  while (peer.Receive(bytes).size() == bytes) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                               start);
}

TEST_CASE("a silent peer is dropped, and so is one that takes its answer by the byte") {
  class Large final : public Handler {
   public:
    Admission Admit(const RequestHead&) const override { return {}; }
    Response Handle(const RequestHead&, std::string_view) override {
      return {200, "text/plain", std::string(32U << 20, 'a'), ""};
    }
  };
  Large handler;
  boost::asio::io_context context;
  const std::string path = std::filesystem::temp_directory_path() /
                           ("march-slow-" + std::to_string(::getpid()) + ".sock");
  REQUIRE(ServeUnix(context, path, handler,
                    {.idle = std::chrono::milliseconds(300),
                     .whole_response = std::chrono::milliseconds(900)})
              .ok());
  std::thread thread([&] { context.run(); });

  RawPeer silent(path);
  silent.Send("GET / HT");
  const auto silence = TimeUntilClosed(silent, 1);
  // It reads all the time, so it is never idle: 16 KiB every 20 ms.
  RawPeer slow(path);
  slow.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  const auto slowness = TimeUntilClosed(slow, 16 * 1024);
  context.stop();
  thread.join();
  std::filesystem::remove(path);
  CHECK(silence >= std::chrono::milliseconds(250));
  CHECK(silence < std::chrono::milliseconds(5000));
  CHECK(slowness >= std::chrono::milliseconds(850));
  CHECK(slowness < std::chrono::milliseconds(20000));
}

TEST_CASE("the socket is private, and a living one is not taken") {
  Gateway gateway;
  const auto permissions = std::filesystem::status(gateway.socket()).permissions();
  CHECK(permissions == (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
  boost::asio::io_context context;
  apply::World world;
  apply::Applier applier(world.config, world.kernel, world.files, world.log);
  Api api(applier, Api::Scope::kAll, 1);
  const auto second = ServeUnix(context, gateway.socket(), api);
  REQUIRE_FALSE(second.ok());
  CHECK(second.diagnostics().front().message ==
        "cannot listen on " + gateway.socket() + ": another program answers there");
}

TEST_CASE("the metrics address serves nothing but health and metrics") {
  apply::World world;
  apply::Applier applier(world.config, world.kernel, world.files, world.log);
  const Api api(applier, Api::Scope::kMetrics, 0);
  const auto admit = [&](const std::string& method, const std::string& target) {
    RequestHead head;
    head.method = method;
    head.target = target;
    return api.Admit(head).admitted;
  };
  CHECK(admit("GET", "/metrics"));
  CHECK(admit("GET", "/healthz"));
  CHECK_FALSE(admit("GET", "/v1/status"));
  CHECK_FALSE(admit("GET", "/v1/rules"));
  CHECK_FALSE(admit("GET", "/v1/bundle"));
  CHECK_FALSE(admit("GET", "/v1/events"));
  CHECK_FALSE(admit("POST", "/v1/bundles"));
}

std::string Unreachable(const std::string& target) {
  const auto reply = Request(target, "GET", "/healthz", "");
  REQUIRE_FALSE(reply.ok());
  CHECK(reply.diagnostics().front().code == Code::kTargetUnreachable);
  return reply.diagnostics().front().message;
}

TEST_CASE("the client says why a target cannot be reached") {
  CHECK(Unreachable("/run/x") == "cannot reach \"/run/x\": this is not a target");
  CHECK(Unreachable("unix:/nowhere/x") ==
        "cannot reach unix:/nowhere/x: No such file or directory");
  CHECK(Unreachable("unix:/etc/passwd") == "cannot reach unix:/etc/passwd: it is not a socket");
  const std::string stale = std::filesystem::temp_directory_path() /
                            ("march-stale-" + std::to_string(::getpid()) + ".sock");
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  stale.copy(address.sun_path, sizeof(address.sun_path) - 1);
  REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  ::close(fd);
  CHECK(Unreachable("unix:" + stale) == "cannot reach unix:" + stale + ": connection refused");
  // And a server takes such a left-over's place.
  boost::asio::io_context context;
  apply::World world;
  apply::Applier applier(world.config, world.kernel, world.files, world.log);
  Api api(applier, Api::Scope::kAll, 1);
  CHECK(ServeUnix(context, stale, api).ok());
  std::filesystem::remove(stale);
}

}  // namespace
}  // namespace march::control
