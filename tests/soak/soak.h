// A gateway under traffic and changing policies, held against the model packet by packet.
#pragma once

#include <cstdint>
#include <deque>
#include <future>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include "tests/random/random.h"
#include "tests/soak/conversation.h"
#include "tests/soak/exchange.h"
#include "tests/soak/footprint.h"
#include "tests/soak/policy.h"
#include "tests/soak/publisher.h"
#include "tests/soak/statistics.h"
#include "tests/soak/wire.h"

namespace march::soak {

struct SoakOptions {
  std::string client;  // namespaces, as three_hosts.sh sets them up
  std::string gateway;
  std::string server;
  PublisherPaths paths;
  int marchd = 0;  // process
  std::string bpffs;
  std::uint64_t seconds = 20;
  std::uint64_t rate = 20000;  // packets a second, if the machine can
  std::uint64_t seed = 1;
};

class Soak {
 public:
  explicit Soak(const SoakOptions& options);

  // Whether all went as it should; what did not is printed. Errors of the machinery are
  // std::runtime_error.
  bool Run();

 private:
  using Time = std::uint64_t;  // ns since the start

  // When a conversation goes on, and where it is in conversations_.
  struct Turn {
    Time due = 0;
    std::size_t place = 0;

    bool operator>(const Turn& other) const { return due > other.due; }
  };

  Time Now() const;
  void Begin(std::size_t place);
  void Enforce(Conversation& conversation) const;
  void Speak(std::size_t place, flows::Tick now, std::vector<Outgoing>& packets);
  void GoOn(std::size_t place, bool is_late);
  // False: something was wrong, and has been reported.
  bool ExchangeTurns();
  bool ExchangeStrangers(const Policy& next);
  bool ChangeTo(const Compiled& next);
  void TakeForEnforced(const Policy& policy);
  const Compiled& NextToEnforce();
  void CompileNext();
  void TakeCompiled();
  void TakeSamples();
  void Sample(const std::string& what) const;
  void Report(const Fault& fault);
  bool HasGrown();
  bool HasMiscounted() const;
  bool Go();
  bool Finish();

  const SoakOptions options_;
  tests::Random random_;
  const march_config config_;
  Wire client_;
  Wire server_;
  Exchange exchange_;
  Publisher publisher_;

  Policy policy_;  // in force
  Policy before_;
  std::deque<Compiled> compiled_;  // the last few
  bool is_new_ = false;            // the last of them was never in force
  std::future<Compiled> being_compiled_;
  Time next_compilation_ = 0;
  std::vector<std::unique_ptr<Conversation>> conversations_;
  std::priority_queue<Turn, std::vector<Turn>, std::greater<>> turns_;
  std::uint64_t next_number_ = 0;
  std::uint64_t began_ = 0;

  Tally tally_;
  std::uint64_t changes_ = 0;
  std::uint64_t strangers_ = 0;
  std::uint64_t perhaps_opened_ = 0;  // flows, by those
  std::uint64_t forgotten_ = 0;
  Time next_sample_ = 0;
  std::optional<Footprint> warm_;
};

}  // namespace march::soak
