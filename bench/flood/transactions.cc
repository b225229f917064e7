#include "bench/flood/transactions.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <string_view>

#include "bench/common/fail.h"
#include "bench/flood/bpf/syns.h"

namespace march::bench {
namespace {

using Clock = std::chrono::steady_clock;
using bpf::UniqueFd;
using nlohmann::json;

constexpr std::chrono::seconds kPatience{5};
constexpr std::chrono::seconds kLate{1};  // at the end
constexpr std::chrono::milliseconds kLookForLate{50};
constexpr std::string_view kQuestion = "GET / HTTP/1.1\r\nHost: server\r\n\r\n";
constexpr std::string_view kAnswer = "HTTP/1.1 200 ";
// Local addresses of the client host, see hosts.sh: one of a /64 each in IPv6.
constexpr std::uint32_t kSources4 = 0x0A080000;
constexpr std::uint32_t kSources6 = 0x20010DB8;

double MillisecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

std::uint64_t MonotonicNanoseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const auto seconds = static_cast<std::uint64_t>(now.tv_sec);
  return seconds * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

// 0 or 1.
std::size_t CurrentTurn() {
  return static_cast<std::size_t>(MonotonicNanoseconds() / BENCH_TURN_NANOSECONDS & 1);
}

int MillisecondsToNextTurn() {
  const std::uint64_t left =
      BENCH_TURN_NANOSECONDS - MonotonicNanoseconds() % BENCH_TURN_NANOSECONDS;
  return static_cast<int>(left / 1'000'000 + 1);
}

struct Transaction {
  UniqueFd socket;  // none: it waits for its turn
  bool asked = false;
  std::string answer;
  Clock::time_point begun;
};

enum class Outcome { kPending, kDone, kRefused };

bool HasConnected(int socket) {
  int error = 0;
  socklen_t bytes = sizeof(error);
  return ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &bytes) == 0 && error == 0;
}

bool Send(int socket) {
  return ::send(socket, kQuestion.data(), kQuestion.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(kQuestion.size());
}

// As far as it gets now.
Outcome GoOn(Transaction& it) {
  if (!it.asked) {
    if (!HasConnected(it.socket.get()) || !Send(it.socket.get())) return Outcome::kRefused;
    it.asked = true;
  }
  char text[1024];
  ssize_t got = 0;
  while ((got = ::recv(it.socket.get(), text, sizeof(text), MSG_DONTWAIT)) > 0) {
    it.answer.append(text, static_cast<std::size_t>(got));
  }
  if (got < 0) return errno == EAGAIN ? Outcome::kPending : Outcome::kRefused;
  return it.answer.starts_with(kAnswer) ? Outcome::kDone : Outcome::kRefused;
}

class Run {
 public:
  Run(Connector& connector, const ClientSetup& setup, bool by_turns)
      : connector_(connector),
        port_(setup.port),
        of_a_turn_(by_turns ? setup.at_once : 0),
        all_(std::size_t{setup.at_once} * (by_turns ? 2 : 1)),
        poll_(::epoll_create1(0)) {
    if (!poll_.ok()) Fail("wait for several connections");
    BeginWaiting();
  }

  void Until(Clock::time_point end) {
    std::vector<epoll_event> events(all_.size());
    Clock::time_point look = Clock::now() + kLookForLate;
    for (Clock::time_point now = Clock::now(); now < end; now = Clock::now()) {
      int patience = static_cast<int>(kLookForLate.count());
      if (of_a_turn_ != 0) patience = std::min(patience, MillisecondsToNextTurn());
      const int count =
          ::epoll_wait(poll_.get(), events.data(), static_cast<int>(events.size()), patience);
      for (int i = 0; i < count; ++i) Serve(events[static_cast<std::size_t>(i)].data.u64);
      if (of_a_turn_ != 0) BeginWaiting();
      if (now < look) continue;
      GiveUpLate(now);
      look = now + kLookForLate;
    }
    late_ += static_cast<std::uint64_t>(std::count_if(
        all_.begin(), all_.end(),
        [&](const Transaction& it) { return it.socket.ok() && end - it.begun > kLate; }));
  }

  json Result() {
    json result = {{"transactions", taken_.size()},
                   {"by_turn", by_turn_},
                   {"refused", refused_},
                   {"late", late_}};
    if (taken_.empty()) return result;
    std::sort(taken_.begin(), taken_.end());
    result["milliseconds"] = {{"median", taken_[taken_.size() / 2]},
                              {"p99", taken_[taken_.size() * 99 / 100]},
                              {"most", taken_.back()}};
    return result;
  }

 private:
  std::size_t TurnOf(std::size_t at) const { return of_a_turn_ != 0 && at >= of_a_turn_ ? 1 : 0; }

  void BeginWaiting() {
    for (std::size_t i = 0; i < all_.size(); ++i) {
      if (!all_[i].socket.ok()) Begin(i);
    }
  }

  // If it is its turn.
  void Begin(std::size_t at) {
    all_[at] = {};
    if (of_a_turn_ != 0 && TurnOf(at) != CurrentTurn()) return;
    all_[at] = {connector_.Begin(port_), false, "", Clock::now()};
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLET;
    event.data.u64 = at;
    if (::epoll_ctl(poll_.get(), EPOLL_CTL_ADD, all_[at].socket.get(), &event) != 0) {
      Fail("wait for a connection");
    }
  }

  void Serve(std::size_t at) {
    const Outcome outcome = GoOn(all_[at]);
    if (outcome == Outcome::kPending) return;
    if (outcome == Outcome::kDone) {
      taken_.push_back(MillisecondsSince(all_[at].begun));
      ++by_turn_[TurnOf(at)];
    } else {
      ++refused_;
    }
    Begin(at);
  }

  void GiveUpLate(Clock::time_point now) {
    for (std::size_t i = 0; i < all_.size(); ++i) {
      if (!all_[i].socket.ok() || now - all_[i].begun < kPatience) continue;
      ++late_;
      Begin(i);
    }
  }

  Connector& connector_;
  std::uint16_t port_;
  std::size_t of_a_turn_;         // 0: not by turns
  std::vector<Transaction> all_;  // those of even turns, those of odd ones
  UniqueFd poll_;
  std::vector<double> taken_;  // milliseconds
  std::array<std::uint64_t, 2> by_turn_{};
  std::uint64_t refused_ = 0;
  std::uint64_t late_ = 0;
};

bool WaitAndSend(int socket) {
  pollfd wait{socket, POLLOUT, 0};
  const auto patience = std::chrono::milliseconds(kPatience).count();
  return ::poll(&wait, 1, static_cast<int>(patience)) == 1 && HasConnected(socket) && Send(socket);
}

// The end of an answer of the server that keeps connections open.
bool Answers(int socket, Clock::time_point end) {
  std::string answer;
  while (!answer.ends_with("\r\n\r\nok\n")) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
    pollfd wait{socket, POLLIN, 0};
    if (::poll(&wait, 1, static_cast<int>(std::max<std::int64_t>(left, 0))) <= 0) return false;
    char text[1024];
    const ssize_t got = ::recv(socket, text, sizeof(text), 0);
    if (got <= 0) return false;
    answer.append(text, static_cast<std::size_t>(got));
  }
  return answer.starts_with(kAnswer);
}

}  // namespace

