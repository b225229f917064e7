// What a verb reads of a policy: each file once, so that it can come from a pipe.
#include <catch2/catch.hpp>
#include <map>
#include <sstream>
#include <utility>

#include "cli/exit_code.h"
#include "cli/marchctl.h"

namespace march::cli {
namespace {

// Of a pipe there is only the first time.
class CountingFileSystem final : public FileSystem {
 public:
  Kind KindOf(const std::string& path) const override { return files_.KindOf(path); }
  Outcome<std::string> Read(const std::string& path, std::uint64_t limit) const override {
    ++reads_[path];
    return files_.Read(path, limit);
  }
  Outcome<std::vector<std::string>> List(const std::string& path) const override {
    return files_.List(path);
  }
  Outcome<Done> WriteAtomically(const std::string& path, const std::string& content,
                                unsigned mode) override {
    return files_.WriteAtomically(path, content, mode);
  }
  Outcome<Done> RewriteAtomically(const std::string& path, const std::string& content) override {
    return files_.RewriteAtomically(path, content);
  }
  Outcome<Done> Remove(const std::string& path) override { return files_.Remove(path); }

  // Since it was last asked.
  int TakeReads(const std::string& path) { return std::exchange(reads_[path], 0); }

 private:
  MemoryFileSystem files_;
  mutable std::map<std::string, int> reads_;
};

TEST_CASE("a verb reads a policy once") {
  CountingFileSystem files;
  REQUIRE(files
              .WriteAtomically("p.yaml",
                               "apiVersion: march/v1\n"
                               "kind: Policy\n"
                               "services:\n"
                               "  web: { addresses: [10.0.0.1] }\n"
                               "mappings:\n"
                               "  http: { to: [web], protocols: [tcp], ports: [80] }\n",
                               0600)
              .ok());
  REQUIRE(
      files.WriteAtomically("f.csv", "proto,src,sport,dst,dport\ntcp,1.2.3.4,5,10.0.0.1,80\n", 0600)
          .ok());
  const std::vector<std::vector<std::string>> commands = {
      {"validate", "p.yaml"},
      {"lint", "p.yaml"},
      {"explain", "p.yaml", "tcp 1.2.3.4:5 > 10.0.0.1:80"},
      {"explain", "p.yaml", "tcp any > web:80"},
      {"replay", "p.yaml", "f.csv"},
      {"replay", "p.yaml", "f.csv", "--engine", "tables"},
      {"compile", "p.yaml", "--until", "tables", "--dump"},
  };
  for (const auto& command : commands) {
    CAPTURE(command);
    std::istringstream in;
    std::ostringstream out;
    std::ostringstream err;
    Environment environment{files, in, out, err};
    CHECK(RunMarchctl(command, environment) == kOk);
    CHECK(err.str().empty());
    CHECK(files.TakeReads("p.yaml") == 1);
  }
}

}  // namespace
}  // namespace march::cli
