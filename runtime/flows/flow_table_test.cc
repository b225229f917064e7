#include "runtime/flows/flow_table.h"

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <cstring>
#include <map>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "bundle/abi/verdict.h"
#include "runtime/flows/carrier.h"
#include "runtime/flows/counts.h"
#include "runtime/flows/filter.h"
#include "runtime/flows/keeper.h"

namespace march::flows {
namespace {

constexpr std::uint32_t kTcp = 6;
constexpr std::uint32_t kUdp = 17;
constexpr Tick kNow = 1000;

march_config ConfigOf(std::uint32_t established, std::uint32_t fresh) {
  march_config config{};
  config.secret[0] = 77;
  config.secret[1] = 99;
  config.flows.established = established / MARCH_FLOW_LANES;
  config.flows.fresh = fresh / MARCH_FLOW_LANES;
  for (std::uint32_t i = 0; i < MARCH_TIMEOUTS; ++i) config.flows.timeouts[i] = 10 + i;
  return config;
}

// The arrays, in ordinary memory.
struct Memory {
  explicit Memory(const march_config& of)
      : config(of),
        buckets(config.flows.established + config.flows.fresh),
        flows(buckets.size() * MARCH_FLOW_LANES) {}

  march_native_flows native() { return {&config, buckets.data(), flows.data()}; }
  FlowTable Table() { return {buckets.data(), flows.data(), config}; }

  // The place of a flow that lives until `deadline`.
  std::uint32_t Insert(const march_flow& flow, Tick deadline, Tick now = kNow) {
    const march_native_flows table = native();
    const std::uint32_t number = march_native_insert_flow(&table, &flow, deadline, now);
    REQUIRE(number != MARCH_NATIVE_NO_FLOW);
    return number;
  }
  std::uint64_t& WordOf(std::uint32_t number) {
    return buckets[number / MARCH_FLOW_LANES].words[number % MARCH_FLOW_LANES];
  }

