#include "bundle/proof.h"

#include "bundle/strict_json.h"
#include "bundle/text.h"

namespace march::bundle {
namespace {

using nlohmann::json;

constexpr int kProofVersion = 1;
constexpr std::string_view kWhat = "proof.json";

json ToJson(const ProofOfFamily& family) {
  return {{"source_ranges", family.source_ranges},
          {"source_classes", family.source_classes},
          {"destination_ranges", family.destination_ranges},
          {"destination_classes", family.destination_classes},
          {"cells", family.cells},
          {"witnesses", family.witnesses}};
}

Outcome<ProofOfFamily> ReadFamily(const json& value, const std::string& where, bool in_kernel) {
  ObjectReader reader(value, where);
  ProofOfFamily family;
  family.source_ranges = reader.Unsigned("source_ranges");
  family.source_classes = reader.Unsigned("source_classes");
  family.destination_ranges = reader.Unsigned("destination_ranges");
  family.destination_classes = reader.Unsigned("destination_classes");
  family.cells = reader.Unsigned("cells");
  family.witnesses = reader.Unsigned("witnesses");
  reader.Require(in_kernel ? family.witnesses >= family.cells : family.witnesses == 0,
                 "the witnesses do not fit the cells");
  if (reader.Finish()) return *reader.problem();
  return family;
}

bool IsSha256(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

std::string_view MethodOf(const Proof& proof) {
  return proof.in_kernel ? "kernel" : "tables";
}

std::string WriteProof(const Proof& proof) {
  return DumpJson({{"format_version", kProofVersion},
                   {"method", MethodOf(proof)},
                   {"ipv4", ToJson(proof.v4)},
                   {"ipv6", ToJson(proof.v6)},
                   {"digest", proof.digest}});
}

Outcome<Proof> ReadProof(std::string_view text) {
  const std::string what(kWhat);
  const Outcome<json> document = ParseStrictJson(text, what);
  if (!document) return document.diagnostics();
  ObjectReader reader(*document, what);
  reader.Require(reader.Unsigned("format_version") == kProofVersion, "format_version is not 1");
  Proof proof;
  const std::string method = reader.String("method");
  reader.Require(method == "kernel" || method == "tables",
                 "method " + Quoted(method) + " is not known");
  proof.in_kernel = method == "kernel";
  const json& v4 = reader.Object("ipv4");
  const json& v6 = reader.Object("ipv6");
  proof.digest = reader.String("digest");
  reader.Require(IsSha256(proof.digest), "digest is not 64 lower-case hex digits");
  if (reader.Finish()) return *reader.problem();
  const auto families = {std::pair(&proof.v4, &v4), std::pair(&proof.v6, &v6)};
  for (const auto& [family, value] : families) {
    const std::string where = what + (family == &proof.v4 ? ": ipv4" : ": ipv6");
    auto read = ReadFamily(*value, where, proof.in_kernel);
    if (!read) return std::move(read).diagnostics();
    *family = *read;
  }
  if (WriteProof(proof) != text) return Malformed("proof.json is not in its canonical form");
  return proof;
}

}  // namespace march::bundle
