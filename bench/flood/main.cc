// march-bench-flood: the parts of a measurement under a flood of SYNs that have to be fast, for
// measure.sh and tests/e2e/flood_test.sh to put together. See docs/performance-stateful.md.
#include <sys/prctl.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <iostream>
#include <string>

#include "bench/common/fail.h"
#include "bench/common/machine.h"
#include "bench/common/options.h"
#include "bench/flood/attack.h"
#include "bench/flood/transactions.h"

namespace march::bench {
namespace {

using nlohmann::json;

space::Address AddressOf(const std::string& text) {
  const auto address = space::Address::Parse(text);
  if (!address) FailWith(text + " is no address");
  return *address;
}

void AddServers(CLI::App& app, ClientSetup& setup) {
  app.add_option("--server", setup.server4, "IPv4 address of the server");
  app.add_option("--server6", setup.server6, "IPv6 address of the server");
}

// What is said on standard input is done, line by line: "run SECONDS" makes transactions, "turns
// SECONDS" makes them by turns, "ask" asks the connections that were kept. Each is answered by a
// line of JSON, and so is the beginning.
void BeClient(const ClientSetup& setup) {
  Connector connector(setup);
  Kept kept(connector, setup);
  std::cout << json{{"kept", setup.kept}} << std::endl;
  for (std::string word; std::cin >> word;) {
    double seconds = 0;
    if (word == "ask") {
      std::cout << json{{"kept", setup.kept}, {"answered", kept.Ask()}} << std::endl;
    } else if ((word == "run" || word == "turns") && std::cin >> seconds) {
      std::cout << MakeTransactions(connector, setup, seconds, word == "turns") << std::endl;
    } else {
      FailWith("a client does not understand: " + word);
    }
  }
}

int Run(int argc, char** argv) {
  CLI::App app{"What it takes to measure a gateway under a flood of SYNs"};
  app.require_subcommand(1);
  ClientSetup client;
  Attack attack;
  std::string interface;
  CLI::App* as_client = app.add_subcommand("client", "a client that stays");
  CLI::App* as_attacker = app.add_subcommand("attack", "SYNs to port 80, until SIGTERM");
  CLI::App* as_drop = app.add_subcommand("drop", "drop all that comes in, until SIGTERM");
  CLI::App* as_pass = app.add_subcommand("pass", "let all in by a program, until SIGTERM");
  CLI::App* as_witness = app.add_subcommand("machine", "say what this machine is");
  for (CLI::App* role : {as_client, as_attacker}) AddServers(*role, client);
  as_client->add_option("--sources", client.sources, "addresses that it has of either family");
  as_client->add_option("--at-once", client.at_once, "transactions at a time")->default_val(32);
  as_client->add_option("--keep", client.kept, "connections that stay");
  as_attacker->add_option("interface", attack.interface)->required();
  as_attacker->add_option("--and", attack.other, "an interface to send from by turns with it");
  as_attacker->add_option("--gateway", attack.gateway_mac, "MAC of the other end")->required();
  as_attacker->add_option("--rate", attack.rate, "frames a second; as many as can be unless given");
  as_attacker->add_option("--sources", attack.sources,
                          "sources of either family; all unless given");
  as_attacker->add_option("--cpu", attack.cpu, "that makes the frames");
  for (CLI::App* taker : {as_drop, as_pass}) {
    taker->add_option("interface", interface)->required();
  }
  ParseOrExit(app, argc, argv);
  if (as_client->parsed()) BeClient(client);
  if (as_drop->parsed()) TakeAll(interface, Taker::kDrop);
  if (as_pass->parsed()) TakeAll(interface, Taker::kPass);
  if (as_witness->parsed()) std::cout << DescribeMachine() << std::endl;
  if (as_attacker->parsed()) {
    attack.server4 = AddressOf(client.server4);
    attack.server6 = AddressOf(client.server6);
    std::cout << json{{"made", Flood(attack)}} << std::endl;
  }
  return 0;
}

}  // namespace
}  // namespace march::bench

int main(int argc, char** argv) {
  // Nothing floods without the script that asked for it.
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  return march::bench::Run(argc, argv);
}
