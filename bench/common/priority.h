// Who has a CPU first while something is measured.
#pragma once

namespace march::bench {

// Before every thread that is not urgent at all, and those of a lower rank before it.
inline constexpr int kUrgent = 1;      // who is measured, and who sends to it
inline constexpr int kMoreUrgent = 2;  // who takes its frames from it
inline constexpr int kMostUrgent = 3;  // who ends the measurement

// Of a thread, 0 for the calling one; its children are not urgent. Where the kernel will not
// (control groups can be without real-time), others' work counts in what is measured.
void MakeUrgent(int thread, int rank);

// The calling thread is urgent as long as this lives.
class Urgently {
 public:
  explicit Urgently(int rank) { MakeUrgent(0, rank); }
  ~Urgently();
  Urgently(const Urgently&) = delete;
  Urgently& operator=(const Urgently&) = delete;
};

}  // namespace march::bench
