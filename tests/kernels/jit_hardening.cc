#include "tests/kernels/jit_hardening.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>

namespace march::tests {
namespace {

constexpr const char* kSetting = "/proc/sys/net/core/bpf_jit_harden";

bool Write(int file, const std::string& level) {
  return ::pwrite(file, level.data(), level.size(), 0) > 0;
}

// Outlives the process that it was forked from, by as much as it takes to write `before`.
[[noreturn]] void Keep(int file, int life, const std::string& before) {
  // What ends a test with its whole group or terminal must not end this.
  ::setsid();
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::signal(signal, SIG_IGN);
  char byte = 0;
  while (::read(life, &byte, 1) < 0 && errno == EINTR) {
  }
  _exit(Write(file, before) ? 0 : 1);
}

// The setting's file, locked; the keeper inherits the lock, so it ends with the later of the two.
int OpenInTurn() {
  const int file = ::open(kSetting, O_RDWR | O_CLOEXEC);
  if (file < 0) return -1;
  while (::flock(file, LOCK_EX) != 0) {
    if (errno == EINTR) continue;
    ::close(file);
    return -1;
  }
  return file;
}

}  // namespace

std::unique_ptr<JitHardening> JitHardening::Take() {
  const int file = OpenInTurn();
  if (file < 0) return nullptr;
  char text[16];
  const ssize_t size = ::pread(file, text, sizeof(text), 0);
  const std::string before(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  int ends[2];
  // Whether it could be put back shows when it is written as it is.
  if (before.empty() || !Write(file, before) || ::pipe2(ends, O_CLOEXEC) != 0) {
    ::close(file);
    return nullptr;
  }
  const pid_t keeper = ::fork();
  if (keeper == 0) {
    ::close(ends[1]);
    Keep(file, ends[0], before);
  }
  ::close(ends[0]);
  if (keeper < 0) {
    ::close(ends[1]);
    ::close(file);
    return nullptr;
  }
  return std::unique_ptr<JitHardening>(new JitHardening(file, keeper, ends[1]));
}

JitHardening::~JitHardening() {
  ::close(life_);
  while (::waitpid(keeper_, nullptr, 0) < 0 && errno == EINTR) {
  }
  ::close(file_);
}

bool JitHardening::HideConstants(bool hide) {
  return Write(file_, hide ? "2" : "0");
}

}  // namespace march::tests
