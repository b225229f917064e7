#include "bench/common/process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

#include "bench/common/fail.h"

namespace march::bench {
namespace {

using Clock = std::chrono::steady_clock;

double Since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

class SpawnOptions {
 public:
  SpawnOptions() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    // Signals that we wait for in a thread of our own are blocked here, not in others.
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  }
  ~SpawnOptions() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnOptions(const SpawnOptions&) = delete;
  SpawnOptions& operator=(const SpawnOptions&) = delete;

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

pid_t Spawn(const std::vector<std::string>& command, const SpawnOptions& options) {
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_t pid = -1;
  const int error = posix_spawn(&pid, FindProgram(command[0]).c_str(), &options.actions,
                                &options.attributes, arguments.data(), environ);
  if (error != 0) {
    errno = error;
    Fail("start " + command[0]);
  }
  return pid;
}

// What a pipe still holds, at most `limit` bytes from its end.
std::string Drain(int fd, std::size_t limit) {
  std::string text;
  char buffer[4096];
  for (ssize_t got; (got = ::read(fd, buffer, sizeof(buffer))) > 0;) {
    text.append(buffer, static_cast<std::size_t>(got));
    if (text.size() > 2 * limit) text.erase(0, text.size() - limit);
  }
  if (text.size() > limit) text.erase(0, text.size() - limit);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace

std::string FindProgram(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* path = std::getenv("PATH");
  std::string folders = std::string(path != nullptr ? path : "") + ":/usr/sbin:/sbin:/usr/bin:/bin";
  for (std::size_t at = 0; at < folders.size();) {
    const std::size_t end = std::min(folders.find(':', at), folders.size());
    const std::string candidate = folders.substr(at, end - at) + "/" + name;
    if (end > at && ::access(candidate.c_str(), X_OK) == 0) return candidate;
    at = end + 1;
  }
  return "";
}

Finished RunProgram(const std::vector<std::string>& command, double limit_seconds,
                    const std::string& input) {
  if (FindProgram(command[0]).empty()) return {false, command[0] + " is not installed", 0};
  int said[2];
  if (::pipe2(said, O_CLOEXEC) != 0) Fail("make a pipe");
  SpawnOptions options;
  const char* from = input.empty() ? "/dev/null" : input.c_str();
  posix_spawn_file_actions_addopen(&options.actions, 0, from, O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&options.actions, said[1], 1);
  posix_spawn_file_actions_adddup2(&options.actions, said[1], 2);
  const auto start = Clock::now();
  const pid_t pid = Spawn(command, options);
  ::close(said[1]);
  // A program that says much must not wait for us.
  std::string words;
  std::thread reader([&] { words = Drain(said[0], 400); });
  int status = 0;
  bool late = false;
  while (::waitpid(pid, &status, WNOHANG) == 0) {
    if (!late && Since(start) > limit_seconds) {
      late = true;
      ::kill(pid, SIGKILL);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  const double seconds = Since(start);
  reader.join();
  ::close(said[0]);
  if (late) {
    return {false, command[0] + " took more than " + std::to_string(int(limit_seconds)) + " s",
            seconds};
  }
  const bool ok = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  return {ok, ok ? "" : command[0] + " failed: " + words, seconds};
}

Conversation::Conversation(const std::vector<std::string>& command) {
  int to[2], from[2];
  if (::pipe2(to, O_CLOEXEC) != 0 || ::pipe2(from, O_CLOEXEC) != 0) Fail("make a pipe");
  SpawnOptions options;
  posix_spawn_file_actions_adddup2(&options.actions, to[0], 0);
  posix_spawn_file_actions_adddup2(&options.actions, from[1], 1);
  pid_ = Spawn(command, options);
  ::close(to[0]);
  ::close(from[1]);
  to_ = to[1];
  from_ = from[0];
}

Conversation::~Conversation() {
  ::close(to_);
  ::close(from_);
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

std::optional<std::string> Conversation::Read(double limit_seconds) {
  const auto start = Clock::now();
  for (;;) {
    if (const std::size_t end = buffer_.find('\n'); end != std::string::npos) {
      std::string line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      return line;
    }
    const double left = limit_seconds - Since(start);
    pollfd wait{from_, POLLIN, 0};
    if (left <= 0 || ::poll(&wait, 1, static_cast<int>(left * 1000) + 1) <= 0) return {};
    char text[65536];
    const ssize_t got = ::read(from_, text, sizeof(text));
    if (got <= 0) return {};
    buffer_.append(text, static_cast<std::size_t>(got));
  }
}

std::optional<std::string> Conversation::Ask(const std::string& line, double limit_seconds) {
  const std::string text = line + "\n";
  if (::write(to_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) return {};
  return Read(limit_seconds);
}

}  // namespace march::bench
