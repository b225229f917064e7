#include "compiler/classify/views.h"

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace march::classify {
namespace {

using Ranges = std::vector<ClassRange>;

// Bytes of one entry, and of one word of the matrix.
constexpr std::uint64_t kEntryBytes = 16;
constexpr std::uint64_t kLeafBytes = 8;
// Up to how many rules are repeated for each pair of a stretch.
constexpr std::size_t kMostInPairs = 4;
// How many rules an error names.
constexpr std::size_t kNamedCosts = 3;
// Up to so many rules in a row, looking through all of them beats keeping order.
constexpr std::size_t kFewRules = 24;

// A rule that matches something of the family.
struct Member {
  std::uint32_t rule = 0;
  std::uint32_t source = 0;  // numbers of distinct sets
  std::uint32_t destination = 0;
};

// The distinct address sets of both sides.
class Sets {
 public:
  explicit Sets(space::Family family) : family_(family) {}

  std::uint32_t IdOf(const std::shared_ptr<const space::AddressSet>& set) {
    const auto [place, is_new] =
        ids_.try_emplace(set.get(), static_cast<std::uint32_t>(sets_.size()));
    if (is_new) sets_.push_back(&set->In(family_));
    return place->second;
  }
  const std::vector<const AddressInterval*>& all() const { return sets_; }

  // The classes that the sets with `used` tell apart.
  Partition Cut(const std::vector<bool>& used) const {
    std::vector<const AddressInterval*> sets(sets_.size(), nullptr);
    for (std::size_t i = 0; i < sets.size(); ++i) {
      if (used[i]) sets[i] = sets_[i];
    }
    return CutIntoClasses(sets, space::LastOf(family_));
  }

 private:
  space::Family family_;
  std::unordered_map<const space::AddressSet*, std::uint32_t> ids_;
  std::vector<const AddressInterval*> sets_;
};

std::uint64_t Entries(const Ranges& major, const Ranges& minor) {
  return std::uint64_t{CountClasses(major)} * minor.size();
}

// Rules by class, flat.
struct Buckets {
  std::vector<std::size_t> starts;  // by class, and the end
  std::vector<std::uint32_t> members;

  RuleIds Of(std::uint32_t class_id) const {
    return {members.begin() + static_cast<std::ptrdiff_t>(starts[class_id]),
            members.begin() + static_cast<std::ptrdiff_t>(starts[class_id + 1])};
  }
};

// A stretch of classes and the rules there.
struct Stretch {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  Leaves::ListId list = Leaves::kNothing;
};

using Stretches = std::vector<Stretch>;

class Builder {
 public:
  Builder(const OrderedRules& rules, space::Family family, Leaves& leaves,
          const ViewOptions& options)
      : leaves_(leaves), options_(options), sets_(family) {
    for (std::uint32_t i = 0; i < rules.size(); ++i) {
      const ruleset::Rule& rule = *rules[i];
      if (rule.source->In(family).empty() || rule.destination->In(family).empty() ||
          rule.l4.empty() || rule.source_ports.empty()) {
        continue;
      }
      members_.push_back({i, sets_.IdOf(rule.source), sets_.IdOf(rule.destination)});
    }
  }

  std::variant<Views, std::vector<Cost>> Build() {
    const std::vector<bool> sources = Used(&Member::source);
    const std::vector<bool> destinations = Used(&Member::destination);
    if (AreAlike(sources, destinations)) {
      views_.shared = true;
      source_ = sets_.Cut(std::vector<bool>(sets_.all().size(), true));
      destination_ = source_;
    } else {
      source_ = sets_.Cut(sources);
      destination_ = sets_.Cut(destinations);
    }
    Assign();
    if (auto costs = TooDear(); !costs.empty()) return costs;
    CountEntries();
    BuildMatrix();
    BuildRowsByDestination();
    BuildRowsBySource();
    if (leaves_.exhausted()) return MostListed();
    FinishSides();
    return std::move(views_);
  }

 private:
  // Which view a rule goes to.
  enum class Place : std::uint8_t { kSource, kDestination, kMatrix };

  void Assign() {
    places_.assign(members_.size(), Place::kMatrix);
    if (members_.empty()) return;
    if (TryMatrix(options_.small_matrix_bytes)) return;
    // Pairs take more room than rows; where it is short, rows it is.
    worth_ = options_.most_pairs;
    if (AssignRows() * kEntryBytes > options_.max_bytes / 4) {
      worth_ = 1;
      AssignRows();
    }
    std::vector<std::uint64_t> costs;
    costs.reserve(members_.size());
    for (std::size_t i = 0; i < members_.size(); ++i) costs.push_back(EntriesOf(i));
    const std::uint64_t dearest = *std::max_element(costs.begin(), costs.end());
    const std::vector<Place> cheapest = places_;
    for (std::uint64_t limit = 16; limit < dearest; limit *= 4) {
      for (std::size_t i = 0; i < members_.size(); ++i) {
        places_[i] = costs[i] > limit ? Place::kMatrix : cheapest[i];
      }
      if (TryMatrix(std::min(options_.large_matrix_bytes, options_.max_bytes / 4))) return;
    }
    places_ = cheapest;
  }

  // Sends every rule to the cheaper rows. Returns how many pairs that can make at most.
  std::uint64_t AssignRows() {
    std::uint64_t all_pairs = 0;
    for (std::size_t i = 0; i < members_.size(); ++i) {
      const Ranges& source = source_.ranges[members_[i].source];
      const Ranges& destination = destination_.ranges[members_[i].destination];
      const std::uint64_t by_source = Entries(source, destination);
      const std::uint64_t by_destination = Entries(destination, source);
      const std::uint64_t pairs = std::uint64_t{CountClasses(source)} * CountClasses(destination);
      const bool is_by_source = by_source <= by_destination || pairs <= by_destination * worth_;
      places_[i] = is_by_source ? Place::kSource : Place::kDestination;
      if (is_by_source) all_pairs += std::min(pairs, by_source * worth_);
    }
    return all_pairs;
  }

  // What the rule takes in the rows it is assigned to.
  std::uint64_t EntriesOf(std::size_t member) const {
    const Ranges& source = source_.ranges[members_[member].source];
    const Ranges& destination = destination_.ranges[members_[member].destination];
    return places_[member] == Place::kSource ? Entries(source, destination)
                                             : Entries(destination, source);
  }

  void CountEntries() {
    for (std::size_t i = 0; i < members_.size(); ++i) {
      const Ranges& source = source_.ranges[members_[i].source];
      const Ranges& destination = destination_.ranges[members_[i].destination];
      std::uint64_t here = Entries(source, destination);
      std::uint64_t instead = Entries(destination, source);
      const bool swap =
          places_[i] == Place::kMatrix ? instead < here : places_[i] == Place::kDestination;
      if (swap) std::swap(here, instead);
      ViewCost& cost = places_[i] == Place::kSource        ? views_.by_source
                       : places_[i] == Place::kDestination ? views_.by_destination
                                                           : views_.in_matrix;
      cost.entries += here;
      cost.instead += instead;
    }
  }

  // The sets that members have on one side; of those in one place, if given.
  std::vector<bool> Used(std::uint32_t Member::* set,
                         std::optional<Place> place = std::nullopt) const {
    std::vector<bool> used(sets_.all().size(), false);
    for (std::size_t i = 0; i < members_.size(); ++i) {
      if (!place || places_[i] == *place) used[members_[i].*set] = true;
    }
    return used;
  }

  // Whether telling both sides' sets apart at once is well below doing it twice.
  bool AreAlike(const std::vector<bool>& sources, const std::vector<bool>& destinations) const {
    std::size_t once = 0;
    std::size_t twice = 0;
    for (std::size_t i = 0; i < sources.size(); ++i) {
      const std::size_t parts = sets_.all()[i]->intervals().size();
      once += parts;
      twice += parts * ((sources[i] ? 1U : 0U) + (destinations[i] ? 1U : 0U));
    }
    return once * 4 <= twice * 3;
  }

  // Whether the matrix of what is assigned to it stays within `bytes`; if so, cuts its classes.
  bool TryMatrix(std::uint64_t bytes) {
    const std::vector<bool> sources = Used(&Member::source, Place::kMatrix);
    const std::vector<bool> destinations = Used(&Member::destination, Place::kMatrix);
    // Sets that are not nested have a class each: no need to cut to see that it is too much.
    const auto count = [](const std::vector<bool>& used) {
      return static_cast<std::uint64_t>(std::count(used.begin(), used.end(), true));
    };
    if (count(sources) * count(destinations) * kLeafBytes > 4 * bytes) return false;
    Partition source = sets_.Cut(sources);
    Partition destination = sets_.Cut(destinations);
    if (std::uint64_t{source.classes} * destination.classes * kLeafBytes > bytes) return false;
    std::uint64_t marks = 0;
    for (std::size_t i = 0; i < members_.size(); ++i) {
      if (places_[i] != Place::kMatrix) continue;
      marks += std::uint64_t{CountClasses(source.ranges[members_[i].source])} *
               CountClasses(destination.ranges[members_[i].destination]);
    }
    if (marks > 64 * bytes) return false;
    matrix_source_ = std::move(source);
    matrix_destination_ = std::move(destination);
    return true;
  }

  // The dearest rules if the rows would be larger than allowed.
  std::vector<Cost> TooDear() const {
    std::uint64_t bytes = 0;
    std::vector<Cost> costs;
    for (std::size_t i = 0; i < members_.size(); ++i) {
      if (places_[i] == Place::kMatrix) continue;
      const std::uint64_t entries = EntriesOf(i);
      bytes += entries * kEntryBytes;
      costs.push_back({entries, members_[i].rule, false});
    }
    if (bytes <= options_.max_bytes) return {};
    const std::size_t named = std::min(kNamedCosts, costs.size());
    std::partial_sort(costs.begin(), costs.begin() + static_cast<std::ptrdiff_t>(named),
                      costs.end(), [](const Cost& a, const Cost& b) {
                        return a.entries != b.entries ? a.entries > b.entries : a.rule < b.rule;
                      });
    costs.resize(named);
    return costs;
  }

  std::vector<Cost> MostListed() const {
    std::vector<Cost> costs;
    for (const auto& [rule, lists] : leaves_.MostListed(kNamedCosts)) {
      costs.push_back({lists, rule, true});
    }
    return costs;
  }

  // For every class of the side that holds rows, the members in `place` that match there.
  Buckets Bucket(Place place, const Partition& major, std::uint32_t Member::* set) const {
    Buckets buckets;
    buckets.starts.assign(major.classes + 1, 0);
    std::vector<std::size_t> next;  // by class, where its next member goes
    for (int pass = 0; pass < 2; ++pass) {
      for (std::uint32_t i = 0; i < members_.size(); ++i) {
        if (places_[i] != place) continue;
        for (const ClassRange& range : major.ranges[members_[i].*set]) {
          for (std::uint32_t c = range.first; c <= range.last; ++c) {
            if (pass == 0) {
              ++buckets.starts[c + 1];
            } else {
              buckets.members[next[c]++] = i;
            }
          }
        }
      }
      if (pass == 0) {
        for (std::size_t c = 0; c < major.classes; ++c) buckets.starts[c + 1] += buckets.starts[c];
        buckets.members.resize(buckets.starts.back());
        next = buckets.starts;
      }
    }
    return buckets;
  }

  // Cuts the other side by where the rules of `bucket` match.
  Stretches Cut(const RuleIds& bucket, const Partition& minor, std::uint32_t Member::* set) {
    Stretches stretches;
    const auto add = [&](std::uint32_t first, std::uint32_t last, RuleIds ids) {
      if (ids.empty()) return;
      const Leaves::ListId list = leaves_.Intern(std::move(ids));
      if (!stretches.empty() && stretches.back().list == list &&
          stretches.back().last + 1 == first) {
        stretches.back().last = last;
      } else {
        stretches.push_back({first, last, list});
      }
    };
    if (bucket.size() <= kFewRules) {
      std::vector<std::uint32_t> edges;
      for (const std::uint32_t member : bucket) {
        for (const ClassRange& range : minor.ranges[members_[member].*set]) {
          edges.push_back(range.first);
          edges.push_back(range.last + 1);
        }
      }
      std::sort(edges.begin(), edges.end());
      edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
      for (std::size_t i = 0; i + 1 < edges.size(); ++i) {
        RuleIds ids;
        for (const std::uint32_t member : bucket) {
          if (Holds(minor.ranges[members_[member].*set], edges[i])) {
            ids.push_back(members_[member].rule);
          }
        }
        add(edges[i], edges[i + 1] - 1, std::move(ids));
      }
      return stretches;
    }
    Sweep<std::uint32_t> sweep(minor.classes - 1);
    for (const std::uint32_t member : bucket) {
      for (const ClassRange& range : minor.ranges[members_[member].*set]) {
        sweep.Add(members_[member].rule, range.first, range.last);
      }
    }
    sweep.Run([&](std::uint32_t first, std::uint32_t last, const std::set<std::uint32_t>& active) {
      RuleIds ids;
      for (const std::uint32_t id : active) {
        if (!leaves_.Spend(1)) return;
        ids.push_back(id);
        if (leaves_.Ends(id)) break;
      }
      add(first, last, std::move(ids));
    });
    return stretches;
  }

  static bool Holds(const Ranges& ranges, std::uint32_t class_id) {
    const auto next = std::upper_bound(ranges.begin(), ranges.end(), class_id,
                                       [](auto c, const auto& range) { return c < range.first; });
    return next != ranges.begin() && class_id <= std::prev(next)->last;
  }

  void BuildMatrix() {
    std::vector<RuleIds> cells(std::size_t{matrix_source_.classes} * matrix_destination_.classes);
    for (std::size_t i = 0; i < members_.size(); ++i) {
      if (places_[i] != Place::kMatrix) continue;
      ++views_.rules_in_matrix;
      for (const ClassRange& source : matrix_source_.ranges[members_[i].source]) {
        for (std::uint32_t s = source.first; s <= source.last; ++s) {
          for (const ClassRange& range : matrix_destination_.ranges[members_[i].destination]) {
            for (std::uint32_t d = range.first; d <= range.last; ++d) {
              cells[std::size_t{s} * matrix_destination_.classes + d].push_back(members_[i].rule);
            }
          }
        }
      }
    }
    if (views_.rules_in_matrix == 0) return;
    views_.which |= MARCH_VIEW_MATRIX;
    views_.width = matrix_destination_.classes;
    for (RuleIds& ids : cells) {
      matrix_lists_.push_back(leaves_.Intern(std::move(ids)));
      views_.matrix.push_back(leaves_.WordOf(matrix_lists_.back()));
    }
    to_matrix_source_ = Coarsen(source_, matrix_source_);
    to_matrix_destination_ = Coarsen(destination_, matrix_destination_);
  }

  std::uint32_t MatrixSource(std::uint32_t source) const {
    return to_matrix_source_.empty() ? 0 : to_matrix_source_[source];
  }
  std::uint32_t MatrixDestination(std::uint32_t destination) const {
    return to_matrix_destination_.empty() ? 0 : to_matrix_destination_[destination];
  }
  Leaves::ListId InMatrix(std::uint32_t source, std::uint32_t destination) const {
    if (matrix_lists_.empty()) return Leaves::kNothing;
    return matrix_lists_[std::size_t{MatrixSource(source)} * views_.width +
                         MatrixDestination(destination)];
  }

  void BuildRowsByDestination() {
    views_.destination.rows.emplace_back();
    stretches_.emplace_back();
    if (std::find(places_.begin(), places_.end(), Place::kDestination) == places_.end()) return;
    views_.which |= MARCH_VIEW_DESTINATION;
    across_ = sets_.Cut(Used(&Member::source, Place::kDestination));
    to_across_ = Coarsen(source_, across_);
    const Buckets buckets = Bucket(Place::kDestination, destination_, &Member::destination);
    row_by_destination_.assign(destination_.classes, 0);
    // Whether the matrix has anything for a destination.
    std::vector<bool> alone(views_.width, true);
    for (std::size_t i = 0; i < matrix_lists_.size(); ++i) {
      if (matrix_lists_[i] != Leaves::kNothing) alone[i % views_.width] = false;
    }
    std::map<std::pair<RuleIds, bool>, std::uint32_t> known;
    for (std::uint32_t d = 0; d < destination_.classes && !leaves_.exhausted(); ++d) {
      RuleIds bucket = buckets.Of(d);
      if (bucket.empty()) continue;
      const bool is_final = matrix_lists_.empty() || alone[MatrixDestination(d)];
      const auto [place, is_new] = known.try_emplace({std::move(bucket), is_final},
                                                     static_cast<std::uint32_t>(stretches_.size()));
      row_by_destination_[d] = place->second;
      if (!is_new) continue;
      stretches_.push_back(Cut(place->first.first, across_, &Member::source));
      Row& row = views_.destination.rows.emplace_back();
      for (const Stretch& stretch : stretches_.back()) {
        row.push_back({stretch.first, stretch.last,
                       leaves_.WordOf(stretch.list) | (is_final ? MARCH_LEAF_FINAL : 0)});
      }
    }
    for (const Place place : places_) views_.rules_by_destination += place == Place::kDestination;
  }

  // The rules that rows by destination have for a pair.
  Leaves::ListId InRow(std::uint32_t across, std::uint32_t destination) const {
    if (row_by_destination_.empty()) return Leaves::kNothing;
    const Stretches& row = stretches_[row_by_destination_[destination]];
    const auto next = std::upper_bound(row.begin(), row.end(), across,
                                       [](auto c, const auto& s) { return c < s.first; });
    if (next == row.begin() || across > std::prev(next)->last) return Leaves::kNothing;
    return std::prev(next)->list;
  }

  void BuildRowsBySource() {
    views_.source.rows.emplace_back();
    row_by_source_.assign(source_.classes, 0);
    if (std::find(places_.begin(), places_.end(), Place::kSource) == places_.end()) return;
    views_.which |= MARCH_VIEW_SOURCE;
    const Buckets buckets = Bucket(Place::kSource, source_, &Member::source);
    // How often, up to a destination class, what the other views have changes.
    std::vector<std::uint32_t> changes(destination_.classes, 0);
    for (std::uint32_t d = 1; d < destination_.classes; ++d) {
      const bool differs =
          MatrixDestination(d) != MatrixDestination(d - 1) ||
          (!row_by_destination_.empty() && row_by_destination_[d] != row_by_destination_[d - 1]);
      changes[d] = changes[d - 1] + (differs ? 1 : 0);
    }
    std::map<std::tuple<RuleIds, std::uint32_t, std::uint32_t>, std::uint32_t> known;
    for (std::uint32_t s = 0; s < source_.classes && !leaves_.exhausted(); ++s) {
      RuleIds bucket = buckets.Of(s);
      if (bucket.empty()) continue;
      const std::uint32_t across = to_across_.empty() ? 0 : to_across_[s];
      const auto [place, is_new] =
          known.try_emplace(std::tuple(std::move(bucket), across, MatrixSource(s)),
                            static_cast<std::uint32_t>(views_.source.rows.size()));
      row_by_source_[s] = place->second;
      if (!is_new) continue;
      Row row;
      for (const Stretch& stretch :
           Cut(std::get<RuleIds>(place->first), destination_, &Member::destination)) {
        AddToRow(s, across, stretch, changes[stretch.first] == changes[stretch.last], row);
      }
      views_.source.rows.push_back(std::move(row));
    }
    for (const Place place : places_) views_.rules_by_source += place == Place::kSource;
  }

  // Everything that decides between a source and a destination of the stretch.
  Leaves::ListId AllOf(std::uint32_t source, std::uint32_t across, const Stretch& stretch,
                       std::uint32_t destination) {
    return leaves_.Merge(stretch.list,
                         leaves_.Merge(InRow(across, destination), InMatrix(source, destination)));
  }

  // `is_alike`: nothing but the row changes along the stretch, so one leaf can hold all there is. A
  // short stretch becomes pairs, unless each would need a long leaf of its own.
  void AddToRow(std::uint32_t source, std::uint32_t across, const Stretch& stretch, bool is_alike,
                Row& row) {
    const bool is_short = stretch.last - stretch.first < worth_;
    if (is_alike) {
      const std::uint64_t leaf =
          leaves_.WordOf(AllOf(source, across, stretch, stretch.first)) | MARCH_LEAF_FINAL;
      const std::uint32_t step = is_short ? 1 : stretch.last - stretch.first + 1;
      for (std::uint32_t d = stretch.first; d <= stretch.last; d += step) {
        row.push_back({d, d + step - 1, leaf});
      }
      return;
    }
    Row pairs;
    for (std::uint32_t d = stretch.first; is_short && d <= stretch.last; ++d) {
      const Leaves::ListId list = AllOf(source, across, stretch, d);
      if (leaves_.IdsOf(list).size() > kMostInPairs) break;
      pairs.push_back({d, d, leaves_.WordOf(list) | MARCH_LEAF_FINAL});
    }
    if (pairs.size() == stretch.last - stretch.first + 1) {
      row.insert(row.end(), pairs.begin(), pairs.end());
    } else {
      row.push_back({stretch.first, stretch.last, leaves_.WordOf(stretch.list)});
    }
  }

  void FinishSides() {
    const bool rows = (views_.which & (MARCH_VIEW_SOURCE | MARCH_VIEW_DESTINATION)) != 0;
    if (!rows) {
      // Classes are those of the matrix.
      views_.shared = false;
      FinishPlain(matrix_source_, views_.source);
      FinishPlain(matrix_destination_, views_.destination);
      return;
    }
    FinishWithRecords(source_, views_.source, views_.shared, [&](std::uint32_t s) {
      return Record{to_across_.empty() ? 0 : to_across_[s], MatrixSource(s), row_by_source_[s]};
    });
    FinishWithRecords(destination_, views_.destination, false, [&](std::uint32_t d) {
      return Record{0, MatrixDestination(d),
                    row_by_destination_.empty() ? 0 : row_by_destination_[d]};
    });
    // Rows by source tell destination classes apart that have the same record.
    views_.destination.classes.clear();
    for (const Segment& segment : destination_.segments) {
      views_.destination.classes.push_back({segment.start, segment.class_id});
    }
  }

  static void FinishPlain(const Partition& partition, Side& side) {
    side.class_count = partition.classes;
    for (const Segment& segment : partition.segments) {
      side.classes.push_back({segment.start, segment.class_id});
    }
  }

  // With `by_class`, every class has a record of its own, equal or not.
  template <class RecordOf>
  static void FinishWithRecords(const Partition& partition, Side& side, bool by_class,
                                RecordOf&& record_of) {
    side.class_count = partition.classes;
    std::map<Record, std::uint32_t> known;
    for (std::uint32_t c = 0; c < partition.classes; ++c) {
      const Record record = record_of(c);
      const auto number = static_cast<std::uint32_t>(side.records.size());
      const auto [place, is_new] = known.try_emplace(record, number);
      const bool has_own = by_class || is_new;
      if (has_own) side.records.push_back(record);
      side.record_of.push_back(has_own ? number : place->second);
    }
    for (const Segment& segment : partition.segments) {
      const std::uint32_t record = side.record_of[segment.class_id];
      if (side.classes.empty() || side.classes.back().value != record) {
        side.classes.push_back({segment.start, record});
      }
    }
  }

  Leaves& leaves_;
  const ViewOptions& options_;
  Sets sets_;
  std::vector<Member> members_;
  std::vector<Place> places_;  // by member
  std::uint64_t worth_ = 1;    // how many pairs for an entry of a row
  Partition source_;
  Partition destination_;
  Partition matrix_source_;
  Partition matrix_destination_;
  std::vector<Leaves::ListId> matrix_lists_;
  std::vector<std::uint32_t> to_matrix_source_;  // by class; empty without a matrix
  std::vector<std::uint32_t> to_matrix_destination_;
  Partition across_;                      // the sources that rows by destination tell apart
  std::vector<std::uint32_t> to_across_;  // by source class; empty without such rows
  std::vector<std::uint32_t> row_by_destination_;
  std::vector<std::uint32_t> row_by_source_;
  std::vector<Stretches> stretches_;  // of rows by destination
  Views views_;
};

}  // namespace

std::variant<Views, std::vector<Cost>> BuildViews(const OrderedRules& rules, space::Family family,
                                                  Leaves& leaves, const ViewOptions& options) {
  return Builder(rules, family, leaves, options).Build();
}

}  // namespace march::classify
