// What is measured: our program, the designs it is held against, and controls.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/fastpath/feeder.h"
#include "bench/fastpath/policy.h"

namespace march::bench {

class Subject {
 public:
  explicit Subject(std::string_view name) : name_(name) {}
  virtual ~Subject() = default;
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;

  std::string_view name() const { return name_; }

  // Before a trace is measured. What keeps the subject from taking part, if anything does.
  virtual std::optional<std::string> Prepare(const std::vector<tests::Packet>& trace);

  // Nanoseconds a packet, over the same trace from its start.
  virtual double Measure(Feeder& feeder, std::uint32_t packets) = 0;
  // Of the first `count` packets of the trace.
  virtual std::vector<bool> Verdicts(Feeder& feeder, std::size_t count) = 0;
  // Controls judge nothing.
  virtual bool judges() const { return true; }
  // To be attached to an interface; -1: it is no XDP program.
  virtual int program() const { return -1; }

  struct Facts {
    double load_seconds = 0;  // into the kernel, tables included
    std::uint64_t table_bytes = 0;
    std::uint64_t instructions = 0;  // BPF; 0: it is no BPF program
    std::string note;                // what there is to know beside the figures
  };
  const Facts& facts() const { return facts_; }

 protected:
  Facts facts_;

 private:
  std::string name_;
};

// A subject, or why there is none.
struct MadeSubject {
  std::unique_ptr<Subject> subject;
  std::string refusal;
};

struct SubjectKind {
  std::string_view name;
  std::string_view description;
  bool control;
  MadeSubject (*make)(const Policy& policy, const Workspace& workspace);
};

// "march" and "floor" are among them. In the order in which they are measured.
const std::vector<SubjectKind>& SubjectKinds();

inline constexpr std::string_view kOurs = "march";
inline constexpr std::string_view kFloor = "floor";

MadeSubject MakeGenerated(const Policy& policy, const Workspace& workspace);
MadeSubject MakeDrop(const Policy& policy, const Workspace& workspace);
MadeSubject MakeFloor(const Policy& policy, const Workspace& workspace);
MadeSubject MakeRandomArray(const Policy& policy, const Workspace& workspace);
MadeSubject MakeRandomHash(const Policy& policy, const Workspace& workspace);
MadeSubject MakeLpm(const Policy& policy, const Workspace& workspace);
MadeSubject MakeBitVector(const Policy& policy, const Workspace& workspace);
MadeSubject MakeRteAcl(const Policy& policy, const Workspace& workspace);

// A subject that is an XDP program of ours.
class ProgramSubject : public Subject {
 public:
  using Subject::Subject;
  double Measure(Feeder& feeder, std::uint32_t packets) override;
  std::vector<bool> Verdicts(Feeder& feeder, std::size_t count) override;
};

// How long `work` takes.
template <class Work>
double SecondsOf(Work&& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace march::bench
