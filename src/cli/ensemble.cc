#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <map>

#include "cli/commands.h"
#include "cli/local_ensemble.h"

// `quorate ensemble`: the servers of a local ensemble as child processes.
namespace quorate::cli {
namespace {

// What a server has for ending in order before it is killed.
constexpr int kPatienceSeconds = 10;

void say(const std::string& text) {
  std::printf("%s\n", text.c_str());
  std::fflush(stdout);
}

std::string how_it_ended(int status) {
  if (WIFSIGNALED(status))
    return fmt::format("was killed by signal {} ({})", WTERMSIG(status), strsignal(WTERMSIG(status)));
  return fmt::format("ended with code {}", WEXITSTATUS(status));
}

class Children {
 public:
  explicit Children(const std::vector<LocalServer>& servers) : servers_(servers) {
    sigemptyset(&awaited_);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) sigaddset(&awaited_, signal);
    sigprocmask(SIG_BLOCK, &awaited_, &inherited_);
  }

  Result<void> start();
  /// Until a signal says stop, or nobody is left.
  int watch();

 private:
  [[noreturn]] void become(const LocalServer& server, const std::string& program, pid_t parent) const;
  void reap(bool stopping);
  void stop();

  const std::vector<LocalServer>& servers_;
  std::map<pid_t, const LocalServer*> running_;
  sigset_t awaited_{};
  sigset_t inherited_{};
};

Result<void> Children::start() {
  std::error_code error;
  const std::string program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return fail(Fault::Io, "this program's own file cannot be found: " + error.message());
  const pid_t parent = getpid();
  for (const LocalServer& server : servers_) {
    const pid_t pid = fork();
    if (pid == 0) become(server, program, parent);
    if (pid < 0) {
      const std::string why = std::strerror(errno);
      stop();
      return fail(Fault::Io, fmt::format("server {} cannot be started: {}", server.id, why));
    }
    running_[pid] = &server;
  }
  return {};
}

/// A group of its own: Ctrl-C reaches this program alone, which then ends the servers.
void Children::become(const LocalServer& server, const std::string& program, pid_t parent) const {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) std::_Exit(1);  // it has ended already
  sigprocmask(SIG_SETMASK, &inherited_, nullptr);
  const int input = open("/dev/null", O_RDONLY);
  const int output = open(server.log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (input < 0 || output < 0) std::_Exit(1);
  dup2(input, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  execl(program.c_str(), "quorate", "serve", server.config.c_str(), nullptr);
  std::_Exit(127);
}

void Children::reap(bool stopping) {
  int status = 0;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
    const auto at = running_.find(pid);
    if (at == running_.end()) continue;
    const LocalServer& server = *at->second;
    running_.erase(at);
    if (stopping && WIFEXITED(status) && WEXITSTATUS(status) == 0) continue;
    say(fmt::format("server {} (process {}) {}; its log is {}{}", server.id, pid, how_it_ended(status), server.log,
                    stopping || running_.empty() ? "" : "; the others go on"));
  }
}

int Children::watch() {
  while (!running_.empty()) {
    int signal = 0;
    if (sigwait(&awaited_, &signal) != 0) continue;
    if (signal != SIGCHLD) {
      stop();
      return 0;
    }
    reap(false);
  }
  say("no server is left");
  return 1;
}

void Children::stop() {
  for (const auto& [pid, server] : running_) kill(pid, SIGTERM);
  const std::time_t end = std::time(nullptr) + kPatienceSeconds;
  while (!running_.empty() && std::time(nullptr) < end) {
    const timespec while_longest{1, 0};
    sigtimedwait(&awaited_, nullptr, &while_longest);
    reap(true);
  }
  for (const auto& [pid, server] : running_) {
    say(fmt::format("server {} (process {}) does not end, and is killed", server->id, pid));
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
  }
  running_.clear();
}

int complain(const Error& error, int code) {
  std::fprintf(stderr, "quorate ensemble: %s\n", error.detail.c_str());
  return code;
}

}  // namespace

int ensemble(const EnsembleOptions& options) {
  const auto servers = plan_ensemble(options);
  if (!servers) return complain(servers.error(), 2);
  if (const auto free = check_ports(*servers); !free) return complain(free.error(), 1);
  if (const auto written = write_ensemble(*servers); !written) return complain(written.error(), 1);
  Children children(*servers);
  if (const auto started = children.start(); !started) return complain(started.error(), 1);
  for (const LocalServer& server : *servers) {
    say(fmt::format("server {}: clients on 127.0.0.1:{}, servers on {} and {}, files in {}, log in server.log there",
                    server.id, server.client_port, server.quorum_port, server.election_port, server.directory));
  }
  say(fmt::format("connect with any ZooKeeper client to {}; Ctrl-C stops all", connect_text(*servers)));
  return children.watch();
}

}  // namespace quorate::cli
