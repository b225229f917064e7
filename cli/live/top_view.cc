#include "cli/live/top_view.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <optional>

namespace march::cli {
namespace {

using Kind = TopReading::Kind;

void Add(Amount& sum, const Amount& more) {
  sum.packets += more.packets;
  sum.bytes += more.bytes;
}

// Counters that were set back have moved by nothing.
Amount Between(const Amount& before, const Amount& now, double seconds) {
  return {std::max(0.0, now.packets - before.packets) / seconds,
          std::max(0.0, now.bytes - before.bytes) / seconds};
}

bool IsAudit(const std::string& action) {
  return action.starts_with("audit-");
}

template <class List>
void SortByPackets(List& list) {
  const auto packets = [](const auto& item) { return item.rate.packets; };
  std::erase_if(list, [&](const auto& item) { return packets(item) <= 0; });
  std::stable_sort(list.begin(), list.end(),
                   [&](const auto& a, const auto& b) { return packets(a) > packets(b); });
}

void TakeRows(const TopReading& before, const TopReading& now, double seconds, TopView& view) {
  std::map<std::string, Amount> reasons;
  for (const auto& [row, amount] : now.rows) {
    const auto earlier = before.rows.find(row);
    const Amount rate =
        Between(earlier == before.rows.end() ? Amount{} : earlier->second, amount, seconds);
    if (row.kind == Kind::kMapping) view.mappings.push_back({row.name, row.action, rate});
    if (IsAudit(row.action)) continue;
    const bool passes = row.action == "allow";
    Add(passes ? view.allowed : view.denied, rate);
    if (passes) continue;
    Add(reasons[row.kind == Kind::kSlot      ? row.name
                : row.kind == Kind::kDefault ? "default"
                                             : "mapping"],
        rate);
  }
  for (const auto& [name, rate] : reasons) view.reasons.push_back({name, rate});
  SortByPackets(view.mappings);
  SortByPackets(view.reasons);
}

void TakeServices(const LivePolicy& live, TopView& view) {
  const model::Policy& policy = live.policy();
  std::map<std::string, TopView::Service> services;
  const auto add = [&](const auto& named, const Amount& rate, Amount TopView::Service::* part) {
    if (!named) return;
    for (const std::uint32_t index : *named) {
      TopView::Service& service = services[policy.services[index].name];
      service.name = policy.services[index].name;
      Add(service.*part, rate);
    }
  };
  for (const TopView::Mapping& row : view.mappings) {
    const model::Mapping* mapping = model::FindMapping(policy, row.name);
    if (mapping == nullptr || IsAudit(row.action)) continue;
    add(mapping->from, row.rate, &TopView::Service::from);
    add(mapping->to, row.rate, &TopView::Service::to);
  }
  for (auto& [name, service] : services) view.services.push_back(std::move(service));
  const auto packets = [](const TopView::Service& service) {
    return service.from.packets + service.to.packets;
  };
  std::stable_sort(view.services.begin(), view.services.end(),
                   [&](const auto& a, const auto& b) { return packets(a) > packets(b); });
}

void TakeTalkers(const TopReading& before, const TopReading& now, double seconds,
                 const LivePolicy* policy, TopView& view) {
  std::map<std::string, TopView::Talker> talkers;
  for (const auto& [ends, connection] : now.connections) {
    const auto earlier = before.connections.find(ends);
    TopView::Talker& talker = talkers[connection.source];
    ++talker.connections;
    Add(talker.rate,
        Between(earlier == before.connections.end() ? Amount{} : earlier->second.amount,
                connection.amount, seconds));
  }
  // The events are a sample: their shares are those of all drops.
  for (const auto& [source, events] : now.drop_events) {
    talkers[source].drops = view.denied.packets * static_cast<double>(events) /
                            static_cast<double>(now.all_drop_events);
  }
  for (auto& [address, talker] : talkers) {
    if (talker.rate.packets + talker.drops <= 0) continue;
    talker.address = address;
    const auto parsed = space::Address::Parse(address);
    if (policy != nullptr && parsed) {
      const model::Service* service = policy->explainer().ServiceOf(*parsed);
      if (service != nullptr) talker.service = service->name;
    }
    view.talkers.push_back(std::move(talker));
  }
  const auto packets = [](const TopView::Talker& talker) {
    return talker.rate.packets + talker.drops;
  };
  std::stable_sort(view.talkers.begin(), view.talkers.end(),
                   [&](const auto& a, const auto& b) { return packets(a) > packets(b); });
}

// The first `columns` characters of UTF-8.
std::string Clip(const std::string& text, std::size_t columns) {
  if (columns == 0) return text;
  std::size_t characters = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool continues = (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80;
    if (!continues && ++characters > columns) return text.substr(0, i);
  }
  return text;
}

std::size_t WidthOf(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

// A list under its heading; the first `words` columns are words, the others numbers.
struct Section {
  std::size_t words;
  std::vector<std::vector<std::string>> rows;  // the first is the heading
};

std::vector<std::string> Lay(const Section& section, std::size_t rows) {
  const std::size_t shown = std::min(rows, section.rows.size());
  std::vector<std::size_t> widths(section.rows.front().size());
  for (std::size_t i = 0; i < shown; ++i) {
    for (std::size_t column = 0; column < widths.size(); ++column) {
      widths[column] = std::max(widths[column], WidthOf(section.rows[i][column]));
    }
  }
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < shown; ++i) {
    std::string line;
    for (std::size_t column = 0; column < widths.size(); ++column) {
      const std::string& cell = section.rows[i][column];
      const std::string padding(widths[column] - WidthOf(cell), ' ');
      line += column < section.words ? cell + padding : padding + cell;
      if (column + 1 < widths.size()) line += "  ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    lines.push_back(std::move(line));
  }
  return lines;
}

std::string Bits(double bytes) {
  return RateText(bytes * 8);
}

std::vector<Section> SectionsOf(const TopView& view) {
  Section mappings{2, {{"MAPPING", "ACTION", "PACKETS/S", "BITS/S"}}};
  for (const auto& row : view.mappings) {
    mappings.rows.push_back(
        {row.name, row.action, RateText(row.rate.packets), Bits(row.rate.bytes)});
  }
  Section services{1, {{"SERVICE", "FROM PACKETS/S", "BITS/S", "TO PACKETS/S", "BITS/S"}}};
  for (const auto& row : view.services) {
    services.rows.push_back({row.name, RateText(row.from.packets), Bits(row.from.bytes),
                             RateText(row.to.packets), Bits(row.to.bytes)});
  }
  Section reasons{1, {{"DROPPED FOR", "PACKETS/S", "BITS/S"}}};
  for (const auto& row : view.reasons) {
    reasons.rows.push_back({row.name, RateText(row.rate.packets), Bits(row.rate.bytes)});
  }
  Section talkers{2, {{"TALKER", "SERVICE", "PACKETS/S", "BITS/S", "CONNECTIONS", "DROPS/S"}}};
  for (const auto& row : view.talkers) {
    talkers.rows.push_back({row.address, row.service, RateText(row.rate.packets),
                            Bits(row.rate.bytes), std::to_string(row.connections),
                            RateText(row.drops)});
  }
  return {mappings, services, reasons, talkers};
}

std::string TablesText(const TopView& view) {
  std::string text = "connections  ";
  for (const TopReading::Table& table : view.tables) {
    const double share = table.capacity == 0 ? 0
                                             : 100.0 * static_cast<double>(table.flows) /
                                                   static_cast<double>(table.capacity);
    std::array<char, 16> percent{};
    std::snprintf(percent.data(), percent.size(), "%.1f", share);
    text += table.name + " " + std::to_string(table.flows) + " of " +
            std::to_string(table.capacity) + " (" + percent.data() + " %), ";
  }
  return text + RateText(view.connections_begun) + " begun/s";
}

// How many rows each section gets of `room`: as many as it has, or an even share of what others
// leave.
std::vector<std::size_t> Share(const std::vector<Section>& sections, std::size_t room) {
  std::vector<std::size_t> shares(sections.size(), 0);
  for (bool has_grown = true; has_grown && room > 0;) {
    has_grown = false;
    for (std::size_t i = 0; i < sections.size() && room > 0; ++i) {
      if (shares[i] >= sections[i].rows.size()) continue;
      ++shares[i];
      --room;
      has_grown = true;
    }
  }
  return shares;
}

}  // namespace

std::string RateText(double rate) {
  constexpr std::array<const char*, 5> kUnits = {"", "k", "M", "G", "T"};
  std::size_t unit = 0;
  while (rate >= 999.5 && unit + 1 < kUnits.size()) {
    rate /= 1000;
    ++unit;
  }
  // Three digits; of ones below ten that are no multiples, one behind the point.
  const bool is_whole = unit == 0 && (rate >= 10 || rate == std::floor(rate));
  const int decimals = is_whole ? 0 : unit == 0 ? 1 : rate < 9.995 ? 2 : rate < 99.95 ? 1 : 0;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.*f%s", decimals, rate, kUnits.at(unit));
  return text.data();
}

TopView Compare(const TopReading& before, const TopReading& now, const LivePolicy* policy) {
  TopView view;
  const double seconds = std::max(std::chrono::duration<double>(now.at - before.at).count(), 0.001);
  view.enforcement = now.enforcement;
  view.generation = now.generation;
  view.tables = now.tables;
  if (now.connections_begun > before.connections_begun) {
    view.connections_begun =
        static_cast<double>(now.connections_begun - before.connections_begun) / seconds;
  }
  TakeRows(before, now, seconds, view);
  if (policy != nullptr) TakeServices(*policy, view);
  TakeTalkers(before, now, seconds, policy, view);
  return view;
}

std::vector<std::string> Render(const TopView& view, const std::string& title, std::size_t rows,
                                std::size_t columns) {
  std::vector<std::string> lines = {
      title, view.enforcement + ", generation " + std::to_string(view.generation),
      "allow  " + RateText(view.allowed.packets) + " packets/s  " + Bits(view.allowed.bytes) +
          " bits/s     deny  " + RateText(view.denied.packets) + " packets/s  " +
          Bits(view.denied.bytes) + " bits/s"};
  if (!view.tables.empty()) lines.push_back(TablesText(view));
  std::vector<Section> sections = SectionsOf(view);
  std::erase_if(sections, [](const Section& section) { return section.rows.size() == 1; });
  const std::size_t used = lines.size() + sections.size();  // a blank line before each
  const std::size_t room = rows == 0 ? SIZE_MAX : rows > used ? rows - used : 0;
  const std::vector<std::size_t> shares = Share(sections, room);
  for (std::size_t i = 0; i < sections.size(); ++i) {
    lines.emplace_back();
    for (std::string& line : Lay(sections[i], shares[i])) lines.push_back(std::move(line));
  }
  if (rows != 0 && lines.size() > rows) lines.resize(rows);
  for (std::string& line : lines) line = Clip(line, columns);
  return lines;
}

}  // namespace march::cli
