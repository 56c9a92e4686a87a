#pragma once

/// `quorate bench`: a load generator for any server that speaks the client protocol, with figures about the server's
/// process. One thread, one epoll set; the cost of a request on this side is a copy of a preformatted frame.
namespace quorate::tools {

/// Runs one benchmark; argv[0] is the name shown in the usage text. Returns the exit status: 0 done, 1 the run failed
/// or met unexpected error replies, 2 wrong usage.
int bench_main(int argc, char** argv);

}  // namespace quorate::tools
