#include "cli/live/terminal.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <string_view>

namespace march::cli {
namespace {

// ECMA-48 and xterm: the second screen, without a cursor; and back.
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l";
constexpr std::string_view kLeave = "\x1b[?25h\x1b[?1049l";
constexpr const char* kHome = "\x1b[H";
constexpr const char* kClearLine = "\x1b[K";
constexpr const char* kClearBelow = "\x1b[J";

constexpr std::array kEnding = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

// What signal handlers need. They may call what is async-signal-safe only: write, tcsetattr,
// sigaction, raise (POSIX.1-2017, 2.4.3).
termios before{};
volatile std::sig_atomic_t is_changed = 0;

void Write(std::string_view text) {
  static_cast<void>(!::write(STDOUT_FILENO, text.data(), text.size()));
}

void Enter() {
  termios raw = before;
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  ::tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
  Write(kEnter);
}

void Leave() {
  Write(kLeave);
  ::tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
}

void Handle(int signal, void (*handler)(int)) {
  struct sigaction action{};
  action.sa_handler = handler;
  // What was being written or asked for goes on; poll ends in any case (signal(7)).
  action.sa_flags = SA_RESTART;
  ::sigaction(signal, &action, nullptr);
}

// As if nobody had waited for the signal, so that whoever started us sees what happened.
void RaiseAgain(int signal) {
  Handle(signal, SIG_DFL);
  sigset_t only{};
  sigemptyset(&only);
  sigaddset(&only, signal);
  ::raise(signal);
  ::sigprocmask(SIG_UNBLOCK, &only, nullptr);
}

void OnEnd(int signal) {
  Leave();
  RaiseAgain(signal);
}

void OnStop(int signal) {
  const int error = errno;
  Leave();
  RaiseAgain(signal);
  // Here it goes on after SIGCONT.
  Handle(SIGTSTP, OnStop);
  Enter();
  is_changed = 1;
  errno = error;
}

void OnChange(int) {
  is_changed = 1;
}

}  // namespace

Terminal::Terminal(std::ostream& out) : out_(out) {
  ::tcgetattr(STDIN_FILENO, &before);
  for (const int signal : kEnding) Handle(signal, OnEnd);
  Handle(SIGTSTP, OnStop);
  Handle(SIGWINCH, OnChange);
  Enter();
}

Terminal::~Terminal() {
  out_.flush();
  Leave();
  for (const int signal : kEnding) Handle(signal, SIG_DFL);
  Handle(SIGTSTP, SIG_DFL);
  Handle(SIGWINCH, SIG_DFL);
}

Terminal::Size Terminal::size() const {
  winsize window{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_row == 0 ||
      window.ws_col == 0) {
    return {};
  }
  return {window.ws_row, window.ws_col};
}

void Terminal::Draw(const std::vector<std::string>& lines) {
  std::string screen = kHome;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    screen += kClearLine + lines[i];
    if (i + 1 < lines.size()) screen += "\r\n";
  }
  screen += kClearBelow;
  out_ << screen;
  out_.flush();
}

Terminal::Wake Terminal::Wait(std::chrono::milliseconds time) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point end = Clock::now() + time;
  for (;;) {
    if (is_changed != 0) {
      is_changed = 0;
      return Wake::kResize;
    }
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    // Also when no time is left: whoever draws without a pause still sees the keys.
    pollfd input{STDIN_FILENO, POLLIN, 0};
    const int ready = ::poll(&input, 1, static_cast<int>(std::max<std::int64_t>(left, 0)));
    if (ready == 0 && left <= 0) return Wake::kTime;
    if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
    if (ready < 0 || ::read(STDIN_FILENO, &key_, 1) != 1) return Wake::kGone;
    return Wake::kKey;
  }
}

}  // namespace march::cli
