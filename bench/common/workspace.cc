#include "bench/common/workspace.h"

#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <thread>

#include "bench/common/fail.h"

namespace march::bench {
namespace {

void RemoveAll(const std::string& path) {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

// Fail() leaves through exit(), which destroys no locals.
std::string to_remove_at_exit;

void CleanUpOnSignals(const std::string& path) {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread([signals, path] {
    int signal = 0;
    while (sigwait(&signals, &signal) != 0) continue;
    RemoveAll(path);
    ::_exit(128 + signal);
  }).detach();
}

}  // namespace

Workspace::Workspace() {
  const char* base = std::getenv("TMPDIR");
  std::string pattern = std::string(base != nullptr ? base : "/tmp") + "/march-bench.XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) Fail("make the directory " + pattern);
  path_ = pattern;
  to_remove_at_exit = path_;
  std::atexit([] { RemoveAll(to_remove_at_exit); });
  CleanUpOnSignals(path_);
}

Workspace::~Workspace() {
  RemoveAll(path_);
}

void WriteFile(const std::string& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary);
  file << content;
  file.close();
  if (!file) Fail("write " + path);
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) Fail("read " + path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace march::bench
