#include "compiler/prove/prove.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>
#include <mutex>
#include <optional>
#include <thread>
#include <tuple>
#include <utility>

#include "bundle/mappings.h"
#include "bundle/sha256.h"
#include "bundle/text.h"
#include "compiler/prove/cells.h"
#include "compiler/prove/plain_policy.h"
#include "compiler/prove/table_reader.h"
#include "compiler/prove/treatments.h"
#include "compiler/prove/witness.h"

namespace march::prove {
namespace {

using space::Family;
using space::Uint128;

constexpr std::size_t kMostReported = 5;
constexpr std::uint32_t kXdpPass = 2;

class Hasher {
 public:
  void Add(std::uint64_t number) {
    for (unsigned i = 0; i < 8; ++i) bytes_ += static_cast<char>(number >> (8 * i));
    if (bytes_.size() > kBlock) Flush();
  }
  void Add(Uint128 address) {
    Add(static_cast<std::uint64_t>(address));
    Add(static_cast<std::uint64_t>(address >> 64));
  }
  void Add(std::string_view text) {
    Add(std::uint64_t{text.size()});
    bytes_ += text;
  }
  std::string Hex() {
    Flush();
    return sha_.Hex();
  }

 private:
  static constexpr std::size_t kBlock = 1 << 16;
  void Flush() {
    sha_.Update(bytes_);
    bytes_.clear();
  }

  bundle::Sha256 sha_;
  std::string bytes_;
};

Diagnostic Failed(std::string message, SourceRange place = {}) {
  return MakeDiagnostic(Code::kProofFailed, place, std::move(message),
                        "this is a defect of marchctl; please report it with the policy");
}

Diagnostic TooLarge(const std::string& what) {
  return MakeDiagnostic(Code::kProofTooLarge, {}, "the proof of this policy would take " + what,
                        "raise --max-proof-cells, prove parts of the policy, or compile it without "
                        "--prove");
}

// A packet that is not treated as the policy says.
struct Finding {
  std::size_t task = 0;  // in whose course it was found: the lowest are told
  space::Flow flow;
  Fate expected;
  std::string found;
};

class Describer {
 public:
  explicit Describer(const PlainPolicy& policy) : policy_(policy) {}

  std::string Name(std::uint32_t slot) const {
    if (const model::Mapping* mapping = MappingIn(slot)) return bundle::Quoted(mapping->name);
    const std::string_view name = bundle::SlotName(slot);
    if (slot == MARCH_SLOT_DEFAULT) return "the default";
    return name.empty() ? "the unknown counter " + std::to_string(slot)
                        : "(" + std::string(name) + ")";
  }

  std::string Describe(const Fate& fate) const {
    std::string text = (fate.allow ? "allow by " : "deny by ") + Name(fate.slot);
    if (fate.audit != 0) text += ", audited for " + Name(fate.audit);
    return text;
  }

  std::string Describe(const KernelMiss& miss) const {
    std::string text = miss.xdp_action == kXdpPass ? "allow" : "deny";
    text += miss.moved.empty() ? ", counted nowhere" : ", counted by ";
    for (std::size_t i = 0; i < miss.moved.size(); ++i) {
      text += (i == 0 ? "" : " and ") + Name(miss.moved[i]);
    }
    return text;
  }

  SourceRange PlaceOf(std::uint32_t slot) const {
    const model::Mapping* mapping = MappingIn(slot);
    return mapping == nullptr ? SourceRange() : mapping->place;
  }

 private:
  const model::Mapping* MappingIn(std::uint32_t slot) const {
    const std::size_t place = std::size_t{slot} - MARCH_SLOT_FIRST_MAPPING;
    if (slot < MARCH_SLOT_FIRST_MAPPING || place >= policy_.mappings().size()) return nullptr;
    return &policy_.policy().mappings[policy_.mappings()[place].mapping];
  }