  march_config config;
  std::vector<march_flow_bucket> buckets;
  std::vector<march_flow> flows;
};

march_flow FlowOf(std::uint32_t source, std::uint32_t protocol = kTcp,
                  std::uint32_t state = MARCH_FLOW_ANSWERED | MARCH_FLOW_ESTABLISHED,
                  std::uint32_t slot = 40) {
  march_flow flow{};
  flow.src_lo = 0x0A000000U + source;
  flow.dst_lo = 0x0A020001U;
  flow.l4 = MARCH_FLOW_L4(4000, 80, protocol, MARCH_KIND_PORTS, 4);
  flow.judged = MARCH_FLOW_JUDGED(3, slot, state);
  flow.begun = kNow - 100;
  SetCounts(flow, MARCH_FLOW_FORWARD, {source, source * 100ULL});
  return flow;
}

std::uint64_t PacketsOf(const march_flow& flow) {
  return CountsOf(flow, MARCH_FLOW_FORWARD).packets;
}

// Whether it is not one of those whose halves say the same.
bool IsTorn(const march_flow& flow) {
  return flow.dst_hi != flow.src_lo ||
         CountsOf(flow, MARCH_FLOW_REPLY) != CountsOf(flow, MARCH_FLOW_FORWARD);
}

std::vector<FlowRecord> SweepAll(FlowTable& table, Tick now) {
  std::vector<FlowRecord> records;
  CHECK(table.Sweep(now, 1'000'000, [&](const FlowRecord& record) { records.push_back(record); }));
  return records;
}

TEST_CASE("every living flow is visited and counted, and none that has ended") {
  Memory memory(ConfigOf(1024, 512));
  const FlowTable table = memory.Table();
  for (std::uint32_t i = 0; i < 300; ++i) memory.Insert(FlowOf(i), kNow + 5);
  for (std::uint32_t i = 300; i < 400; ++i) memory.Insert(FlowOf(i, kUdp, 0), kNow + 9);
  CHECK(table.Count(kNow).established == 300);
  CHECK(table.Count(kNow).fresh == 100);
  CHECK(table.Count(kNow + 6).established == 0);
  CHECK(table.Count(kNow + 6).fresh == 100);
  CHECK(table.established_capacity() == 1024);
  CHECK(table.fresh_capacity() == 512);
  std::map<std::uint64_t, int> seen;
  table.Walk(kNow, [&](const Flow& flow) { ++seen[PacketsOf(flow.record)]; });
  CHECK(seen.size() == 400);
  table.Walk(kNow + 6, [&](const Flow& flow) {
    CHECK(MARCH_FLOW_PROTOCOL(flow.record.l4) == kUdp);
    ++seen[PacketsOf(flow.record)];
  });
  CHECK(seen.at(5) == 1);
  CHECK(seen.at(305) == 2);
}

TEST_CASE("a place that is being written is not read") {
  Memory memory(ConfigOf(64, 64));
  const FlowTable table = memory.Table();
  const std::uint32_t number = memory.Insert(FlowOf(1), kNow + 5);
  memory.WordOf(number) = (memory.WordOf(number) & MARCH_FLOW_FINGERPRINT) | MARCH_FLOW_TAKEN;
  table.Walk(kNow, [](const Flow&) { FAIL("it was read"); });
  CHECK(table.Count(kNow).established == 0);
}

TEST_CASE("what has ended is handed out once, after its grace, and its place is free") {
  Memory memory(ConfigOf(64, 64));
  FlowTable table = memory.Table();
  const std::uint32_t number = memory.Insert(FlowOf(7), kNow + 5);
  CHECK(SweepAll(table, kNow + 5).empty());
  CHECK(SweepAll(table, kNow + 5 + FlowTable::kGrace).empty());
  const auto records = SweepAll(table, kNow + 5 + FlowTable::kGrace + 1);
  REQUIRE(records.size() == 1);
  CHECK(CountsOf(records[0].flow).bytes == 700);
  CHECK(records[0].ending == Ending::kTimeout);
  // What is not silent for its timeout has its deadline that much later.
  CHECK(records[0].ended == kNow + 5 - memory.config.flows.timeouts[MARCH_TIMEOUT_TCP_ESTABLISHED]);
  CHECK(memory.WordOf(number) == 0);
  CHECK(SweepAll(table, kNow + 100).empty());
}

TEST_CASE("a record says how its flow ended") {
  Memory memory(ConfigOf(64, 64));
  FlowTable table = memory.Table();
  constexpr std::uint32_t kOpen = MARCH_FLOW_ANSWERED | MARCH_FLOW_ESTABLISHED;
  const std::map<std::uint32_t, Ending> endings = {
      {kOpen, Ending::kTimeout},
      {kOpen | MARCH_FLOW_FIN_REPLY, Ending::kTimeout},
      {kOpen | MARCH_FLOW_FINS, Ending::kFinished},
      {kOpen | MARCH_FLOW_FINS | MARCH_FLOW_RESET, Ending::kReset},
      {kOpen | MARCH_FLOW_RESET | MARCH_FLOW_CUT, Ending::kCut},
      {0, Ending::kTimeout},
  };
  for (const auto& [state, ending] : endings) {
    memory.Insert(FlowOf(state, kTcp, state), kNow);
  }
  for (const FlowRecord& record : SweepAll(table, kNow + 3)) {
    CHECK(record.ending == endings.at(static_cast<std::uint32_t>(PacketsOf(record.flow))));
  }
  // What a packet has ended, it has ended at once.
  const std::uint32_t number = memory.Insert(FlowOf(1), kNow + 500, kNow);
  memory.WordOf(number) = (memory.WordOf(number) & MARCH_FLOW_FINGERPRINT) | MARCH_FLOW_ENDED |
                          MARCH_FLOW_FORBIDDEN | (kNow - 1);
  table.Walk(kNow, [](const Flow&) { FAIL("it has ended"); });
  CHECK(SweepAll(table, kNow + 1).empty());
  const auto forbidden = SweepAll(table, kNow + 2);
  REQUIRE(forbidden.size() == 1);
  CHECK(forbidden[0].ending == Ending::kForbidden);
  CHECK(forbidden[0].ended == kNow);
}

TEST_CASE("a sweep that is bounded goes on where it stopped") {
  Memory memory(ConfigOf(1024, 64));
  FlowTable table = memory.Table();
  for (std::uint32_t i = 0; i < 250; ++i) memory.Insert(FlowOf(i), kNow);
  std::map<std::uint64_t, int> seen;
  const auto sweep = [&] {
    return table.Sweep(kNow + 9, 100,
                       [&](const FlowRecord& record) { ++seen[PacketsOf(record.flow)]; });
  };
  CHECK_FALSE(sweep());
  CHECK(seen.size() == 100);
  CHECK_FALSE(sweep());
  CHECK(seen.size() == 200);
  CHECK(sweep());
  CHECK(seen.size() == 250);
  CHECK(sweep());
  CHECK(seen.size() == 250);
}

TEST_CASE("a cut marks what it is meant for, and says until when") {
  Memory memory(ConfigOf(1024, 512));
  FlowTable table = memory.Table();
  for (std::uint32_t i = 0; i < 100; ++i) memory.Insert(FlowOf(i), kNow + 2);
  const std::uint32_t fresh = memory.Insert(FlowOf(500, kUdp, 0), kNow + 2);
  const auto wanted = [](const march_flow& flow) {
    return PacketsOf(flow) < 10 || PacketsOf(flow) == 500;
  };
  CHECK(table.CutAll(kNow, wanted) == 11);
  CHECK(table.CutAll(kNow, wanted) == 0);
  CHECK(MARCH_FLOW_DEADLINE(memory.WordOf(fresh)) ==
        kNow + memory.config.flows.timeouts[MARCH_TIMEOUT_UDP_NEW]);
  std::uint64_t cut = 0;
  table.Walk(kNow, [&](const Flow& flow) {
    CHECK((StateOf(flow.record) == State::kCut) == wanted(flow.record));
    if (StateOf(flow.record) == State::kCut) {
      ++cut;
      CHECK(table.LastSeen(flow) == kNow);
    }
  });
  CHECK(cut == 11);
  for (const FlowRecord& record : SweepAll(table, kNow + 100)) {
    CHECK((record.ending == Ending::kCut) == wanted(record.flow));
  }
}

TEST_CASE("a flow that changes its place as it is cut does not escape, nor is another cut") {
  Memory memory(ConfigOf(64, 64));
  FlowTable table = memory.Table();
  const std::uint32_t before = memory.Insert(FlowOf(1, kTcp, MARCH_FLOW_ANSWERED), kNow + 5);
  bool has_moved = false;
  const auto move_then_match = [&](const march_flow& flow) {
    if (!has_moved) {
      has_moved = true;
      memory.WordOf(before) = 0;
      memory.Insert(FlowOf(1), kNow + 5);
      // And its place is somebody else's.
      march_flow other = FlowOf(2, kUdp, 0);
      std::memcpy(&memory.flows[before], &other, sizeof(other));
    }
    return PacketsOf(flow) == 1;
  };
  CHECK(table.CutAll(kNow, move_then_match) == 1);
  std::uint64_t visited = 0;
  table.Walk(kNow, [&](const Flow& flow) {
    ++visited;
    CHECK(StateOf(flow.record) == State::kCut);
  });
  CHECK(visited == 1);
  CHECK((memory.flows[before].judged & MARCH_FLOW_CUT) == 0);
}

// Flows come in one tick of three: when the next ones come, the grace of those before has passed,
// so the sweeper wants the same places. Each flow is recorded whole, at most once, or its place was
// taken by a newer one.
TEST_CASE("records are whole while places change hands") {
  Memory memory(ConfigOf(8192, 8192));
  FlowTable table = memory.Table();
  std::atomic<bool> is_over = false;
  std::uint32_t inserted = 0;
  const march_native_flows native = memory.native();
  std::thread packets([&] {
    for (Tick last = CurrentTick() + 12; CurrentTick() < last;) {
      const Tick now = CurrentTick();
      const std::uint32_t coming = now % (FlowTable::kGrace + 1) == 0 ? 16 : 0;
      for (std::uint32_t i = 0; i < coming; ++i) {
        march_flow flow = FlowOf(inserted, kUdp, i % 2 == 0 ? MARCH_FLOW_ESTABLISHED : 0);
        flow.dst_hi = flow.src_lo;
        SetCounts(flow, MARCH_FLOW_REPLY, CountsOf(flow, MARCH_FLOW_FORWARD));
        if (march_native_insert_flow(&native, &flow, now, now) != MARCH_NATIVE_NO_FLOW) ++inserted;
      }
      std::this_thread::yield();
    }
    is_over = true;
  });
  std::map<std::uint64_t, int> seen;
  std::uint64_t torn = 0;
  std::uint64_t lost = 0;
  while (!is_over) {
    table.Sweep(CurrentTick(), 1000, [&](const FlowRecord& record) {
      const march_flow& flow = record.flow;
      ++seen[flow.src_lo];
      torn += static_cast<std::uint64_t>(IsTorn(flow));
    });
    const Tick now = CurrentTick();
    table.Walk(now, [&](const Flow& flow) {
      const bool is_found = march_native_find_flow(&native, &flow.record, now) == flow.number;
      lost += static_cast<std::uint64_t>(
          !is_found && std::atomic_ref(memory.WordOf(flow.number)).load() == flow.word);
      torn += static_cast<std::uint64_t>(IsTorn(flow.record));
    });
  }
  packets.join();
  CHECK(torn == 0);
  CHECK(lost == 0);
  CHECK(seen.size() > 1000);
  CHECK(seen.size() <= inserted);
  for (const auto& [source, times] : seen) REQUIRE(times == 1);
}

// Flows come and go in tables so full that many are in their second places, and some are cut, after
// which they are remembered for longer.
TEST_CASE("whatever lives is found") {
  Memory memory(ConfigOf(128, 64));
  FlowTable table = memory.Table();
  const march_native_flows native = memory.native();
  std::mt19937 random(7);
  std::uint32_t inserted = 0;
  std::uint64_t found = 0;
  for (Tick now = kNow; now < kNow + 3000; ++now) {
    const Living living = table.Count(now);
    for (std::uint64_t i = living.established + living.fresh; i < 100; ++i) {
      const bool is_established = random() % 3 != 0;
      memory.Insert(FlowOf(inserted++, kUdp, is_established ? MARCH_FLOW_ESTABLISHED : 0),
                    now + static_cast<Tick>(random() % 8), now);
    }
    table.CutAll(now, [&](const march_flow& flow) {
      return StateOf(flow) != State::kCut && random() % 20 == 0;
    });
    table.Walk(now, [&](const Flow& flow) {
      ++found;
      REQUIRE(march_native_find_flow(&native, &flow.record, now) == flow.number);
    });
    table.Sweep(now + 1, 1'000'000, [](const FlowRecord&) {});
  }
  CHECK(found > 100'000);
}

// So its record can be asked for before it is known to be there.
TEST_CASE("a flow takes the place of a bucket that it prefers, if that is free") {
  constexpr std::uint32_t kFlows = 6000;
  const auto lane_in_empty = [](std::uint32_t source, std::uint32_t state) {
    Memory empty(ConfigOf(64, 128));
    return empty.Insert(FlowOf(source, kTcp, state), kNow + 5) % MARCH_FLOW_LANES;
  };
  Memory memory(ConfigOf(16'384, 64));
  std::vector<std::uint32_t> preferring(MARCH_FLOW_LANES);
  std::uint32_t preferred = 0;
  for (std::uint32_t i = 0; i < kFlows; ++i) {
    const std::uint32_t lane = lane_in_empty(i, MARCH_FLOW_ANSWERED | MARCH_FLOW_ESTABLISHED);
    REQUIRE(lane_in_empty(i, 0) == lane);
    ++preferring.at(lane);
    if (memory.Insert(FlowOf(i), kNow + 5) % MARCH_FLOW_LANES == lane) ++preferred;
  }
  CHECK(*std::min_element(preferring.begin(), preferring.end()) > kFlows / MARCH_FLOW_LANES / 2);
  // With 37 per cent of the places taken at last, 4 of 5 flows.
  CHECK(preferred > kFlows * 3 / 4);
}

// All flows of which the hash names one place share its word, and each CPU raises it as it needs.
TEST_CASE("for how long second places are looked at is never less than anyone has asked for") {
  Memory memory(ConfigOf(128, 64));
  const march_native_flows native = memory.native();
  const march_flow flow = FlowOf(1);
  const auto own_place = [&] {
    return std::find_if(memory.flows.begin(), memory.flows.end(), [](const march_flow& record) {
      return record.spilled_until[MARCH_FLOW_TABLE_ESTABLISHED] != 0;
    });
  };
  // One of two buckets is not the flow's first one.
  std::uint32_t elsewhere = 0;
  march_native_note_spill(&native, &flow, elsewhere, 1);
  if (own_place() == memory.flows.end()) elsewhere = MARCH_FLOW_LANES;
  march_native_note_spill(&native, &flow, elsewhere, 1);
  const auto own = own_place();
  REQUIRE(own != memory.flows.end());
  const std::atomic_ref until(own->spilled_until[MARCH_FLOW_TABLE_ESTABLISHED]);
  std::atomic<Tick> next = 2;
  std::atomic<std::uint32_t> too_low = 0;
  const auto raise = [&] {
    for (Tick deadline = next++; deadline < 1'000'000; deadline = next++) {
      march_native_note_spill(&native, &flow, elsewhere, deadline);
      if (until.load() < deadline) ++too_low;
    }
  };
  std::thread other(raise);
  raise();
  other.join();
  CHECK(too_low == 0);
}

TEST_CASE("flows move into tables of other sizes") {
  constexpr std::uint32_t kFlows = 500;
  Memory small(ConfigOf(1024, 512));
  Memory large(ConfigOf(4096, 1024));
  for (std::uint32_t i = 0; i < kFlows; ++i) small.Insert(FlowOf(i), kNow + 50 + i);
  for (std::uint32_t i = 800; i < 900; ++i) small.Insert(FlowOf(i, kUdp, 0), kNow + 5);
  FlowTable to = large.Table();
  const Carried carried = CarryFlows(small.Table(), to, kNow);
  CHECK(carried.flows == kFlows + 100);
  CHECK(carried.lost == 0);
  CHECK(to.Count(kNow).established == kFlows);
  CHECK(to.Count(kNow).fresh == 100);
  const march_native_flows native = to.native();
  for (std::uint32_t i = 0; i < kFlows; ++i) {
    const march_flow flow = FlowOf(i);
    const std::uint32_t number = march_native_find_flow(&native, &flow, kNow);
    REQUIRE(number != MARCH_NATIVE_NO_FLOW);
    CHECK(std::memcmp(&large.flows[number], &flow, sizeof(flow)) == 0);
    CHECK(MARCH_FLOW_DEADLINE(large.WordOf(number)) == kNow + 50 + i);
  }
  // Once more, after one was cut and another was begun.
  FlowTable from = small.Table();
  CHECK(from.CutAll(kNow, [](const march_flow& flow) { return PacketsOf(flow) == 3; }) == 1);
  small.Insert(FlowOf(5000), kNow + 50);
  CHECK(CarryFlows(from, to, kNow).flows == 1);
  CHECK(to.Count(kNow).established == kFlows + 1);
  std::uint64_t cut = 0;
  to.Walk(kNow, [&](const Flow& flow) { cut += StateOf(flow.record) == State::kCut ? 1U : 0U; });
  CHECK(cut == 1);
}

TEST_CASE("what does not fit into a smaller table stays among new flows, or is told to be lost") {
  Memory large(ConfigOf(1024, 64));
  Memory small(ConfigOf(64, 512));
  for (std::uint32_t i = 0; i < 300; ++i) large.Insert(FlowOf(i), kNow + 50);
  FlowTable to = small.Table();
  const Carried carried = CarryFlows(large.Table(), to, kNow);
  CHECK(carried.flows == 300);
  CHECK(carried.lost == 0);
  CHECK(to.Count(kNow).established == 64);
  CHECK(to.Count(kNow).fresh == 236);
  const march_native_flows native = to.native();
  to.Walk(kNow, [&](const Flow& flow) {
    CHECK(march_native_find_flow(&native, &flow.record, kNow) == flow.number);
    const bool is_among_established = flow.number < to.established_capacity();
    CHECK((StateOf(flow.record) == State::kEstablished) == is_among_established);
  });
}

TEST_CASE("a table counts as full for a minute after a flow found no room") {
  Memory memory(ConfigOf(64, 64));
  std::vector<std::uint64_t> statistics(MARCH_STATISTICS, 5);
  std::string log_text;
  telemetry::Logger log{[&](const std::string& line) { log_text += line; }};
  FlowKeeper keeper(memory.Table(), [&] { return statistics; }, log);
  const auto full = [&](Tick now) {
    telemetry::Snapshot snapshot;
    keeper.Describe(now, snapshot);
    REQUIRE(snapshot.flow_tables.size() == 2);
    CHECK(snapshot.statistics == statistics);
    return std::pair(snapshot.flow_tables[0].is_full, snapshot.flow_tables[1].is_full);
  };
  CHECK(keeper.Sweep(kNow));
  CHECK(full(kNow) == std::pair(false, false));
  statistics[MARCH_STATISTIC_FLOWS_NO_ROOM] += 1;
  CHECK(keeper.Sweep(kNow + 4));
  CHECK(full(kNow + 4) == std::pair(true, false));
  statistics[MARCH_STATISTIC_FLOWS_EVICTED] += 1;
  CHECK(keeper.Sweep(kNow + 8));
  CHECK(full(kNow + 8) == std::pair(true, true));
  CHECK(full(kNow + 4 + FlowKeeper::kFullFor) == std::pair(false, true));
  CHECK(full(kNow + 8 + FlowKeeper::kFullFor) == std::pair(false, false));
  statistics[MARCH_STATISTIC_FLOWS_EVICTED] += 1;
  CHECK(keeper.Sweep(kNow + 12));
  const auto lines = [&](const std::string& text) {
    std::size_t count = 0;
    for (std::size_t at = 0; (at = log_text.find(text, at)) != std::string::npos; ++at) ++count;
    return count;
  };
  CHECK(lines("event=flow_table_full") == 2);
  CHECK(lines("table=established") == 1);
}

TEST_CASE("prefixes") {
  const auto contains = [](const char* prefix, std::uint64_t family, std::uint64_t hi,
                           std::uint64_t lo) {
    const auto parsed = Prefix::Parse(prefix);
    INFO(prefix);
    REQUIRE(parsed);
    return parsed->Contains(family, hi, lo);
  };
  CHECK(contains("10.1.0.0/16", 4, 0, 0x0A01FFFF));
  CHECK(contains("10.1.2.3/16", 4, 0, 0x0A010000));
  CHECK_FALSE(contains("10.1.0.0/16", 4, 0, 0x0A020000));
  CHECK_FALSE(contains("10.1.0.0/16", 6, 0, 0x0A010000));
  CHECK(contains("0.0.0.0/0", 4, 0, 0xFFFFFFFF));
  CHECK(contains("1.2.3.4", 4, 0, 0x01020304));
  CHECK_FALSE(contains("1.2.3.4", 4, 0, 0x01020305));
  CHECK(contains("2001:db8::/32", 6, 0x20010DB8FFFFFFFF, 1));
  CHECK_FALSE(contains("2001:db8::/32", 6, 0x20010DB900000000, 1));
  CHECK(contains("2001:db8::/64", 6, 0x20010DB800000000, ~0ULL));
  CHECK(contains("2001:db8::8/125", 6, 0x20010DB800000000, 15));
  CHECK_FALSE(contains("2001:db8::8/125", 6, 0x20010DB800000000, 16));
  CHECK(contains("::/0", 6, ~0ULL, ~0ULL));
  CHECK(contains("::1", 6, 0, 1));
  for (const char* text : {"", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0/8", "10.0.0.0/8x", "::/129",
                           "10.0.0.0/-1", "web", "10.0.0.1:80"}) {
    INFO(text);
    CHECK_FALSE(Prefix::Parse(text));
  }
}

TEST_CASE("a filter asks for all that it names") {
  bundle::MappingTable mappings;
  mappings.mappings.resize(3);
  mappings.mappings[1].name = "web";
  MappingNames names(
      [&](std::uint64_t generation) { return generation == 3 ? &mappings : nullptr; });
  const march_flow flow = FlowOf(5, kTcp, MARCH_FLOW_ESTABLISHED, MARCH_SLOT_FIRST_MAPPING + 1);
  const auto matches = [&](const Filter& filter) { return filter.Matches(flow, names); };
  Filter filter;
  CHECK(filter.IsEmpty());
  CHECK(matches(filter));
  filter.source = Prefix::Parse("10.0.0.5");
  filter.destination = Prefix::Parse("10.2.0.0/16");
  filter.port = 4000;
  filter.protocol = 6;
  filter.state = State::kEstablished;
  filter.mapping = "web";
  CHECK_FALSE(filter.IsEmpty());
  CHECK(matches(filter));
  filter.port = 80;
  CHECK(matches(filter));
  for (const auto& spoil : std::vector<std::function<void(Filter&)>>{
           [](Filter& f) { f.source = Prefix::Parse("10.2.0.1"); },
           [](Filter& f) { f.destination = Prefix::Parse("10.0.0.5"); },
           [](Filter& f) { f.port = 81; }, [](Filter& f) { f.protocol = 17; },
           [](Filter& f) { f.state = State::kNew; }, [](Filter& f) { f.mapping = "dns"; },
           [](Filter& f) { f.mapping = "(default)"; }}) {
    Filter other = filter;
    spoil(other);
    CHECK_FALSE(matches(other));
  }
  // The identifier of an echo request is no port.
  march_flow ping = flow;
  ping.l4 = MARCH_FLOW_L4(80, 80, 1U, MARCH_KIND_ICMP(8U), 4U);
  filter = {};
  filter.port = 80;
  CHECK_FALSE(filter.Matches(ping, names));
}

TEST_CASE("a flow names its mapping as long as its generation is known") {
  bundle::MappingTable mappings;
  mappings.mappings.resize(1);
  mappings.mappings[0].name = "web";
  int asked = 0;
  MappingNames names([&](std::uint64_t generation) {
    ++asked;
    return generation == 3 ? &mappings : nullptr;
  });
  const auto find = [&](std::uint64_t generation, std::uint64_t slot) {
    const Decision decision = names.Find(MARCH_FLOW_JUDGED(generation, slot, 0));
    return std::string(NameOf(decision.by)) + " " + decision.mapping;
  };
  CHECK(find(3, MARCH_SLOT_FIRST_MAPPING) == "mapping web");
  CHECK(find(3, MARCH_SLOT_FIRST_MAPPING + 1) == "unknown ");
  CHECK(find(2, MARCH_SLOT_FIRST_MAPPING) == "unknown ");
  CHECK(find(2, MARCH_SLOT_DEFAULT) == "default ");
  CHECK(find(3, MARCH_SLOT_FIRST_MAPPING) == "mapping web");
  CHECK(asked == 2);
  CHECK(names.IsDecidedBy(MARCH_FLOW_JUDGED(2, MARCH_SLOT_DEFAULT, 0), "(default)"));
}

TEST_CASE("protocols, states and addresses in words") {
  CHECK(ReadProtocol("tcp") == 6);
  CHECK(ReadProtocol("47") == 47);
  CHECK(ReadProtocol("0") == 0);
  CHECK_FALSE(ReadProtocol("256"));
  CHECK_FALSE(ReadProtocol(""));
  CHECK_FALSE(ReadProtocol("TCP"));
  CHECK(ProtocolName(58) == "icmpv6");
  CHECK(ProtocolName(47) == "47");
  for (const State state :
       {State::kNew, State::kEstablished, State::kClosing, State::kClosed, State::kCut}) {
    CHECK(ReadState(NameOf(state)) == state);
    CHECK(kStateNames.find(NameOf(state)) != std::string_view::npos);
  }
  CHECK_FALSE(ReadState("open"));
  CHECK(AddressText(4, 0, 0x0A000105) == "10.0.1.5");
  CHECK(AddressText(6, 0x20010DB800000000, 0x10) == "2001:db8::10");
}

}  // namespace
}  // namespace march::flows
