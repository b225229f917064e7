// Independent pieces of work on all processors.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

namespace march {

// Calls work(i) once for every i below `count`, on several threads, and returns when all are done.
// `work` must not throw.
template <class Work>
void ForEachInParallel(std::size_t count, Work&& work) {
  constexpr unsigned kMostThreads = 16;
  const std::size_t threads =
      std::min<std::size_t>(std::max<std::size_t>(count, 1),
                            std::clamp(std::thread::hardware_concurrency(), 1U, kMostThreads));
  std::atomic<std::size_t> next = 0;
  const auto run = [&] {
    for (std::size_t i = next++; i < count; i = next++) work(i);
  };
  std::vector<std::jthread> helpers(threads - 1);
  for (std::jthread& helper : helpers) helper = std::jthread(run);
  run();
}

}  // namespace march
