// Events in the policy's words, filters, and what monitor and top print of a gateway.
#include <fcntl.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <future>
#include <sstream>
#include <thread>

#include "cli/exit_code.h"
#include "cli/live/event_filter.h"
#include "cli/live/event_words.h"
#include "cli/live/terminal.h"
#include "cli/live/top_view.h"
#include "cli/marchctl.h"
#include "runtime/apply/test_world.h"
#include "runtime/control/server.h"

namespace march::cli {
namespace {

using Json = nlohmann::ordered_json;

const char* const kPolicy = R"(apiVersion: march/v1
kind: Policy
services:
  payments: { addresses: [10.20.0.0/16] }
  relays: { addresses: [10.60.0.1] }
  intruder: { addresses: [10.20.6.6] }
mappings:
  web-out: { from: [payments], protocols: [tcp], ports: [443] }
  mail-out: { from: [relays], protocols: [tcp], ports: [25] }
  block: { from: [intruder], action: deny, priority: 5, comment: found scanning }
)";

std::string BundleOf(const std::string& policy, std::uint64_t serial = 1) {
  bundle::MappingTable names;
  names.default_action = "deny";
  names.mappings = {{"block", "deny", 5, "p.yaml:10"},
                    {"mail-out", "allow", 0, "p.yaml:9"},
                    {"web-out", "allow", 0, "p.yaml:8"}};
  bundle::Contents contents;
  contents.cluster = "default";
  contents.serial = serial;
  contents.mappings = names.mappings.size();
  contents.tool_version = "0.1.0";
  contents.minimum_kernel = "5.15";
  contents.files = {
      {std::string(bundle::kPolicyPrefix) + "p.yaml", policy},
      {std::string(bundle::kXdpObjectPath), "object"},
      {std::string(bundle::kClassifierPath), std::string(sizeof(march_tables_header), '\0')},
      {std::string(bundle::kMappingsPath), bundle::WriteMappings(names)},
      {std::string(bundle::kSlowPathPath), "{}"}};
  return *bundle::Pack(contents, {apply::TestKey()});
}

const LivePolicy& Policy() {
  static const std::unique_ptr<LivePolicy> policy = *LivePolicy::FromBundle(BundleOf(kPolicy));
  return *policy;
}

Json DropJson() {
  return {{"format_version", 1},
          {"number", 7},
          {"type", "drop"},
          {"time", "2026-01-31T10:15:02.113204Z"},
          {"generation", 1},
          {"reason", "default"},
          {"interface", "eth0"},
          {"protocol", "tcp"},
          {"source", "10.20.1.1"},
          {"source_port", 40000},
          {"destination", "203.0.113.9"},
          {"destination_port", 25},
          {"tcp_flags", "S"},
          {"bytes", 74},
          {"untold", 0}};
}

Event EventOf(const Json& json) {
  const auto event = ReadEvent(json);
  REQUIRE(event);
  return *event;
}

std::string TextFor(const Json& json, const LivePolicy* policy = &Policy()) {
  const Event event = EventOf(json);
  return TextOf(event, Explain(event, policy));
}

class UtcClock {
 public:
  UtcClock() {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
  }
};
const UtcClock kUtc;

TEST_CASE("a drop is told in the policy's words, with what would have let it pass") {
  CHECK(TextFor(DropJson()) ==
        "10:15:02.113 deny  tcp 10.20.1.1:40000 > 203.0.113.9:25  default deny: no mapping from "
        "payments to 203.0.113.9 tcp/25\n"
        "             web-out allows tcp/443 to it (p.yaml:8)\n"
        "             mail-out allows it from relays (p.yaml:9)\n");
  CHECK(TextFor(DropJson(), nullptr) ==
        "10:15:02.113 deny  tcp 10.20.1.1:40000 > 203.0.113.9:25  default deny: no mapping matches "
        "it\n");
  const Json json = JsonOf(EventOf(DropJson()), Explain(EventOf(DropJson()), &Policy()));
  CHECK(json["number"] == 7);
  CHECK(json["why"] == "default deny: no mapping from payments to 203.0.113.9 tcp/25");
  CHECK(json["near"][0].dump() ==
        R"({"mapping":"web-out","place":"p.yaml:8","differs":["protocol and port"],)"
        R"("text":"allows tcp/443 to it"})");
  CHECK(json["near"][1]["differs"] == Json::array({"from"}));
  CHECK_FALSE(json.contains("answer_of"));
}

TEST_CASE("what a mapping decides has its name, place and comment") {
  Json json = DropJson();
  json["source"] = "10.20.6.6";
  json["reason"] = "mapping";
  json["mapping"] = "block";
  json["place"] = "p.yaml:10";
  CHECK(TextFor(json) ==
        "10:15:02.113 deny  tcp 10.20.6.6:40000 > 203.0.113.9:25  block denies it (p.yaml:10): "
        "found scanning\n");
  json["type"] = "allow";
  json["mapping"] = "web-out";
  json["place"] = "p.yaml:8";
  CHECK(TextFor(json) ==
        "10:15:02.113 allow tcp 10.20.6.6:40000 > 203.0.113.9:25  web-out allows it (p.yaml:8)\n");
  json.erase("mapping");
  CHECK(TextFor(json, nullptr) ==
        "10:15:02.113 allow tcp 10.20.6.6:40000 > 203.0.113.9:25  a mapping of generation 1, whose "
        "bundle is not stored any more\n");
}

TEST_CASE("what may be an answer is said to be one, but no opening is") {
  Json json = DropJson();
  json["source"] = "203.0.113.9";
  json["source_port"] = 443;
  json["destination"] = "10.20.1.1";
  json["destination_port"] = 40000;
  json["tcp_flags"] = "SA";
  CHECK(
      TextFor(json).find("\n             web-out allows the opposite direction: an answer without "
                         "a connection that is known\n") != std::string::npos);
  json["tcp_flags"] = "S";
  CHECK(TextFor(json).find("opposite") == std::string::npos);
}

TEST_CASE("reasons that are no mapping's, and packets of which little is known") {
  Json json = DropJson();
  json["destination_port"] = 443;
  json["reason"] = "limit";
  CHECK(Explain(EventOf(json), &Policy()).why == "limit: above that of web-out, which allows it");
  CHECK(Explain(EventOf(json), nullptr).why ==
        "limit: above the limit of the mapping that allows it");
  json["reason"] = "from-a-later-version";
  CHECK(Explain(EventOf(json), &Policy()).why == "from-a-later-version");
  json["reason"] = "malformed";
  json.erase("protocol");
  CHECK(TextFor(json) ==
        "10:15:02.113 deny  10.20.1.1 > 203.0.113.9  malformed: its headers contradict "
        "themselves\n");
  json["reason"] = "not-ip";
  json.erase("source");
  CHECK(TextFor(json) == "10:15:02.113 deny  a frame of 74 bytes  not-ip: neither IPv4 nor IPv6\n");
  json["protocol"] = "tcp";
  json["source"] = "no address";
  CHECK_FALSE(EventOf(json).flow);
}

TEST_CASE("every slot that packets are dropped in has a meaning") {
  for (std::uint32_t slot = 0; slot <= MARCH_SLOT_DEFAULT; ++slot) {
    const std::string_view name = bundle::SlotName(slot);
    INFO(slot << " " << name);
    CHECK(name.empty() == bundle::SlotMeaning(name).empty());
  }
}

Json FlowRecordJson() {
  Json json = DropJson();
  json.update({{"type", "flow"},
               {"reason", "mapping"},
               {"mapping", "web-out"},
               {"verdict", "allow"},
               {"ending", "reset"},
               {"duration_s", 2.6},
               {"packets", 5},
               {"bytes", 600},
               {"reply_packets", 4},
               {"reply_bytes", 4000}});
  return json;
}

TEST_CASE("a connection that has ended is told in a line") {
  CHECK(TextFor(FlowRecordJson()) ==
        "10:15:02.113 flow  tcp 10.20.1.1:40000 > 203.0.113.9:25  web-out, reset after 2.6 s: 5 "
        "packets, 600 bytes there, 4 packets, 4000 bytes back\n");
}

TEST_CASE("lines that are no events, and times") {
  CHECK_FALSE(ReadEvent({{"type", "counts"}}));
  CHECK_FALSE(ReadEvent({{"type", 3}}));
  CHECK_FALSE(ReadEvent(Json::object()));
  CHECK(ClockText("2026-01-31T10:15:02.113204Z") == "10:15:02.113");
  CHECK(ClockText("yesterday").empty());
  CHECK(ClockText("2026-01-31T10:15:02").empty());
}

TEST_CASE("filters hold all together") {
  const Event drop = EventOf(DropJson());
  const Event flow = EventOf(FlowRecordJson());
  const auto matches = [&](const EventFilter& filter) { return filter.Matches(drop, &Policy()); };
  EventFilter filter;
  CHECK(matches(filter));
  CHECK_FALSE(filter.Matches(flow, &Policy()));
  filter.flows = true;
  CHECK_FALSE(matches(filter));
  CHECK(filter.Matches(flow, &Policy()));
  CHECK_FALSE(filter.WantsPackets());
  filter.drops = true;
  CHECK(matches(filter));
  CHECK(filter.WantsPackets());
  filter.service = "payments";
  CHECK(matches(filter));
  CHECK_FALSE(filter.Matches(drop, nullptr));
  filter.service = "relays";
  CHECK_FALSE(matches(filter));
  filter.service = "payments";
  filter.port = model::PortRange{20, 25};
  CHECK(matches(filter));
  filter.port = model::PortRange{26, 30};
  CHECK_FALSE(matches(filter));
  filter.port.reset();
  filter.source = space::Prefix::Of(*space::Address::Parse("10.20.0.0"), 16);
  CHECK(matches(filter));
  filter.destination = space::Prefix::Of(*space::Address::Parse("203.0.113.8"), 32);
  CHECK_FALSE(matches(filter));
  filter.destination.reset();
  filter.source = space::Prefix::Of(*space::Address::Parse("::"), 0);
  CHECK_FALSE(matches(filter));
  filter.source.reset();
  filter.reason = "default";
  CHECK(matches(filter));
  filter.mapping = "web-out";
  CHECK_FALSE(matches(filter));
}

// A marchd without a kernel, and marchctl beside it.
class Gateway {
 public:
  Gateway()
      : socket_(std::filesystem::temp_directory_path() /
                ("march-live-test-" + std::to_string(::getpid()) + ".sock")),
        applier_(world_.config, world_.kernel, world_.files, world_.log),
        api_(applier_, control::Api::Scope::kAll, 1 << 20) {
    api_.ServeEvents(events_);
    REQUIRE(applier_.Start().ok());
    REQUIRE(applier_.Accept(BundleOf(kPolicy)).ok());
    REQUIRE(control::ServeUnix(context_, socket_, api_).ok());
    thread_ = std::thread([this] { context_.run(); });
  }
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;
  ~Gateway() {
    context_.stop();
    thread_.join();
    std::filesystem::remove(socket_);
  }