Connector::Connector(const ClientSetup& setup) : sources_(setup.sources) {
  for (const std::string& server : {setup.server4, setup.server6}) {
    if (!server.empty()) servers_.push_back(EndOf(server));
  }
  if (servers_.empty()) FailWith("there is no server");
}

Connector::End Connector::EndOf(const std::string& address) {
  End end;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&end.address);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&end.address);
  if (::inet_pton(AF_INET, address.c_str(), &v4->sin_addr) == 1) {
    end.address.ss_family = AF_INET;
    end.bytes = sizeof(*v4);
  } else if (::inet_pton(AF_INET6, address.c_str(), &v6->sin6_addr) == 1) {
    end.address.ss_family = AF_INET6;
    end.bytes = sizeof(*v6);
  } else {
    FailWith(address + " is no address");
  }
  return end;
}

void Connector::BindToSource(int socket, int family, std::uint64_t number) const {
  const auto source = static_cast<std::uint32_t>(number % sources_);
  // The port is chosen by connect, which knows more ends than bind does.
  const int yes = 1;
  ::setsockopt(socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof(yes));
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_addr.s_addr = htonl(kSources4 + source);
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  const std::uint32_t words[4] = {htonl(kSources6), htonl(0x01000000 + source), 0, htonl(1)};
  std::memcpy(&v6.sin6_addr, words, sizeof(words));
  const bool is_v4 = family == AF_INET;
  const int failed = is_v4 ? ::bind(socket, reinterpret_cast<const sockaddr*>(&v4), sizeof(v4))
                           : ::bind(socket, reinterpret_cast<const sockaddr*>(&v6), sizeof(v6));
  if (failed != 0) Fail("use source " + std::to_string(source));
}

UniqueFd Connector::Begin(std::uint16_t port) {
  const std::uint64_t number = next_++;
  End server = servers_[number % servers_.size()];
  const int family = server.address.ss_family;
  UniqueFd socket(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.ok()) Fail("make a socket");
  if (sources_ != 0) BindToSource(socket.get(), family, number / servers_.size());
  // The port is at the same place in both families' addresses.
  reinterpret_cast<sockaddr_in*>(&server.address)->sin_port = htons(port);
  const auto* end = reinterpret_cast<const sockaddr*>(&server.address);
  if (::connect(socket.get(), end, server.bytes) != 0 && errno != EINPROGRESS) Fail("connect");
  return socket;
}

json MakeTransactions(Connector& connector, const ClientSetup& setup, double seconds,
                      bool by_turns) {
  const Clock::time_point begin = Clock::now();
  Run run(connector, setup, by_turns);
  run.Until(begin +
            std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds)));
  const double took = MillisecondsSince(begin) / 1000;
  json result = run.Result();
  result["seconds"] = took;
  return result;
}

Kept::Kept(Connector& connector, const ClientSetup& setup) {
  // Every source may have to prove itself once, in either family.
  const std::uint32_t most_refused = 1 + 2 * std::max(setup.sources, 1U);
  std::uint32_t refused = 0;
  while (connections_.size() < setup.kept) {
    UniqueFd connection = connector.Begin(setup.kept_port);
    if (WaitAndSend(connection.get()) && Answers(connection.get(), Clock::now() + kPatience)) {
      connections_.push_back(std::move(connection));
    } else if (++refused > most_refused) {
      FailWith("the server does not answer");
    }
  }
}

std::size_t Kept::Ask() {
  const Clock::time_point end = Clock::now() + kPatience;
  for (const UniqueFd& connection : connections_) Send(connection.get());
  return static_cast<std::size_t>(
      std::count_if(connections_.begin(), connections_.end(),
                    [&](const UniqueFd& connection) { return Answers(connection.get(), end); }));
}

}  // namespace march::bench