  const PlainPolicy& policy_;
};

// One family: all pairs of its classes, on several threads. Task i below the number of classes of
// sources is one of them with all destinations; what follows are the classes of destinations that
// have more edges than those tasks use.
class FamilyProver {
 public:
  FamilyProver(const PlainPolicy& policy, const TableReader& tables, Family family,
               std::span<const std::unique_ptr<Kernel>> kernels, const ProofLimits& limits,
               std::uint64_t cells_before)
      : policy_(policy),
        tables_(tables),
        family_(family),
        kernels_(kernels),
        limits_(limits),
        describer_(policy),
        cells_(cells_before),
        cells_before_(cells_before) {}

  Outcome<bundle::ProofOfFamily> Prove(Hasher& digest) {
    Fault fault;
    const auto ranges = tables_.Sources(family_, fault);
    const auto destination_ranges = tables_.Destinations(family_, fault);
    if (fault.raised()) return Failed(fault.what());
    const std::uint64_t sources = AddRanges(ranges, digest);
    const std::uint64_t destinations = AddRanges(destination_ranges, digest);
    if (const auto error = CheckSize(sources, destinations)) return *error;
    sources_ = policy_.ReadClasses(ranges, family_, End::kSource, fault);
    destinations_ = policy_.ReadClasses(destination_ranges, family_, End::kDestination, fault);
    if (fault.raised()) return Failed(fault.what());

    rows_.resize(sources_.classes.size());
    RunTasks();
    if (error_) return *std::move(error_);
    if (!findings_.empty()) return TellFindings();
    for (const std::string& row : rows_) digest.Add(row);
    return bundle::ProofOfFamily{sources_.ranges,        sources_.classes.size(),
                                 destinations_.ranges,   destinations_.classes.size(),
                                 cells_ - cells_before_, witnesses_};
  }

 private:
  // What a thread has of its own.
  struct Worker {
    CellFinder finder;
    Kernel* kernel = nullptr;
    std::vector<march_witness> batch;
    std::vector<std::uint32_t> common;  // mappings of the pair at hand
    std::uint32_t telling_key = 0;      // the last of the row that a mapping decided, 0 for none
    std::size_t task = 0;
    Fault fault;
  };

  static std::vector<std::uint32_t> ValuesOf(const std::vector<AddressRange>& ranges) {
    std::vector<std::uint32_t> values;
    values.reserve(ranges.size());
    for (const AddressRange& range : ranges) values.push_back(range.value);
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    return values;
  }

  static std::uint64_t AddRanges(const std::vector<AddressRange>& ranges, Hasher& digest) {
    const std::vector<std::uint32_t> values = ValuesOf(ranges);
    digest.Add(std::uint64_t{ranges.size()});
    for (const AddressRange& range : ranges) {
      digest.Add(range.first);
      digest.Add(range.last);
      const auto place = std::lower_bound(values.begin(), values.end(), range.value);
      digest.Add(static_cast<std::uint64_t>(place - values.begin()));
    }
    return values.size();
  }

  // By the numbers of classes.
  std::optional<Diagnostic> CheckSize(std::uint64_t sources, std::uint64_t destinations) const {
    // A pair has one cell of whole packets at least, and one of fragments.
    if (2 * sources * destinations + cells_before_ > limits_.max_cells) {
      return TooLarge("at least " + std::to_string(2 * sources * destinations + cells_before_) +
                      " cells: " + std::to_string(sources) + " classes of sources by " +
                      std::to_string(destinations) + " of destinations; the limit is " +
                      std::to_string(limits_.max_cells));
    }
    const std::uint64_t bytes = (sources + destinations) * (policy_.mappings().size() / 8 + 8);
    if (bytes > limits_.max_class_bytes) {
      return TooLarge(std::to_string(bytes) + " bytes of memory; the limit is " +
                      std::to_string(limits_.max_class_bytes));
    }
    return std::nullopt;
  }

  void RunTasks() {
    constexpr std::size_t kMostThreads = 16;
    const std::size_t count =
        kernels_.empty()
            ? std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, kMostThreads)
            : kernels_.size();
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < count; ++i) threads.emplace_back([this, i] { Work(i); });
    Work(0);
  }

