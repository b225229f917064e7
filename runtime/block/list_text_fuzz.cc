// The readers of block lists, fed with arbitrary bytes: what they take must be what it was written
// as, once it is stored and read again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "runtime/block/list_text.h"

namespace march::block {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

void CheckEntries(const std::vector<Entry>& entries) {
  for (const Entry& entry : entries) {
    Require(IsComment(entry.comment));
    const auto again = ParsePrefix(entry.prefix.ToString());
    Require(again.ok() && *again == entry.prefix);
    Require(entry.prefix.Holds(entry.prefix));
  }
  const Stored stored = ReadStored(WriteStored(entries));
  Require(stored.damaged == 0 && stored.entries == entries);
}

}  // namespace
}  // namespace march::block

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto list = march::block::ReadList(text);
  if (list.ok()) march::block::CheckEntries(*list);
  march::block::CheckEntries(march::block::ReadStored(text).entries);
  return 0;
}
