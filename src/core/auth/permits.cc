#include <algorithm>

#include "core/auth/acl_list.h"
#include "core/auth/auth.h"
#include "core/auth/digest.h"
#include "core/auth/provider.h"

namespace quorate::auth {

namespace {

bool held_by(const wire::AclItem& item, Holders who, const AuthSettings& settings) {
  if (is_anyone(item)) return true;
  const Provider* provider = find_provider(settings, item.scheme);
  if (provider == nullptr) return false;
  return std::ranges::any_of(who, [&](const Identity& identity) {
    return identity.scheme == item.scheme && provider->matches(identity.id, item.id);
  });
}

}  // namespace

bool Auth::permits(const wire::AclVector& list, int32_t wanted, Holders who) const {
  if (is_open(list) && (wanted & wire::kPermAll) != 0) return true;
  if (settings_.skip_acl || list.size() == 0) return true;
  if (std::ranges::count(who, "super", &Identity::scheme) > 0) return true;
  wire::Decoder in(list.raw().substr(4));
  for (int32_t i = 0; i < list.size(); ++i) {
    const wire::AclItem item = wire::AclItem::read(in);
    if ((item.perms & wanted) != 0 && held_by(item, who, settings_)) return true;
  }
  return false;
}

void Auth::mask(const wire::AclVector& list, ByteBuffer& out) const {
  if (list.size() == 0 || is_open(list)) return out.append(list.raw());
  AclWriter writer(out);
  list.each([&](wire::AclItem item) {
    std::string shown;
    if (item.scheme == "digest" && item.id.find(':') != item.id.npos) {
      shown.append(digest_user(item.id)).append(":x");
      item.id = shown;
    }
    writer.add(item);
  });
  writer.finish();
}

}  // namespace quorate::auth