  void Work(std::size_t number) {
    Worker worker{CellFinder(policy_, tables_, family_), nullptr, {}, {}, 0, 0, {}};
    if (!kernels_.empty()) worker.kernel = kernels_[number].get();
    const std::size_t count = sources_.classes.size() + destinations_.classes.size();
    for (worker.task = next_++; worker.task < count && !stop_; worker.task = next_++) {
      if (worker.task < sources_.classes.size()) {
        ProveRow(worker);
      } else {
        UseEdges(worker);
      }
      if (worker.fault.raised()) Fail(Failed(worker.fault.what()));
    }
    if (!stop_) Send(worker);
  }

  const Cells& CellsOf(Worker& worker, const ClassesOfEnd::Class& from,
                       const ClassesOfEnd::Class& to) {
    worker.common.clear();
    for (std::size_t i = 0; i < from.mapping_bits.size(); ++i) {
      for (std::uint64_t both = from.mapping_bits[i] & to.mapping_bits[i]; both != 0;
           both &= both - 1) {
        worker.common.push_back(static_cast<std::uint32_t>(i * 64) +
                                static_cast<std::uint32_t>(std::countr_zero(both)));
      }
    }
    const MetLeaves leaves = tables_.Meet(family_, from.value, to.value, worker.fault);
    return worker.finder.Find(worker.common, leaves, worker.fault);
  }

  void ProveRow(Worker& worker) {
    const ClassesOfEnd::Class& from = sources_.classes[worker.task];
    Hasher row;
    std::uint64_t run = 0;
    std::string digest_of_run;
    std::uint64_t sent = 0;
    worker.telling_key = 0;
    for (const ClassesOfEnd::Class& to : destinations_.classes) {
      const Cells& cells = CellsOf(worker, from, to);
      if (worker.fault.raised() || stop_) return;
      if (cells.digest != digest_of_run) {
        EndRun(row, run, digest_of_run);
        run = 0;
        digest_of_run = cells.digest;
      }
      ++run;
      if (!CountCells(cells.cells.size())) return;
      if (!cells.differences.empty()) return Keep(worker, from, to, cells);
      if (worker.kernel == nullptr) continue;
      for (std::size_t i = 0; i < cells.cells.size(); ++i) {
        // Tasks begin with two edges of the destination each, in changing order.
        const std::size_t edge = 2 * worker.task + (i ^ (worker.task & 1));
        Send(worker, from.edges[sent % from.edges.size()], to.edges[edge % to.edges.size()],
             cells.cells[i], sent);
        ++sent;
      }
      SendTelling(worker, from, to, cells, sent / 2);
    }
    EndRun(row, run, digest_of_run);
    rows_[worker.task] = row.Hex();
    if (worker.kernel == nullptr) return;
    while (sent < from.edges.size() && !stop_) {
      const ClassesOfEnd::Class& to = destinations_.classes[sent % destinations_.classes.size()];
      SendOne(worker, from, to, from.edges[sent], to.edges[sent % to.edges.size()], sent);
      ++sent;
    }
  }

  // Those edges of a class of destinations that the rows have not come to.
  void UseEdges(Worker& worker) {
    const ClassesOfEnd::Class& to = destinations_.classes[worker.task - sources_.classes.size()];
    if (worker.kernel == nullptr) return;
    for (std::size_t i = 2 * sources_.classes.size(); i < to.edges.size() && !stop_; ++i) {
      const ClassesOfEnd::Class& from = sources_.classes[i % sources_.classes.size()];
      SendOne(worker, from, to, from.edges[i % from.edges.size()], to.edges[i], i);
    }
  }

  void SendOne(Worker& worker, const ClassesOfEnd::Class& from, const ClassesOfEnd::Class& to,
               Uint128 source, Uint128 destination, std::size_t number) {
    const Cells& cells = CellsOf(worker, from, to);
    if (worker.fault.raised()) return;
    Send(worker, source, destination, cells.cells[number % cells.cells.size()], number);
  }

