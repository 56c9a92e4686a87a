#!/usr/bin/env bash
# Runs every fuzz target for a while, two at a time, starting from its checked-in seeds, and fails when one finds
# something. New inputs stay in the build directory; a finding is left there as <target>/crash-*, timeout-* or oom-*.
set -u
if [ $# -ne 2 ]; then
  echo "usage: run.sh BUILD_DIRECTORY SECONDS_PER_TARGET" >&2
  exit 2
fi
build=$(cd "$1" && pwd) || exit 2
seconds=$2
here=$(cd "$(dirname "$0")" && pwd)

# run_target NAME: one line on stdout, and the beginning of what it says when there is a finding.
run_target() {
  local name=$1 work=$build/fuzz/$1 result=ok executions
  mkdir -p "$work/corpus" "$here/corpus/$name"
  "$build/bin/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -malloc_limit_mb=512 \
    -print_final_stats=1 -artifact_prefix="$work/" "$work/corpus" "$here/corpus/$name" >"$work/log" 2>&1 ||
    result=FINDING
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/log")
  echo "$name: $result, ${executions:-0} executions"
  [ "$result" = ok ] || { grep -m 1 -A 25 -E 'ERROR|broken invariant|runtime error' "$work/log" | cut -c 1-200; return 1; }
}

names=()
for source in "$here"/*_fuzz.cc; do names+=("$(basename "$source" .cc)"); done
findings=0
running=0
for name in "${names[@]}"; do
  if [ "$running" -eq 2 ]; then
    wait -n || findings=$((findings + 1))
    running=$((running - 1))
  fi
  run_target "$name" &
  running=$((running + 1))
done
while [ "$running" -gt 0 ]; do
  wait -n || findings=$((findings + 1))
  running=$((running - 1))
done
echo "${#names[@]} targets, $seconds s each, $findings with findings"
[ "$findings" -eq 0 ]
