#include "tests/soak/soak.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <iostream>
#include <thread>
#include <utility>

#include "tests/soak/talk.h"
#include "tests/soak/timeouts.h"

namespace march::soak {
namespace {

using std::chrono::nanoseconds;

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kMillisecond = 1'000'000;

// Between two exchanges, if they are not late.
constexpr std::uint64_t kPause = 2 * kMillisecond;
constexpr std::uint64_t kBetweenChanges = kSecond;
// A compilation takes its second or two of a CPU.
constexpr std::uint64_t kBetweenCompilations = 3 * kSecond;
// So many of the last ones are changed between. They differ in little, so most flows survive.
constexpr std::size_t kCompiled = 4;
constexpr std::uint64_t kBetweenSamples = 60 * kSecond;
// marchd's memory of events and ended connections is full by then.
constexpr std::uint64_t kWarmUp = 120 * kSecond;
// At once, while a policy changes.
constexpr std::size_t kStrangers = 40;
// For programs and maps that the kernel has yet to free, and those of others.
constexpr int kSettleSeconds = 20;

// Of a conversation's next packet: mostly soon, sometimes so late that its flow may have ended.
std::uint64_t DelayOf(tests::Random& random) {
  const std::uint32_t kind = random.Below(100);
  const std::uint32_t most = kind < 70 ? 300 : kind < 92 ? 1000 : 8000;
  return (20 + random.Below(most - 20)) * kMillisecond;
}
constexpr std::uint64_t kMeanDelay = 550 * kMillisecond;

std::uint64_t MonotonicNanoseconds() {
  return static_cast<std::uint64_t>(
      nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count());
}

// The pause after an exchange that began at `began`.
void PauseSince(std::uint64_t began) {
  const std::uint64_t took = MonotonicNanoseconds() - began;
  if (took < kPause) std::this_thread::sleep_for(nanoseconds(kPause - took));
}

template <class T>
bool IsReady(const std::future<T>& future) {
  return future.wait_for(nanoseconds(0)) == std::future_status::ready;
}

bool AllowsFirst(const Policy& policy, const tests::ModelPacket& packet) {
  return !packet.is_answer && policy.Allows(packet.protocol, packet.from, packet.to);
}

// What a policy allows opens a flow, but for the ends of TCP.
bool MayOpen(const tests::ModelPacket& packet) {
  return (packet.flags & (tests::kTcpFin | tests::kTcpRst)) == 0;
}

}  // namespace

Soak::Soak(const SoakOptions& options)
    : options_(options),
      random_(options.seed),
      config_(ModelConfig()),
      client_({options.client, "c0"}, {options.gateway, "gc"}),
      server_({options.server, "s0"}, {options.gateway, "gs"}),
      exchange_(client_, server_),
      publisher_(options.paths),
      conversations_(options.rate * kMeanDelay / kSecond),
      began_(MonotonicNanoseconds()) {}

Soak::Time Soak::Now() const {
  return MonotonicNanoseconds() - began_;
}

void Soak::Begin(std::size_t place) {
  auto& conversation = conversations_[place];
  conversation = std::make_unique<Conversation>(next_number_++, config_, random_);
  Enforce(*conversation);
  turns_.push({Now() + DelayOf(random_), place});
}

void Soak::Enforce(Conversation& conversation) const {
  conversation.Enforce([this](std::uint32_t protocol, const tests::End& from,
                              const tests::End& to) { return policy_.Allows(protocol, from, to); },
                       policy_.number);
}

// The conversation at `place` says its next packet, or waits until the model is sure again.
void Soak::Speak(std::size_t place, flows::Tick now, std::vector<Outgoing>& packets) {
  Conversation& conversation = *conversations_[place];
  const flows::Tick sure = conversation.SureFrom(now);
  if (sure > now) {
    turns_.push({Now() + (std::uint64_t{sure - now} << MARCH_TICK_SHIFT), place});
    return;
  }
  const Conversation::Said said = conversation.Say(now, random_);
  if (conversation.was_reply()) ++tally_.replies;
  if (conversation.has_opened()) ++tally_.opened;
  packets.push_back({said.packet, said.passes ? Verdict::kPass : Verdict::kDrop, place});
}

bool Soak::ExchangeTurns() {
  const flows::Tick began = flows::CurrentTick();
  const Time now = Now();
  std::vector<Outgoing> packets;
  while (!turns_.empty() && turns_.top().due <= now && packets.size() < Exchange::kMost) {
    const std::size_t place = turns_.top().place;
    turns_.pop();
    Speak(place, began, packets);
  }
  const auto fault = exchange_.Run(packets);
  // Which flows lived is known only if the gateway has judged all of them by about now.
  const bool is_late = exchange_.judged_at() > began + 1;
  if (fault && (fault->whenever || !is_late)) {
    Report(*fault);
    return false;
  }
  for (const Outgoing& packet : packets) GoOn(packet.conversation, is_late);
  return true;
}

void Soak::GoOn(std::size_t place, bool is_late) {
  Conversation& conversation = *conversations_[place];
  if (!is_late && !conversation.is_over()) {
    turns_.push({Now() + DelayOf(random_), place});
    return;
  }
  if (is_late) ++forgotten_;
  conversation.CountFlows(tally_, flows::CurrentTick());
  Begin(place);
}

// Packets that belong to no conversation, and never will: what both policies say must happen, and
// either may where they differ.
bool Soak::ExchangeStrangers(const Policy& next) {
  std::vector<Outgoing> packets;
  for (std::size_t i = 0; i < kStrangers; ++i) {
    const tests::ModelPacket packet = Talk(next_number_++, random_).Next(random_);
    const bool passes = AllowsFirst(policy_, packet);
    Verdict expected = passes ? Verdict::kPass : Verdict::kDrop;
    if (AllowsFirst(next, packet) != passes) expected = Verdict::kEither;
    if (MayOpen(packet)) {
      if (expected == Verdict::kPass) ++tally_.opened;
      if (expected == Verdict::kEither) ++perhaps_opened_;
    }
    packets.push_back({packet, expected, kNoConversation});
  }
  strangers_ += packets.size();
  const auto fault = exchange_.Run(packets);
  if (fault) Report(*fault);
  return !fault;
}

// Conversations wait meanwhile, so that it is known which policy judges each of their packets.
bool Soak::ChangeTo(const Compiled& next) {
  std::future<void> enforced = publisher_.Enforce(next);
  do {
    const std::uint64_t began = MonotonicNanoseconds();
    if (!ExchangeStrangers(next.policy)) return false;
    PauseSince(began);
  } while (!IsReady(enforced));
  enforced.get();
  TakeForEnforced(next.policy);
  return true;
}

void Soak::TakeForEnforced(const Policy& policy) {
  before_ = std::exchange(policy_, policy);
  ++changes_;
  for (const auto& conversation : conversations_) {
    if (conversation) Enforce(*conversation);
  }
}

// A new one if there is one, else another of the last few. Who compiles is slower than who changes.
const Compiled& Soak::NextToEnforce() {
  if (std::exchange(is_new_, false)) return compiled_.back();
  std::vector<const Compiled*> others;
  for (const Compiled& compiled : compiled_) {
    if (compiled.policy.number != policy_.number) others.push_back(&compiled);
  }
  return *random_.Pick(others);
}

void Soak::CompileNext() {
  const Policy& last = compiled_.empty() ? policy_ : compiled_.back().policy;
  being_compiled_ = publisher_.Compile(NextPolicy(last, random_));
  next_compilation_ = Now() + kBetweenCompilations;
}

void Soak::TakeCompiled() {
  compiled_.push_back(being_compiled_.get());
  if (compiled_.size() > kCompiled) compiled_.pop_front();
  is_new_ = true;
}

void Soak::Sample(const std::string& what) const {
  std::cout << what << ": " << Now() / kSecond << " s, " << exchange_.sent() << " packets, "
            << exchange_.passed() << " passed, " << changes_ << " changes among "
            << compiled_.back().policy.number << " policies; "
            << Measure(options_.marchd, options_.bpffs).ToString() << std::endl;
}

// Just before a change, so that all samples are of the same moment in marchd's life.
void Soak::TakeSamples() {
  const Time warm_up = std::min(kWarmUp, options_.seconds * kSecond / 2);
  if (!warm_ && Now() >= warm_up) {
    warm_ = Measure(options_.marchd, options_.bpffs);
    Sample("warm");
  }
  if (Now() < next_sample_) return;
  next_sample_ += kBetweenSamples;
  Sample("sample");
}

void Soak::Report(const Fault& fault) {
  std::cout << "WRONG: " << TextOf(fault.packet.packet) << " " << fault.what << "\n";
  if (client_.Missed() + server_.Missed() > 0) {
    std::cout << "(frames found no room in a socket: this may be no verdict at all)\n";
  }
  const FlowStatistics counted = ReadStatistics(options_.paths.target);
  std::cout << "flows that found no room: " << counted.evicted + counted.no_room << "\n";
  if (fault.packet.conversation != kNoConversation) {
    std::cout << conversations_[fault.packet.conversation]->Describe();
  }
  std::cout << "now: tick " << flows::CurrentTick() << ", " << Now() / kMillisecond << " ms, seed "
            << options_.seed << "\nin force, number " << policy_.number << ":\n"
            << policy_.Yaml() << "before:\n"
            << before_.Yaml() << std::flush;
}

bool Soak::HasGrown() {
  Footprint least = Measure(options_.marchd, options_.bpffs);
  std::vector<std::string> growth = Growth(*warm_, least);
  for (int second = 0; second < kSettleSeconds && !growth.empty(); ++second) {
    std::this_thread::sleep_for(std::chrono::seconds(1));
    least = Least(least, Measure(options_.marchd, options_.bpffs));
    growth = Growth(*warm_, least);
  }
  for (const std::string& line : growth) std::cout << "WRONG: " << line << "\n";
  return !growth.empty();
}

// Whether the gateway has opened and ended other flows than the model.
bool Soak::HasMiscounted() const {
  const FlowStatistics counted = ReadStatistics(options_.paths.target);
  std::cout << "the gateway has opened " << counted.opened << " flows, the model " << tally_.opened
            << " to " << tally_.opened + perhaps_opened_ << "; forbidden: " << counted.forbidden
            << " and " << tally_.forbidden
            << "; that found no room: " << counted.evicted + counted.no_room << std::endl;
  // What was given up may have ended, and begun again, while nobody looked.
  const std::uint64_t opened_most = tally_.opened + perhaps_opened_ + forgotten_;
  const std::uint64_t forbidden_least = tally_.forbidden - std::min(tally_.forbidden, forgotten_);
  return counted.opened + forgotten_ < tally_.opened || counted.opened > opened_most ||
         counted.forbidden < forbidden_least || counted.forbidden > tally_.forbidden + forgotten_ ||
         counted.evicted + counted.no_room != 0;
}

bool Soak::Finish() {
  for (const auto& conversation : conversations_) {
    conversation->CountFlows(tally_, flows::CurrentTick());
  }
  Sample("end");
  std::cout << "of " << exchange_.sent() << " packets " << exchange_.passed() << " passed, "
            << tally_.replies << " as replies; of " << tally_.ended << " flows that ended, "
            << tally_.timed_out << " were silent and " << tally_.forbidden
            << " forbidden by a later policy; " << strangers_
            << " packets came while policies changed; " << forgotten_
            << " conversations were given up, since the machine stood still" << std::endl;
  const bool has_miscounted = HasMiscounted();
  if (has_miscounted) std::cout << "WRONG: the gateway has other flows than the model\n";
  const bool has_missed = client_.Missed() + server_.Missed() > 0;
  if (has_missed) std::cout << "WRONG: frames found no room in a socket\n";
  const bool is_little = tally_.replies == 0 || tally_.timed_out == 0 || tally_.forbidden == 0 ||
                         !warm_ || changes_ * 2 < Now() / kSecond ||
                         forgotten_ * 100 > exchange_.sent();
  if (is_little) std::cout << "WRONG: that is too little to say anything\n";
  return !is_little && !HasGrown() && !has_miscounted && !has_missed;
}

bool Soak::Run() {
  std::cout << "seed " << options_.seed << std::endl;
  // Without a policy everything passes, so nothing is sent before there is one.
  CompileNext();
  TakeCompiled();
  publisher_.Enforce(compiled_.back()).get();
  TakeForEnforced(compiled_.back().policy);
  is_new_ = false;
  // A second one, so that there is something to change to.
  CompileNext();
  TakeCompiled();
  began_ = MonotonicNanoseconds();
  for (std::size_t place = 0; place < conversations_.size(); ++place) Begin(place);
  return Go() && Finish();
}

bool Soak::Go() {
  Time change = kBetweenChanges;
  while (Now() < options_.seconds * kSecond) {
    const std::uint64_t began = MonotonicNanoseconds();
    if (being_compiled_.valid() && IsReady(being_compiled_)) TakeCompiled();
    if (!being_compiled_.valid() && Now() >= next_compilation_) CompileNext();
    if (Now() >= change) {
      TakeSamples();
      change += kBetweenChanges;
      if (!ChangeTo(NextToEnforce())) return false;
    }
    if (!ExchangeTurns()) return false;
    PauseSince(began);
  }
  return true;
}

}  // namespace march::soak
