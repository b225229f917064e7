#include "tests/kernels/hardened_jit.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>

namespace march::tests {
namespace {

constexpr const char* kSetting = "/proc/sys/net/core/bpf_jit_harden";

std::string Read() {
  const int file = ::open(kSetting, O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  char text[16];
  const ssize_t size = ::read(file, text, sizeof(text));
  ::close(file);
  return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : std::string();
}

bool Write(const std::string& value) {
  const int file = ::open(kSetting, O_WRONLY | O_CLOEXEC);
  if (file < 0) return false;
  const bool written = ::write(file, value.data(), value.size()) > 0;
  ::close(file);
  return written;
}

// Lives a little longer than the process that it was forked from.
[[noreturn]] void Keep(int life, const std::string& before) {
  // What ends a test with its whole group or terminal must not end this.
  ::setsid();
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::signal(signal, SIG_IGN);
  char byte = 0;
  while (::read(life, &byte, 1) < 0 && errno == EINTR) {
  }
  _exit(Write(before) ? 0 : 1);
}

}  // namespace

std::unique_ptr<HardenedJit> HardenedJit::Set() {
  const std::string before = Read();
  // Writing what is there anyway tells whether it could be put back.
  int ends[2];
  if (before.empty() || !Write(before) || ::pipe2(ends, O_CLOEXEC) != 0) return nullptr;
  const pid_t keeper = ::fork();
  if (keeper == 0) {
    ::close(ends[1]);
    Keep(ends[0], before);
  }
  ::close(ends[0]);
  if (keeper < 0) {
    ::close(ends[1]);
    return nullptr;
  }
  std::unique_ptr<HardenedJit> hardened(new HardenedJit(keeper, ends[1]));
  if (!Write("2")) return nullptr;
  return hardened;
}

HardenedJit::~HardenedJit() {
  ::close(life_);
  while (::waitpid(keeper_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace march::tests
