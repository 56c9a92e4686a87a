#!/bin/sh
# Runs every fuzz target for a while, starting from its checked-in seeds, and fails when one finds something.
# New inputs stay in the build directory; a finding is left there as <target>/crash-*, timeout-* or oom-*.
set -u
if [ $# -ne 2 ]; then
  echo "usage: run.sh BUILD_DIRECTORY SECONDS_PER_TARGET" >&2
  exit 2
fi
build=$(cd "$1" && pwd) || exit 2
seconds=$2
here=$(cd "$(dirname "$0")" && pwd)
failed=""
for source in "$here"/*_fuzz.cc; do
  name=$(basename "$source" .cc)
  work=$build/fuzz/$name
  mkdir -p "$work/corpus" "$here/corpus/$name"
  echo "== $name, $seconds s"
  if ! "$build/bin/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -malloc_limit_mb=512 \
      -print_final_stats=1 -artifact_prefix="$work/" "$work/corpus" "$here/corpus/$name" >"$work/log" 2>&1; then
    tail -n 40 "$work/log"
    failed="$failed $name"
    continue
  fi
  grep -E 'Done|number_of_executed_units|peak_rss_mb' "$work/log"
done
if [ -n "$failed" ]; then
  echo "findings in:$failed" >&2
  exit 1
fi
