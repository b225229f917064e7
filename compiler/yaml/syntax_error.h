// The parser's complaints in our words.
#pragma once

#include <yaml-cpp/exceptions.h>

#include "base/diagnostic.h"
#include "compiler/yaml/tree_builder.h"

namespace march::yaml {

// `quote` is the offset of a quotation mark without its partner.
Diagnostic UnclosedQuote(const Source& source, std::size_t quote);

// `pos` is the offset in `source` of the error's mark. The builder tells how far the document was
// understood and which collection is open.
Diagnostic ExplainSyntaxError(const YAML::Exception& error, const Source& source, std::size_t pos,
                              const TreeBuilder& builder);

}  // namespace march::yaml
