#include "shell/net/opening.h"

namespace quorate::net {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kSaslMagic = "\x5f\x24\x35\x01\x35\x01\xed\xcc"sv;
// Content type handshake, and the major version that all releases of TLS share. As a length, a sid or a type of packet
// it is far out of range.
constexpr std::string_view kTlsHandshake = "\x16\x03"sv;

}  // namespace

std::optional<std::string> foreign_opening(std::string_view bytes) {
  if (bytes.size() < kOpeningBytes) return std::nullopt;
  if (bytes.starts_with(kSaslMagic)) {
    return "it begins SASL authentication, which is not available between servers here; set "
           "quorum.auth.learnerRequireSasl=false and quorum.auth.serverRequireSasl=false on all servers";
  }
  if (bytes.starts_with(kTlsHandshake)) {
    return "it begins TLS, which is not available between servers here; set sslQuorum=false on all servers";
  }
  return std::nullopt;
}

}  // namespace quorate::net
