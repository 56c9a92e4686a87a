#include "shell/config/keys.h"

namespace quorate::config::table {

std::span<const Key> foreign_keys() {
  static constexpr Key keys[] = {
      {.name = "jmx.log4j.disable",
       .type = Type::LenientFlag,
       .fallback = "false",
       .verdict = Verdict::Accept,
       .note = kNoJvm,
       .help = "Beans of the logger."},
      {.name = "jmx.log4j.mbean", .verdict = Verdict::Accept, .note = kNoJvm, .help = "Beans of the logger."},
      {.name = "controllerPort",
       .type = Type::Int,
       .verdict = Verdict::Accept,
       .note = "for tests of Apache",
       .help = "A test tool of Apache."},
      {.name = "request.timeout",
       .type = Type::LenientInt,
       .unit = "ms",
       .fallback = "0",
       .verdict = Verdict::Accept,
       .note = "for client programs only",
       .help = "Of clients."},
      {.name = "client.secure",
       .type = Type::LenientFlag,
       .fallback = "false",
       .verdict = Verdict::Accept,
       .note = "for client programs only",
       .help = "Of clients."},
      {.name = "clientCnxnSocket",
       .verdict = Verdict::Accept,
       .note = "for client programs only",
       .help = "Of clients."},
      {.name = "disableAutoWatchReset",
       .type = Type::LenientFlag,
       .fallback = "false",
       .verdict = Verdict::Accept,
       .note = "for client programs only",
       .help = "Of clients."},
      {.name = "sasl.client",
       .type = Type::LenientFlag,
       .fallback = "true",
       .verdict = Verdict::Accept,
       .note = "for client programs only",
       .help = "Of clients."},
      {.name = "sasl.client.", .verdict = Verdict::Accept, .note = "for client programs only", .help = "Of clients."},
      {.name = "sasl.clientconfig",
       .fallback = "Client",
       .verdict = Verdict::Accept,
       .note = "for client programs only",
       .help = "Of clients."},
  };
  return keys;
}

}  // namespace quorate::config::table
