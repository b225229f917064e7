// Keys named on the command line.
#pragma once

#include <string>
#include <vector>

#include "base/outcome.h"
#include "bundle/keys.h"
#include "cli/environment.h"

namespace march::cli {

Outcome<std::vector<bundle::PrivateKey>> LoadPrivateKeys(const Environment& environment,
                                                         const std::vector<std::string>& paths);
Outcome<std::vector<bundle::PublicKey>> LoadPublicKeys(const Environment& environment,
                                                       const std::vector<std::string>& paths);

}  // namespace march::cli