  // On the server's thread.
  void Do(const std::function<void()>& what) {
    std::promise<void> done;
    boost::asio::post(context_, [&] {
      what();
      done.set_value();
    });
    done.get_future().wait();
  }
  void Tell(const Json& event, int times = 1) {
    Do([&] {
      for (int i = 0; i < times; ++i) {
        events_.Append(event["type"] == "flow" ? events::Sort::kFlows : events::Sort::kPackets,
                       [event] { return event; });
      }
    });
  }
  void Count(const events::AllCounts& counts) {
    Do([&] { events_.SetCounts(counts); });
  }
  apply::Applier& applier() { return applier_; }
  bpf::FakeKernel& kernel() { return world_.kernel; }

  int Run(std::vector<std::string> arguments) {
    out.str("");
    err.str("");
    arguments.insert(arguments.begin() + 1, {"--target", "unix:" + socket_.string()});
    MemoryFileSystem files;
    std::istringstream in;
    Environment environment{files, in, out, err};
    return RunMarchctl(arguments, environment);
  }

  std::ostringstream out;
  std::ostringstream err;

 private:
  std::filesystem::path socket_;
  apply::World world_;
  apply::Applier applier_;
  events::EventLog events_{100};
  control::Api api_;
  boost::asio::io_context context_{1};
  std::thread thread_;
};

// Without `number`, which the log gives.
Json Numberless(Json json) {
  json.erase("number");
  json.erase("format_version");
  return json;
}

TEST_CASE("monitor prints what is kept, filtered, and ends when it is told to") {
  Gateway gateway;
  gateway.Tell(Numberless(DropJson()), 2);
  gateway.Tell(Numberless(FlowRecordJson()));
  Json other = Numberless(DropJson());
  other["destination_port"] = 26;
  gateway.Tell(other);
  const auto lines = [&] {
    const std::string text = gateway.out.str();
    return std::count(text.begin(), text.end(), '\n');
  };
  CHECK(gateway.Run({"monitor", "--no-follow"}) == kOk);
  CHECK(gateway.out.str().empty());
  CHECK(gateway.Run({"monitor", "--no-follow", "--last", "9"}) == kOk);
  // Of port 26, mail-out differs in two things, and web-out is nearer.
  CHECK(lines() == 8);
  CHECK(gateway.Run({"monitor", "--last", "9", "--count", "2"}) == kOk);
  CHECK(lines() == 6);
  CHECK(gateway.Run({"monitor", "--last", "1", "--count", "1"}) == kOk);
  CHECK(gateway.out.str().find("203.0.113.9:26") != std::string::npos);
  CHECK(gateway.Run({"monitor", "--no-follow", "--last", "9", "--port", "26"}) == kOk);
  CHECK(lines() == 2);
  CHECK(gateway.Run({"monitor", "--no-follow", "--last", "9", "--flows"}) == kOk);
  CHECK(lines() == 1);
  CHECK(gateway.Run({"monitor", "--no-follow", "--last", "9", "--flows", "--drops", "--service",
                     "payments"}) == kOk);
  CHECK(lines() == 9);

  CHECK(gateway.Run({"monitor", "--no-follow", "--last", "1", "-o", "json"}) == kOk);
  std::istringstream json(gateway.out.str());
  std::string line;
  std::getline(json, line);
  CHECK(Json::parse(line)["type"] == "counts");
  std::getline(json, line);
  CHECK(Json::parse(line)["destination_port"] == 26);
  CHECK(Json::parse(line)["near"].size() == 1);
}

TEST_CASE("monitor says what it cannot do") {
  Gateway gateway;
  CHECK(gateway.Run({"monitor", "--no-follow", "--service", "payment"}) == kFailed);
  CHECK(gateway.err.str() == "marchctl: the policy in force has no service \"payment\"\n");
  for (const auto& [flag, value] :
       std::vector<std::pair<std::string, std::string>>{{"--source", "10.0.0.0/33"},
                                                        {"--destination", "web"},
                                                        {"--port", "70000"},
                                                        {"--port", "30-20"},
                                                        {"--reason", "defualt"},
                                                        {"--count", "0"},
                                                        {"--last", "-1"}}) {
    INFO(flag << " " << value);
    CHECK(gateway.Run({"monitor", flag, value}) == kUsage);
  }
  CHECK(gateway.Run({"monitor", "--reason", "defualt"}) == kUsage);
  CHECK(gateway.err.str().find("did you mean \"default\"?") != std::string::npos);
}

TEST_CASE("monitor says how much it was not told of, since it began") {
  Gateway gateway;
  gateway.Count({{10, 20, 30}, {}, {}});
  auto run =
      std::async(std::launch::async, [&] { return gateway.Run({"monitor", "--count", "1"}); });
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  gateway.Count({{10, 27, 31}, {0, 5, 0}, {}});
  // They come a second after the first counts at the latest.
  std::this_thread::sleep_for(std::chrono::milliseconds(1500));
  gateway.Tell(Numberless(DropJson()));
  REQUIRE(run.get() == kOk);
  CHECK(gateway.out.str().starts_with(
      "(7 more drops are not shown: the gateway tells of only so many in a second)\n"
      "(1 more drops are not shown: the gateway had no room for them)\n"
      "(5 more allows are not shown: the gateway tells of only so many in a second)\n"
      "10:15:02.113 deny "));
}

TEST_CASE("after a change of policy, events are explained by the policy that judged them") {
  Gateway gateway;
  std::string renamed = kPolicy;
  for (std::size_t at = 0; (at = renamed.find("payments", at)) != std::string::npos;) {
    renamed.replace(at, 8, "billing");
  }
  gateway.Do([&] { REQUIRE(gateway.applier().Accept(BundleOf(renamed, 2)).ok()); });
  for (const int generation : {1, 2, 3}) {
    Json json = Numberless(DropJson());
    json["generation"] = generation;
    gateway.Tell(json);
  }
  CHECK(gateway.Run({"monitor", "--no-follow", "--last", "9"}) == kOk);
  CHECK(gateway.out.str().find("no mapping from payments to") != std::string::npos);
  CHECK(gateway.out.str().find("no mapping from billing to") != std::string::npos);
  CHECK(gateway.out.str().ends_with("default deny: no mapping matches it\n"));
}

TEST_CASE("rates have three digits") {
  CHECK(RateText(0) == "0");
  CHECK(RateText(7) == "7");
  CHECK(RateText(7.45) == "7.5");
  CHECK(RateText(950.4) == "950");
  CHECK(RateText(999.4) == "999");
  CHECK(RateText(999.6) == "1.00k");
  CHECK(RateText(12345) == "12.3k");
  CHECK(RateText(999'600) == "1.00M");
  CHECK(RateText(4'560'000) == "4.56M");
  CHECK(RateText(123e9) == "123G");
  CHECK(RateText(5e18) == "5000000T");
}

using Kind = TopReading::Kind;

TopReading Before() {
  TopReading reading;
  reading.at = std::chrono::steady_clock::time_point{};
  reading.enforcement = "enforcing";
  reading.generation = 1;
  reading.rows[{Kind::kMapping, "web-out", "allow"}] = {100, 1000};
  reading.rows[{Kind::kMapping, "block", "deny"}] = {100, 1000};
  reading.rows[{Kind::kMapping, "try", "audit-deny"}] = {100, 1000};
  reading.rows[{Kind::kDefault, "", "deny"}] = {50, 500};
  reading.rows[{Kind::kSlot, "truncated", "drop"}] = {5, 300};
  reading.rows[{Kind::kSlot, "arp", "allow"}] = {5, 300};
  reading.connections["a"] = {"10.20.1.1", {10, 1000}};
  reading.connections["b"] = {"10.20.1.1", {10, 1000}};
  reading.connections_begun = 7;
  reading.tables = {{"established", 2, 1024}, {"new", 0, 8}};
  return reading;
}

// Two seconds later.
TopReading After() {
  TopReading reading = Before();
  reading.at += std::chrono::seconds(2);
  reading.rows[{Kind::kMapping, "web-out", "allow"}] = {2100, 41000};
  reading.rows[{Kind::kMapping, "block", "deny"}] = {120, 2000};
  reading.rows[{Kind::kMapping, "try", "audit-deny"}] = {300, 3000};
  reading.rows[{Kind::kMapping, "mail-out", "allow"}] = {2, 200};
  reading.rows[{Kind::kDefault, "", "deny"}] = {80, 3500};
  reading.rows[{Kind::kSlot, "truncated", "drop"}] = {4, 200};  // was set back
  reading.connections["a"] = {"10.20.1.1", {1010, 21000}};
  reading.connections["c"] = {"192.0.2.1", {20, 800}};
  reading.connections_begun = 27;
  reading.drop_events = {{"10.20.6.6", 2}, {"10.20.1.1", 1}};
  reading.all_drop_events = 5;
  return reading;
}

TEST_CASE("top shows what happened between two readings, per second") {
  const TopView view = Compare(Before(), After(), &Policy());
  CHECK(Render(view, "title", 0, 0) ==
        std::vector<std::string>{
            "title",
            "enforcing, generation 1",
            "allow  1.00k packets/s  161k bits/s     deny  25 packets/s  16.0k bits/s",
            "connections  established 2 of 1024 (0.2 %), new 0 of 8 (0.0 %), 10 begun/s",
            "",
            "MAPPING   ACTION      PACKETS/S  BITS/S",
            "web-out   allow           1.00k    160k",
            "try       audit-deny        100   8.00k",
            "block     deny               10   4.00k",
            "mail-out  allow               1     800",
            "",
            "SERVICE   FROM PACKETS/S  BITS/S  TO PACKETS/S  BITS/S",
            "payments           1.00k    160k             0       0",
            "intruder              10   4.00k             0       0",
            "relays                 1     800             0       0",
            "",
            "DROPPED FOR  PACKETS/S  BITS/S",
            "default             15   12.0k",
            "mapping             10   4.00k",
            "",
            "TALKER     SERVICE   PACKETS/S  BITS/S  CONNECTIONS  DROPS/S",
            "10.20.1.1  payments        500   80.0k            2        5",
            "10.20.6.6  intruder          0       0            0       10",
            "192.0.2.1                   10   3.20k            1        0"});
  const TopView unnamed = Compare(Before(), After(), nullptr);
  CHECK(unnamed.services.empty());
  CHECK(unnamed.talkers.front().service.empty());
}

TEST_CASE("top fits what it shows into the terminal") {
  const TopView view = Compare(Before(), After(), &Policy());
  for (const std::size_t rows : {1U, 3U, 8U, 14U, 20U, 200U}) {
    INFO(rows);
    const auto lines = Render(view, "title", rows, 20);
    CHECK(lines.size() == std::min<std::size_t>(rows, 24));
    for (const std::string& line : lines) CHECK(line.size() <= 20);
  }
  // Each section has its heading and something below it, before one has more.
  const auto lines = Render(view, "title", 16, 0);
  CHECK(lines[5].starts_with("MAPPING"));
  CHECK(lines[8].starts_with("SERVICE"));
  CHECK(lines[11].starts_with("DROPPED"));
  CHECK(lines[14].starts_with("TALKER"));
  CHECK(Render(view, "a\xC3\xA9\xC3\xA9z", 1, 2) == std::vector<std::string>{"a\xC3\xA9"});
}

TEST_CASE("a key is seen even if no time is left to wait for it") {
  // Standard input is a pipe meanwhile, and what is drawn goes nowhere.
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const int input = ::dup(STDIN_FILENO);
  const int output = ::dup(STDOUT_FILENO);
  const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  ::dup2(ends[0], STDIN_FILENO);
  ::dup2(nowhere, STDOUT_FILENO);
  Terminal::Wake without{};
  Terminal::Wake with{};
  char key = 0;
  {
    std::ostringstream out;
    Terminal terminal(out);
    without = terminal.Wait(std::chrono::milliseconds(0));
    CHECK(::write(ends[1], "q", 1) == 1);
    with = terminal.Wait(std::chrono::milliseconds(0));
    key = terminal.key();
  }
  ::dup2(input, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  for (const int fd : {ends[0], ends[1], input, output, nowhere}) ::close(fd);
  CHECK(without == Terminal::Wake::kTime);
  CHECK(with == Terminal::Wake::kKey);
  CHECK(key == 'q');
}

TEST_CASE("top prints one picture where there is no terminal, or as many as are asked for") {
  Gateway gateway;
  CHECK(gateway.Run({"top", "--interval", "0.1"}) == kOk);
  CHECK(gateway.out.str().starts_with("marchctl top, unix:"));
  CHECK(gateway.out.str().find("\nenforcing, generation 1\nallow  0 packets/s") !=
        std::string::npos);
  CHECK(gateway.out.str().find("MAPPING") == std::string::npos);
  auto run = std::async(std::launch::async,
                        [&] { return gateway.Run({"top", "--interval", "0.5", "--count", "2"}); });
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  gateway.Do([&] {
    for (int i = 0; i < 100; ++i) gateway.kernel().Deliver("a", MARCH_SLOT_FIRST_MAPPING + 2, 100);
  });
  REQUIRE(run.get() == kOk);
  const std::string text = gateway.out.str();
  CHECK(text.find("\nweb-out  allow ") != std::string::npos);
  CHECK(text.find("\nSERVICE ") != std::string::npos);
  CHECK(text.find("\n\nmarchctl top, ") != std::string::npos);
  CHECK(gateway.Run({"top", "--interval", "0"}) == kUsage);
}

TEST_CASE("nobody there is said once, and is a failure") {
  Gateway gateway;
  for (const char* const verb : {"monitor", "top"}) {
    gateway.Run({"rules"});
    std::ostringstream err;
    MemoryFileSystem files;
    std::istringstream in;
    Environment environment{files, in, gateway.out, err};
    CHECK(RunMarchctl({verb, "--target", "unix:/nowhere/x"}, environment) == kFailed);
    CHECK(err.str().find("cannot reach unix:/nowhere/x: No such file or directory") !=
          std::string::npos);
  }
}

}  // namespace
}  // namespace march::cli
