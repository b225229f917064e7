// A client that works on while a gateway is under attack: it makes transactions, one after the
// other on each of some connections at a time, and keeps others open.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "runtime/bpf/unique_fd.h"

namespace march::bench {

struct ClientSetup {
  std::string server4;
  std::string server6;
  std::uint32_t sources = 0;  // addresses of either family; 0: the host's own
  std::uint32_t at_once = 0;  // transactions
  std::uint32_t kept = 0;     // connections
  // Whoever serves them closes after an answer to the first port, and not to the second.
  std::uint16_t port = 80;
  std::uint16_t kept_port = 81;
};

// Connections by number: both families by turns, and all sources.
class Connector {
 public:
  explicit Connector(const ClientSetup& setup);

  // Begins the next one. Not there yet when this returns.
  bpf::UniqueFd Begin(std::uint16_t port);

 private:
  struct End {
    sockaddr_storage address{};
    socklen_t bytes = 0;
  };
  static End EndOf(const std::string& address);
  void BindToSource(int socket, int family, std::uint64_t number) const;

  std::vector<End> servers_;
  std::uint32_t sources_;
  std::uint64_t next_ = 0;
};

// Connects, asks, reads the answer to its end: for so long, with so many at once. Each that is
// neither answered nor refused within five seconds is given up.
//
// By turns (bpf/syns.h), even and odd ones have so many each, which are begun in turns of their own
// only, and count for the turn that they were begun in: who waits in one does not wait in the
// other.
//   {"seconds", "transactions", "by_turn": [of even turns, of odd ones], "refused",
//    "late": given up, or without an answer for more than a second at the end,
//    "milliseconds": {"median", "p99", "most"}}   of those that were answered
nlohmann::json MakeTransactions(Connector& connector, const ClientSetup& setup, double seconds,
                                bool by_turns);

// Connections that stay.
class Kept {
 public:
  // All of them are there and have had an answer. Each that is refused, since a gateway asks its
  // source for a proof, say, is begun once more; when too many are, this is the end of the program.
  Kept(Connector& connector, const ClientSetup& setup);

  // Asks each once more, and returns how many answered within five seconds.
  std::size_t Ask();

 private:
  std::vector<bpf::UniqueFd> connections_;
};

}  // namespace march::bench
