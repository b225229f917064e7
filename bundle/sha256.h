// SHA-256 (FIPS 180-4) over pieces.
#pragma once

#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace march::bundle {

class Sha256 {
 public:
  Sha256();
  ~Sha256();

  void Update(std::string_view bytes);
  // Lower-case hex of everything so far. Ends the computation: nothing may be called after it.
  std::string Hex();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

// Compares in a time that does not depend on where two digests differ.
bool SameDigest(std::string_view a, std::string_view b);

}  // namespace march::bundle
