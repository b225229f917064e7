// Sends packets from both ends at once and says which of them came out at the other.
//
// Behind the last packet of either side goes a fence, which every policy lets pass. The gateway
// takes in what one side sends in the order in which it was sent: when the fences have arrived, all
// before them has been judged. So nothing is under way between two exchanges.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/flows/clock.h"
#include "tests/connections/flow_model.h"
#include "tests/soak/frame.h"
#include "tests/soak/wire.h"

namespace march::soak {

enum class Verdict { kPass, kDrop, kEither };

inline constexpr std::size_t kNoConversation = ~std::size_t{0};

// One packet of an exchange.
struct Outgoing {
  tests::ModelPacket packet;
  Verdict expected = Verdict::kDrop;
  std::size_t conversation = kNoConversation;  // whose it is, as the sender numbers them
};

// What went otherwise than expected.
struct Fault {
  std::string what;
  Outgoing packet;
  bool whenever = false;  // wrong at any time; else only if the gateway judged when it was sent
};

// "tcp SYN|ACK 10.1.1.1:20000 > 10.2.1.1:80"
std::string TextOf(const tests::ModelPacket& packet);

class Exchange {
 public:
  // Packets at once: a veth's ring holds 256.
  static constexpr std::size_t kMost = 120;

  // The wires must outlive it.
  Exchange(Wire& client, Wire& server) : wires_{&client, &server} {}

  // At most kMost.
  std::optional<Fault> Run(const std::vector<Outgoing>& packets);

  // When the last packet of the last exchange had been judged; 0: it is not known.
  flows::Tick judged_at() const { return judged_at_; }

  std::uint64_t sent() const { return sent_; }  // fences not counted
  std::uint64_t passed() const { return passed_; }

 private:
  struct Sent {
    Outgoing out;
    std::uint64_t number = 0;
    Frame frame;
    bool is_fence = false;
    bool has_arrived = false;
  };

  void Write(const Outgoing& packet, bool is_fence);
  void Take(std::uint32_t side, std::span<const std::uint8_t> frame);
  // `is_last`: it is of the exchange before.
  void Arrive(std::uint32_t side, Sent& sent, bool is_last, std::span<const std::uint8_t> frame);
  void WaitForAll();
  bool IsComplete() const { return missing_ == 0; }
  void Blame(const Sent& sent, const std::string& what, bool whenever = false);

  std::array<Wire*, 2> wires_;                // by side, the client's first
  std::array<std::vector<Frame>, 2> frames_;  // of this exchange, by the side that sends them
  std::vector<Sent> all_;                     // of this exchange, by number
  std::vector<Sent> last_;                    // of the one before
  std::size_t missing_ = 0;                   // fences, and packets that must pass
  std::optional<Fault> fault_;
  std::size_t missing_fences_ = 0;
  flows::Tick judged_at_ = 0;
  std::uint64_t next_number_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t passed_ = 0;
};

}  // namespace march::soak