  // Where no mapping matches, the edges of a cell cannot show that the program found the leaf of
  // another pair. So one more packet has a key that a mapping decides in a pair before, or
  // elsewhere in the policy.
  void SendTelling(Worker& worker, const ClassesOfEnd::Class& from, const ClassesOfEnd::Class& to,
                   const Cells& cells, std::uint64_t number) {
    const std::vector<std::uint32_t>& keys = policy_.telling_keys();
    if (keys.empty()) return;
    const bool of_neighbour = worker.telling_key != 0 && number % 2 == 0;
    const std::uint32_t key =
        of_neighbour ? worker.telling_key : keys[(worker.task + number / 2) % keys.size()];
    const Cell* holding = nullptr;
    bool decided = false;
    for (const Cell& cell : cells.cells) {
      if (holding == nullptr && cell.first_key <= key && key <= cell.last_key) holding = &cell;
      if (decided || cell.expected.slot < MARCH_SLOT_FIRST_MAPPING) continue;
      decided = std::binary_search(keys.begin(), keys.end(), cell.first_real_key);
      if (decided) worker.telling_key = cell.first_real_key;
    }
    if (holding == nullptr) return;
    Cell cell = *holding;
    cell.first_real_key = cell.last_real_key = key;
    Send(worker, from.edges[number % from.edges.size()], to.edges[number % to.edges.size()], cell,
         number);
  }

  static void EndRun(Hasher& row, std::uint64_t run, const std::string& digest) {
    if (run == 0) return;
    row.Add(run);
    row.Add(std::string_view(digest));
  }

  bool CountCells(std::uint64_t count) {
    const std::uint64_t all = cells_ += count;
    if (all <= limits_.max_cells) return true;
    Fail(TooLarge("more than the limit of " + std::to_string(limits_.max_cells) + " cells"));
    return false;
  }

  // `number` chooses among the packets of the cell.
  void Send(Worker& worker, Uint128 source, Uint128 destination, const Cell& cell,
            std::uint64_t number) {
    const std::uint32_t key = (number >> 1 & 1) != 0 ? cell.last_real_key : cell.first_real_key;
    const std::uint32_t port = (number >> 2 & 1) != 0 ? cell.last_port : cell.first_port;
    worker.batch.push_back(
        WitnessOf(FlowOf({family_, source}, {family_, destination}, key, port), cell.expected));
    if (worker.batch.size() == Kernel::kMostAtOnce) Send(worker);
  }

  void Send(Worker& worker) {
    if (worker.batch.empty()) return;
    const auto misses = worker.kernel->Run(worker.batch);
    witnesses_ += worker.batch.size();
    if (!misses) return Fail(misses.diagnostics().front());
    for (const KernelMiss& miss : *misses) {
      const march_witness& witness = worker.batch.at(miss.index);
      Keep({worker.task, FlowOf(witness), FateOf(witness),
            "the program in the kernel: " + describer_.Describe(miss)});
    }
    worker.batch.clear();
  }

  void Keep(const Worker& worker, const ClassesOfEnd::Class& from, const ClassesOfEnd::Class& to,
            const Cells& cells) {
    for (const Difference& difference : cells.differences) {
      const Cell& cell = cells.cells[difference.cell];
      const space::Flow flow = FlowOf({family_, from.edges.front()}, {family_, to.edges.front()},
                                      cell.first_real_key, cell.first_port);
      Keep({worker.task, flow, cell.expected,
            "the tables: " + describer_.Describe(difference.found)});
    }
  }

  void Keep(Finding finding) {
    const std::lock_guard lock(mutex_);
    findings_.push_back(std::move(finding));
    stop_ = true;
  }

  void Fail(Diagnostic error) {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::move(error);
    stop_ = true;
  }

  Diagnostics TellFindings() {
    std::stable_sort(findings_.begin(), findings_.end(),
                     [](const Finding& a, const Finding& b) { return a.task < b.task; });
    if (findings_.size() > kMostReported) findings_.resize(kMostReported);
    Diagnostics diagnostics;
    for (const Finding& finding : findings_) {
      diagnostics.push_back(Failed("the proof failed on " + finding.flow.ToString() +
                                       "; the policy: " + describer_.Describe(finding.expected) +
                                       "; " + finding.found,
                                   describer_.PlaceOf(finding.expected.slot)));
    }
    return diagnostics;
  }

  const PlainPolicy& policy_;
  const TableReader& tables_;
  Family family_;
  std::span<const std::unique_ptr<Kernel>> kernels_;
  const ProofLimits& limits_;
  Describer describer_;
  ClassesOfEnd sources_;
  ClassesOfEnd destinations_;
  std::vector<std::string> rows_;  // digests by class of sources

