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
  if (count <= 1) return run();
  std::vector<std::jthread> helpers(threads - 1);
  for (std::jthread& helper : helpers) helper = std::jthread(run);
  run();
}

// The same in pieces, for work that is too small to hand out one by one: calls work(begin, end) for
// ranges that together are [0, count).
template <class Work>
void ForEachRangeInParallel(std::size_t count, Work&& work) {
  constexpr std::size_t kRange = 1024;
  ForEachInParallel((count + kRange - 1) / kRange,
                    [&](std::size_t i) { work(i * kRange, std::min(count, (i + 1) * kRange)); });
}

}  // namespace march
