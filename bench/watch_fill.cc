// watch_fill: what a watch costs, each on a path of its own and many connections on the same paths. Prints the
// resident bytes a watch and the times of adding, of triggers that find nothing or fire, and of closing.
//   watch_fill [watches = 1000000]
#include <malloc.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "core/tree/watch_table.h"
#include "measure.h"

namespace {

using namespace quorate;
using bench::Timer;

/// Like "/load/n0000000017/lock": 21 bytes.
std::vector<std::string> make_paths(size_t count, const char* parent) {
  std::vector<std::string> paths;
  paths.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    char path[48];
    const int length = std::snprintf(path, sizeof path, "/%s/n%010zu/lock", parent, i);
    paths.emplace_back(path, static_cast<size_t>(length));
  }
  return paths;
}

struct Load {
  tree::WatchTables watches{42};
  std::vector<tree::WatcherId> open;
  std::vector<ConnId> told;

  void connect(size_t count) {
    for (size_t i = 0; i < count; ++i) open.push_back(watches.open(ConnId{i + 1}));
  }
  void trigger_all(const char* what, const std::vector<std::string>& paths) {
    const Timer timer(what, paths.size());
    for (const std::string& path : paths) watches.trigger(tree::WatchTable::Data, path, nullptr, told);
  }
};

void report(const tree::WatchTables& watches, size_t before, size_t count) {
  std::printf("%-44s %8.1f bytes a watch; the tables count %.1f\n", "resident",
              static_cast<double>(bench::resident_bytes() - before) / static_cast<double>(count),
              static_cast<double>(watches.resident_bytes()) / static_cast<double>(count));
}

struct Shape {
  const char* what;
  size_t conns;
  bool one_each;  ///< Each connection watches one path; else all.
};

void run(const Shape& shape, const std::vector<std::string>& paths, const std::vector<std::string>& other) {
  const size_t conns = shape.conns;
  const bool one_each = shape.one_each;
  std::printf("%s: %zu connections, %zu paths\n", shape.what, conns, paths.size());
  malloc_trim(0);  // What earlier runs freed would hide what this one takes.
  const size_t before = bench::resident_bytes();
  Load load;
  load.connect(conns);
  const size_t count = one_each ? conns : conns * paths.size();
  {
    const Timer timer("  add", count);
    for (size_t p = 0; p < paths.size(); ++p) {
      const size_t end = one_each ? p + 1 : conns;
      for (size_t c = one_each ? p : 0; c < end; ++c) {
        load.watches.add(load.open[c], tree::WatchTable::Data, paths[p], tree::kStandard);
      }
    }
  }
  report(load.watches, before, count);
  load.trigger_all("  trigger, nobody watches", other);
  load.watches.add(load.open[0], tree::WatchTable::Data, "/elsewhere", tree::kRecursive);
  load.trigger_all("  trigger, nobody watches, one is recursive", other);
  load.told.reserve(count);
  {
    const Timer timer("  fire half of them, each connection", count / 2);
    for (size_t p = 0; p < paths.size(); p += 2)
      load.watches.trigger(tree::WatchTable::Data, paths[p], nullptr, load.told);
  }
  const Timer timer("  close with the other half, each watch", count / 2);
  for (const tree::WatcherId watcher : load.open) load.watches.close(watcher);
}

}  // namespace

int main(int argc, char** argv) {
  const size_t count = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1000000;
  const std::vector<std::string> paths = make_paths(count, "load");
  const std::vector<std::string> other = make_paths(count, "idle");
  const std::vector<std::string> few = make_paths(1000, "load");
  run({"sparse, one connection", 1, false}, paths, other);
  run({"sparse, a connection each", count, true}, paths, other);
  run({"dense", count / 1000, false}, few, other);
  return 0;
}
