#include "compiler/model/attributes.h"

#include <utility>

#include "compiler/model/policy.h"

namespace march::model {
namespace {

using Kind = Form::Kind;
using Words = std::vector<std::string_view>;

Form Of(Kind kind) {
  Form form;
  form.kind = kind;
  return form;
}
Form Number(std::uint64_t least, std::uint64_t most) {
  Form form = Of(Kind::kNumber);
  form.least = least;
  form.most = most;
  return form;
}
Form Word(Words words) {
  Form form = Of(Kind::kWord);
  form.words = std::move(words);
  return form;
}
Form ListOf(Form form) {
  form.list = true;
  return form;
}
Form Map(std::vector<Member> members, Words one_of = {}) {
  Form form = Of(Kind::kMap);
  form.members = std::move(members);
  form.one_of = std::move(one_of);
  return form;
}

Form Methods() {
  return ListOf(
      Word({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"}));
}

Form LimitForm() {
  return Map(
      {{"packets", Number(1, kMostRate), false, "Packets a second."},
       {"bytes", Number(1, kMostRate), false, "Bytes a second, from the IP header on."},
       {"connections", Number(1, kMostRate), false, "New connections a second."},
       {"burst", Number(1, kMostRate), false, "What may come at once; default one second's."},
       {"per", Word({"mapping", "source", "destination"}), false,
        "What has a limit of its own; default the mapping as a whole.", "mapping"},
       {"prefix_v4", Number(0, 32), false, "Addresses that share a limit; default 32.", "32"},
       {"prefix_v6", Number(0, 128), false, "Addresses that share a limit; default 64.", "64"},
       {"exceed", Word({"drop", "mark", "proxy"}), false,
        "What happens above the limit; default drop.", "drop"}},
      {"packets", "bytes", "connections"});
}

Form Dscp() {
  Form form = Word({"default", "le",   "cs1",  "cs2",  "cs3",  "cs4",  "cs5",        "cs6",
                    "cs7",     "af11", "af12", "af13", "af21", "af22", "af23",       "af31",
                    "af32",    "af33", "af41", "af42", "af43", "ef",   "voice-admit"});
  form.kind = Kind::kWordOrNumber;
  form.most = 63;
  return form;
}

Form Auth() {
  return Map({{"mtls",
               Map({{"subjects", ListOf(Of(Kind::kText)), true,
                     "Names that client certificates "
                     "may bear, as in "
                     "spiffe://prod/payments."},
                    {"ca", Of(Kind::kText), false, "The name of the trusted issuers."}}),
               false, "Clients authenticate with a certificate."},
              {"jwt",
               Map({{"issuer", Of(Kind::kUrl), true, "The claim iss."},
                    {"audiences", ListOf(Of(Kind::kText)), true, "Values allowed in aud."},
                    {"jwks", Of(Kind::kUrl), false, "Where the issuer's keys are."}}),
               false, "Clients send a JSON web token."}},
             {"mtls", "jwt"});
}

Form Tls() {
  return Map(
      {{"mode", Word({"passthrough", "terminate"}), true,
        "Whether the proxy only reads the server name or ends TLS."},
       {"server_names", ListOf(Of(Kind::kHostname)), false, "Names allowed in SNI."},
       {"min_version", Word({"tls1.2", "tls1.3"}), false, "The oldest version; default tls1.2."},
       {"alpn", ListOf(Word({"h2", "http/1.1"})), false, "Protocols that are offered."},
       {"certificate", Of(Kind::kText), false, "The name of the certificate to serve."}});
}

Form Http() {
  return Map({{"hosts", ListOf(Of(Kind::kHostname)), false, "Names allowed in Host."},
              {"methods", Methods(), false, "Methods allowed."},
              {"paths", ListOf(Of(Kind::kPath)), false, "Paths allowed."}},
             {"hosts", "methods", "paths"});
}

Form Backends() {
  return Map(
      {{"service", Of(Kind::kService), true, "Where connections go instead."},
       {"port", Number(1, 65535), false, "The port there; default the original one."},
       {"balance", Word({"round-robin", "least-connections", "source-hash", "consistent-hash"}),
        false, "How a backend is chosen; default consistent-hash."}});
}

Form Routes() {
  return ListOf(Map({{"hosts", ListOf(Of(Kind::kHostname))},
                     {"methods", Methods()},
                     {"paths", ListOf(Of(Kind::kPath))},
                     {"service", Of(Kind::kService), true, "Where matching requests go."},
                     {"weight", Number(0, 1'000'000), false,
                      "Its share among routes that match the same requests; default 1."}}));
}

Form Health() {
  return Map({{"protocol", Word({"tcp", "http", "https"}), true, "What is asked."},
              {"port", Number(1, 65535), true, "Where it is asked."},
              {"path", Of(Kind::kPath), false, "For http and https; default /."},
              {"interval", Of(Kind::kDuration), false, "Default 5s."},
              {"timeout", Of(Kind::kDuration), false, "Default 1s."},
              {"rise", Number(1, 100), false, "Successes until it is used again; default 2."},
              {"fall", Number(1, 100), false, "Failures until it is left out; default 3."}});
}

}  // namespace

const std::vector<Member>& ServiceAttributes() {
  static const std::vector<Member> members = {
      {"health", Health(), false, "How its members are found to work."}};
  return members;
}

const std::vector<Member>& MappingAttributes() {
  static const std::vector<Member> members = {
      {"stateful", Of(Kind::kFlag), false,
       "Whether replies to what it allows pass by themselves; default true.", "true"},
      {"limit", LimitForm(), false, "How much may pass."},
      {"qos", Map({{"dscp", Dscp(), true, "The code point to set."}}), false,
       "How packets are marked for the network."},
      {"auth", Auth(), false, "Who the client must be."},
      {"tls", Tls(), false, "How TLS is treated."},
      {"http", Http(), false, "Which requests are allowed."},
      {"backends", Backends(), false, "Where redirect and proxy send connections."},
      {"routes", Routes(), false, "Where the proxy sends requests; the first that matches."}};
  return members;
}

}  // namespace march::model