  std::atomic<std::size_t> next_ = 0;
  std::atomic<std::uint64_t> cells_;
  std::uint64_t cells_before_;
  std::atomic<std::uint64_t> witnesses_ = 0;
  std::atomic<bool> stop_ = false;
  std::mutex mutex_;
  std::vector<Finding> findings_;
  std::optional<Diagnostic> error_;
};

// What the program is told of the tables, and what the counters are taken for.
std::optional<Diagnostic> CheckMeaning(const PlainPolicy& policy, const TableReader& reader,
                                       const classify::Tables& tables) {
  if (std::memcmp(&tables.shape, &reader.shape(), sizeof(tables.shape)) != 0) {
    return Failed("the tables have another shape than the program");
  }
  const auto same = [](std::uint32_t index, const PlainMapping& mapping) {
    return index == mapping.mapping;
  };
  if (!std::equal(tables.mappings.begin(), tables.mappings.end(), policy.mappings().begin(),
                  policy.mappings().end(), same)) {
    return Failed("the counters are not in the order in which the mappings decide");
  }
  return std::nullopt;
}

// Treatments, and that the program and the counters have what they need.
std::optional<Diagnostic> CheckTreatments(const PlainPolicy& policy,
                                          const std::vector<PlainTreatment>& treatments,
                                          const TableReader& reader,
                                          const classify::Tables& tables) {
  if (reader.shape().features != FeaturesOf(policy, treatments)) {
    return Failed("the program is made for other treatments than the mappings ask for");
  }
  std::vector<std::uint32_t> limited;
  for (std::size_t i = 1; i < treatments.size(); ++i) {
    if (!treatments[i].limits.empty()) limited.push_back(policy.mappings()[i - 1].mapping);
  }
  if (tables.limited != limited) {
    return Failed("the counters of limits are not in the order in which the mappings decide");
  }
  Fault fault;
  const auto finding = CompareTreatments(treatments, reader, fault);
  if (fault.raised()) return Failed(fault.what());
  if (!finding) return std::nullopt;
  const Describer describer(policy);
  return Failed("the tables treat " + describer.Name(finding->slot) +
                    " in another way than the policy: they " + finding->what,
                describer.PlaceOf(finding->slot));
}

void AddTreatment(const PlainTreatment& treatment, Hasher& digest) {
  digest.Add(std::uint64_t{treatment.stateless} | std::uint64_t{treatment.reject} << 1);
  digest.Add(std::uint64_t{treatment.limits.size()});
  for (const march_limit& limit : treatment.limits) {
    digest.Add(limit.identity);
    digest.Add(std::uint64_t{limit.exceed});
  }
}

}  // namespace

Outcome<bundle::Proof> Prove(const model::Policy& policy, const classify::Tables& tables,
                             std::span<const std::unique_ptr<Kernel>> kernels,
                             const ProofLimits& limits) {
  Fault fault;
  const TableReader reader(tables.words, fault);
  if (fault.raised()) return Failed(fault.what());
  const PlainPolicy plain(policy);
  if (const auto error = CheckMeaning(plain, reader, tables)) return *error;
  const std::vector<PlainTreatment> treatments = TreatmentsOf(plain);
  if (const auto error = CheckTreatments(plain, treatments, reader, tables)) return *error;

  bundle::Proof proof;
  proof.in_kernel = !kernels.empty();
  Hasher digest;
  digest.Add(bundle::MethodOf(proof));
  digest.Add(model::ActionName(policy.default_action));
  digest.Add(std::uint64_t{plain.mappings().size()});
  for (const PlainMapping& mapping : plain.mappings()) {
    digest.Add(std::string_view(policy.mappings[mapping.mapping].name));
  }
  for (const PlainTreatment& treatment : treatments) AddTreatment(treatment, digest);
  for (const Family family : {Family::kV4, Family::kV6}) {
    FamilyProver prover(plain, reader, family, kernels, limits, proof.cells());
    auto result = prover.Prove(digest);
    if (!result) return std::move(result).diagnostics();
    (family == Family::kV4 ? proof.v4 : proof.v6) = *result;
  }
  proof.digest = digest.Hex();
  return proof;
}

}  // namespace march::prove
