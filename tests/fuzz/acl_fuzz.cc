#include <string>

#include "base/check.h"
#include "core/auth/auth.h"
#include "input.h"

/// Access control lists from clients: what the fix-up lets pass is a list that every later use can read, and fixing
/// it again changes nothing. Pieces: an auth packet's scheme and data, then the list.
namespace quorate::fuzz {
namespace {

void use_stored(const auth::Auth& auth, std::string_view stored, const auth::Identities& who) {
  wire::Decoder in(stored);
  const wire::AclVector list = wire::AclVector::take(in);
  QUORATE_CHECK(in.ok() && in.ended() && list.size() > 0);
  for (int32_t wanted = 1; wanted <= wire::kPermAdmin; wanted <<= 1) auth.permits(list, wanted, who);

  ByteBuffer masked;
  auth.mask(list, masked);
  wire::Decoder shown(masked.view());
  QUORATE_CHECK(wire::AclVector::take(shown).size() == list.size() && shown.ok() && shown.ended());

  ByteBuffer again;
  QUORATE_CHECK(auth.fix_up(list, who, again) == wire::Code::Ok);
}

}  // namespace
}  // namespace quorate::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace quorate;
  static const auth::Auth auth = auth::Auth::make({}).value();
  fuzz::Input input(data, size);
  auth::Identities who = {{"ip", "10.1.2.3"}};
  const std::string_view scheme = input.piece();
  const std::string_view credentials = input.piece();
  if (const auto gained = auth.authenticate(scheme, credentials, "10.1.2.3")) {
    for (const auth::Identity& identity : *gained) {
      auth.user_name(identity);
      who.push_back(identity);
    }
  }
  wire::Decoder in(input.rest());
  const wire::AclVector list = wire::AclVector::take(in);
  if (!in.ok()) return 0;
  ByteBuffer stored;
  if (auth.fix_up(list, who, stored) == wire::Code::Ok) fuzz::use_stored(auth, stored.view(), who);
  return 0;
}
