// How one generation takes the place of another.
#include <algorithm>
#include <array>
#include <utility>

#include "runtime/apply/applier.h"
#include "runtime/bpf/kernel_release.h"

namespace march::apply {

using telemetry::Level;

bool IsRefusal(const Diagnostics& diagnostics) {
  constexpr std::array kRefusals = {Code::kBundleMalformed,      Code::kBundleUnsigned,
                                    Code::kBundleUnknownSigner,  Code::kBundleBadSignature,
                                    Code::kBundleDigestMismatch, Code::kBundleWrongCluster,
                                    Code::kBundleOldSerial,      Code::kBundleNewerFormat,
                                    Code::kInputTooLarge,        Code::kBadPathName};
  return std::any_of(diagnostics.begin(), diagnostics.end(), [&](const Diagnostic& diagnostic) {
    return std::find(kRefusals.begin(), kRefusals.end(), diagnostic.code) != kRefusals.end();
  });
}

// Of all that a kernel may lack, better to say which it is than to pass on what its verifier says.
Outcome<Done> Applier::CheckKernel(const bundle::Manifest& manifest) const {
  if (!bpf::IsOlderThan(config_.kernel_release, manifest.minimum_kernel)) return Done{};
  const std::string& feature = manifest.minimum_kernel_for;
  return MakeDiagnostic(
      Code::kKernelTooOld, {},
      "the bundle asks for Linux " + manifest.minimum_kernel +
          (feature.empty() ? "" : " (" + feature + ")") + ", this is " + config_.kernel_release,
      feature.empty() ? "upgrade the gateway's kernel"
                      : "upgrade the gateway's kernel, or compile a policy without " + feature);
}

std::uint64_t Applier::NextNumber(const bpf::Pins& pins) const {
  std::uint64_t last = std::max(state_.last_generation, recorded_.value_or(0));
  const std::vector<std::uint64_t> stored = store_.Stored();
  if (!stored.empty()) last = std::max(last, stored.back());
  if (!pins.generations.empty()) last = std::max(last, pins.generations.back());
  if (!state_.folded.empty()) last = std::max(last, *state_.folded.rbegin());
  return last + 1;
}

// Points every interface at `generation`; `undo` says how to take back what was done, also when a
// later interface fails.
Outcome<Done> Applier::Switch(std::uint64_t generation, const bpf::Pins& pins,
                              std::vector<Undo>& undo) {
  for (const Interface& interface : config_.interfaces) {
    const bpf::Link* link = FindLink(pins, interface.name);
    if (link != nullptr && link->state != bpf::LinkState::kDead) {
      // Of one whose state is not known, the kernel's answer to the replacement will tell.
      if (auto replaced = kernel_.Replace(interface.name, generation); !replaced.ok()) {
        return replaced;
      }
      // A program that is not pinned cannot be put back; leaving the new one is the safe choice.
      if (link->generation) undo.push_back({interface.name, link->generation});
      continue;
    }
    if (link != nullptr && !kernel_.HasInterface(interface.name)) {
      // It was there and went away: Reconcile waits for it, and the others need the policy now.
      continue;
    }
    const auto attached = kernel_.Attach(interface.name, interface.mode, generation);
    if (!attached.ok()) return attached.diagnostics();
    undo.push_back({interface.name, std::nullopt});
    if (!attached->native_refusal.empty()) {
      log_.Write(Level::kWarning, "generic_xdp",
                 {{"interface", interface.name}, {"message", attached->native_refusal}});
    }
  }
  return Done{};
}

void Applier::PutBack(const std::vector<Undo>& undo) {
  for (auto it = undo.rbegin(); it != undo.rend(); ++it) {
    const auto done = it->generation ? kernel_.Replace(it->interface, *it->generation)
                                     : kernel_.Detach(it->interface);
    // What could not be put back now, Reconcile will.
    if (!done.ok()) log_.Write(Level::kError, "put_back", done.diagnostics());
  }
}

Applied Applier::Answer(bool changed) const {
  Applied applied;
  applied.changed = changed;
  applied.generation = current_->number;
  applied.serial = current_->manifest.serial;
  applied.policy_digest = current_->manifest.policy_digest;
  for (const Interface& interface : config_.interfaces) {
    applied.interfaces.push_back(interfaces_.at(interface.name));
  }
  return applied;
}

Outcome<Applied> Applier::Install(std::string_view bytes, const bundle::Bundle& bundle) {
  const std::string* object = bundle.Find(bundle::kXdpObjectPath);
  const std::string* tables = bundle.Find(bundle::kClassifierPath);
  const std::string* mappings = bundle.Find(bundle::kMappingsPath);
  if (object == nullptr || tables == nullptr || mappings == nullptr) {
    return MakeDiagnostic(Code::kBundleMalformed, {}, "the bundle has no program",
                          "compile it again with marchctl");
  }
  if (auto kernel = CheckKernel(bundle.manifest); !kernel.ok()) {
    return std::move(kernel).diagnostics();
  }
  auto names = bundle::ReadMappings(*mappings);
  if (!names.ok()) return std::move(names).diagnostics();
  const auto pins = kernel_.Discover();
  if (!pins.ok()) return pins.diagnostics();
  const std::uint64_t number = NextNumber(*pins);

  if (auto written = store_.WriteBundle(number, std::string(bytes)); !written.ok()) {
    static_cast<void>(store_.RemoveBundle(number));
    return std::move(written).diagnostics();
  }
  if (auto loaded = kernel_.Load(number, {*object, *tables, SlotsOf(*names)}); !loaded.ok()) {
    static_cast<void>(store_.RemoveBundle(number));
    return std::move(loaded).diagnostics();
  }
  names_[number] = std::move(names).value();
  std::vector<Undo> undo;
  auto switched = Switch(number, *pins, undo);
  if (switched.ok()) switched = store_.WriteCurrent(number);
  if (!switched.ok()) {
    PutBack(undo);
    // A failed write may still have reached the disk.
    static_cast<void>(recorded_ ? store_.WriteCurrent(*recorded_) : store_.RemoveCurrent());
    Settle();
    // The new generation may have judged packets meanwhile: they count too.
    if (const auto tidied = Tidy(); !tidied.ok()) {
      log_.Write(Level::kError, "tidy", tidied.diagnostics());
    }
    return std::move(switched).diagnostics();
  }
  recorded_ = number;
  current_ = {number, bundle.manifest, bundle::Sha256Hex(bytes)};
  lockdown_ = false;
  lockdown_reason_.clear();
  ++swaps_;
  log_.Write(Level::kInfo, "swapped",
             {{"generation", number},
              {"serial", bundle.manifest.serial},
              {"policy_digest", bundle.manifest.policy_digest}});
  Settle();
  // From here on nothing can fail the swap: what Tidy leaves undone, it does the next time.
  Reconcile();
  return Answer(true);
}

Outcome<Applied> Applier::Accept(std::string_view bytes) {
  const auto bundle = bundle::Verify(bytes, config_.trust);
  if (!bundle.ok()) {
    ++refused_;
    log_.Write(Level::kWarning, "refused", bundle.diagnostics());
    return bundle.diagnostics();
  }
  if (current_ && current_->digest == bundle::Sha256Hex(bytes)) {
    Reconcile();
    return Answer(false);
  }
  const std::uint64_t serial = bundle->manifest.serial;
  const std::uint64_t highest =
      std::max(state_.highest_serial, current_ ? current_->manifest.serial : 0);
  if (serial < highest) {
    ++refused_;
    Diagnostic old = MakeDiagnostic(
        Code::kBundleOldSerial, {},
        "the bundle's serial " + std::to_string(serial) + " is lower than " +
            std::to_string(highest) + ", which was accepted before",
        "compile the policy again with a serial of at least " + std::to_string(highest));
    log_.Write(Level::kWarning, "refused", {old});
    return old;
  }
  auto applied = Install(bytes, *bundle);
  if (!applied.ok()) {
    if (IsRefusal(applied.diagnostics())) ++refused_;
    log_.Write(Level::kError, "not_applied", applied.diagnostics());
  }
  return applied;
}

}  // namespace march::apply
