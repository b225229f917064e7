#include <malloc.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>

#include "base/file_system.h"
#include "cli/exit_code.h"
#include "cli/marchctl.h"

int main(int argc, char** argv) {
  // A reader that has seen enough (`| head`) ends us by a failing write, not by a signal.
  std::signal(SIGPIPE, SIG_IGN);
  std::ios::sync_with_stdio(false);
  // A compiler run: memory that one stage gave back is the next one's. Giving it to the kernel and
  // taking it again, page by page cleared, is a tenth of the time for a large policy.
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TOP_PAD, 16 << 20);
  march::DiskFileSystem files;
  march::cli::Environment environment{files, std::cin, std::cout, std::cerr};
  environment.color_errors = isatty(STDERR_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
  environment.is_terminal = isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0;
  try {
    const int code = march::cli::RunMarchctl({argv + 1, argv + argc}, environment);
    std::cout.flush();
    if (!std::cout && code == march::cli::kOk) {
      std::cerr << "marchctl: cannot write to standard output\n";
      return march::cli::kFailed;
    }
    return code;
  } catch (const std::exception& error) {
    std::cerr << "marchctl: " << error.what() << "\n";
    return march::cli::kFailed;
  }
}
