#include <algorithm>
#include <string>

#include "compiler/model/fields.h"
#include "compiler/model/read.h"
#include "compiler/space/protocol.h"
#include "compiler/yaml/quote.h"

namespace march::model {
namespace {

using space::Address;
using space::Family;
using space::Prefix;
using yaml::Node;
using yaml::Quoted;

struct Fault {
  std::string cause;
  std::string hint;
};

bool ConsistsOf(std::string_view text, std::string_view characters) {
  return !text.empty() && text.find_first_not_of(characters) == std::string_view::npos;
}

Fault DottedFault(std::string_view text) {
  std::size_t parts = 0;
  while (true) {
    const std::size_t dot = std::min(text.find('.'), text.size());
    const std::string_view part = text.substr(0, dot);
    ++parts;
    if (part.empty()) return {"it has an empty part", "write four numbers with dots between them"};
    if (part.size() > 1 && part[0] == '0') {
      return {"the part " + Quoted(part) + " has a leading zero",
              "write it in decimal without leading zeros"};
    }
    if (!space::ParseNumber(part, 255)) {
      return {"the part " + Quoted(part) + " is above 255", "the parts go from 0 to 255"};
    }
    if (dot == text.size()) break;
    text.remove_prefix(dot + 1);
  }
  return {"it has " + std::to_string(parts) + (parts == 1 ? " part" : " parts") + " instead of 4",
          "write all four parts; a network needs its length: 10.0.0.0/8"};
}

// Why `text` is not an address.
Fault AddressFault(std::string_view text) {
  if (text.empty()) return {"it is empty", "write an address, or remove the entry"};
  if (text.find('%') != std::string_view::npos) {
    return {"zone ids belong to one host", "remove the % and what follows"};
  }
  if (text.front() == '[') return {"it has brackets", "write an IPv6 address without brackets"};
  if (ConsistsOf(text, "0123456789.")) return DottedFault(text);
  if (ConsistsOf(text, "0123456789.:") && std::count(text.begin(), text.end(), ':') == 1) {
    return {"it has a port", "write the port under \"ports\" of a mapping"};
  }
  if (ConsistsOf(text, "0123456789abcdefABCDEF:.")) {
    if (text.find(':') != std::string_view::npos) {
      return {"it is not an IPv6 address",
              "an IPv6 address has eight groups of up to four "
              "hexadecimal digits; one :: stands for groups of zeros"};
    }
  }
  if (ConsistsOf(text, "0123456789.-") && text.find('-') != std::string_view::npos) {
    return {"it is a range", "write the prefixes that make up the range"};
  }
  if (text.find_first_of(" \t,") != std::string_view::npos) {
    return {"it has a space or comma", "write each address as an entry of its own"};
  }
  if (text.find('*') != std::string_view::npos) {
    return {"wildcards are not addresses", "write a prefix: 10.0.0.0/8"};
  }
  return {"names are not addresses", "write the addresses that the name stands for"};
}

Fault LengthFault(std::string_view length, Family family) {
  const std::string limit = std::to_string(space::BitsOf(family));
  if (ConsistsOf(length, "0123456789") && length.size() > 1 && length[0] == '0') {
    return {"its length " + Quoted(length) + " has a leading zero", "write it without"};
  }
  if (ConsistsOf(length, "0123456789")) {
    return {"its length " + Quoted(length) + " is above " + limit,
            family == Family::kV4 ? "IPv4 prefixes have a length from 0 to 32"
                                  : "IPv6 prefixes have a length from 0 to 128"};
  }
  if (length.find('.') != std::string_view::npos) {
    return {"it has a netmask instead of a length", "write the number of network bits: /24"};
  }
  return {"its length " + Quoted(length) + " is not a number",
          "write a number from 0 to " + limit + " behind the /"};
}

// ::ffff:0:0/96 (RFC 4291, section 2.5.5.2): on the wire such a packet is an IPv4 packet, so the
// prefix would match nothing.
bool IsMapped(const Prefix& prefix) {
  return prefix.address.family == Family::kV6 && prefix.length >= 96 &&
         prefix.address.value >> 32 == 0xFFFF;
}

}  // namespace

std::optional<Prefix> ReadPrefix(const Node& node, Diagnostics& out) {
  if (node.kind == Node::Kind::kMap) {
    // What `[2001:db8::]` without quotes is to YAML.
    out.push_back(MakeDiagnostic(Code::kWrongType, node.range,
                                 "an address must be a single value, not a map",
                                 "put an IPv6 address that ends in a colon in quotes"));
    return std::nullopt;
  }
  if (!IsScalar(node, "an address", out)) return std::nullopt;
  const std::string_view text = node.scalar;
  const auto refuse = [&](const Fault& fault) {
    out.push_back(MakeDiagnostic(Code::kBadAddress, node.range,
                                 Quoted(text) + " is not an address or prefix: " + fault.cause,
                                 fault.hint));
    return std::nullopt;
  };
  const std::size_t slash = std::min(text.find('/'), text.size());
  const auto address = Address::Parse(text.substr(0, slash));
  if (!address) return refuse(AddressFault(text.substr(0, slash)));
  unsigned length = space::BitsOf(address->family);
  if (slash < text.size()) {
    const auto parsed = space::ParseNumber(text.substr(slash + 1), length);
    if (!parsed) return refuse(LengthFault(text.substr(slash + 1), address->family));
    length = *parsed;
  }
  const Prefix prefix = Prefix::Of(*address, length);
  if (IsMapped({*address, length})) {
    const Prefix v4 =
        Prefix::Of({Family::kV4, address->value & space::LastOf(Family::kV4)}, length - 96);
    return refuse({"it is an IPv4 address mapped into IPv6", "write " + v4.ToString()});
  }
  if (prefix.address != *address) {
    out.push_back(MakeDiagnostic(Code::kHostBitsSet, node.range,
                                 Quoted(text) + " has bits set behind its length",
                                 "write " + prefix.ToString() + " for the network or " +
                                     address->ToString() + " for the one address"));
    return std::nullopt;
  }
  return prefix;
}

}  // namespace march::model
