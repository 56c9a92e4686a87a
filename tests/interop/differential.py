"""Compare two servers operation by operation under random sequences.

    differential.py --quorate BIN --seeds 1-40 --steps 150     Quorate against Apache
    differential.py --self-check --seeds 1-40                  Apache against Apache: the test of this test

A seed gives one sequence of steps. Both servers get the same operations in lockstep; every reply, event, Stat and
closing of a connection is compared. What may differ is listed in allowed_differences.json, with its reason. The first
difference of a seed is printed with the seed, the step and both answers, and ends that seed.
"""

import argparse
import random
import sys

import steps
from allowed import Allowed, load_rows
from coverage import Coverage
from quota_steps import dump, quota, words
from random_ops import RandomOps
from servers import make_server
from world import Difference, World
import records as zk

SETTINGS = {"enforceQuota": "true", "snapCount": "5000"}
TOUR = 0  # this seed takes every kind of step once, in order
STEPS = dict(steps.STEPS) | {quota: 0.6, words: 1}


def run_seed(world, seed, count):
    """One seed from fresh clients to the closing comparison."""
    rng = random.Random(seed)
    ops = RandomOps(rng, f"/d{seed}")
    world.trail.clear()
    world.open_clients()
    world.do(world.twins[0], [zk.create(ops.root), *ops.first_nodes()])
    kinds = list(STEPS) if seed == TOUR else rng.choices(list(STEPS), list(STEPS.values()), k=count)
    for number, kind in enumerate(kinds):
        world.note(f"[step {number}: {kind.__name__}]")
        world.coverage.steps[kind.__name__] += 1
        world.start_step()
        kind(world, ops)
    dump(world, ops)
    words(world, ops)
    world.close_everything()


def run_seeds(world, seeds, arguments):
    """Run seeds up to the first that fails; that seed, or None."""
    for seed in seeds:
        try:
            run_seed(world, seed, arguments.steps)
        except AssertionError as difference:
            report(world, seed, difference, arguments.trail)
            return seed
    return None


def report(world, seed, difference, lines):
    print(f"DIFFERENCE in seed {seed}; the last steps were:")
    print("\n".join(f"    {line[:600]}" for line in world.trail[-lines:]))
    print(difference if isinstance(difference, Difference) else f"{type(difference).__name__}: {difference}", flush=True)


def compare(arguments, allowed, coverage):
    """All seeds; the number of failed ones. A failed seed leaves states that differ, so the next begins on new servers."""
    first, last = (int(part) for part in arguments.seeds.split("-"))
    seeds, failures = [TOUR, *range(first, last + 1)], 0
    while seeds and failures < arguments.failures:
        with make_server("apache", SETTINGS) as a, make_server(arguments.quorate or "apache", SETTINGS) as b:
            world = World((a.address, b.address), allowed, coverage, arguments.self_check)
            failed = run_seeds(world, seeds, arguments)
            dead = [f"{server.name} died with {server.process.returncode}" for server in (a, b) if not server.alive()]
            if failed is None and not dead:
                return failures
            print(f"--- {', '.join(dead)} end of the log of {b.name}:\n{b.log_tail(12)}", flush=True)
            failures += 1
            seeds = [seed for seed in seeds if failed is not None and seed > failed]
    return failures


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    side = parser.add_mutually_exclusive_group(required=True)
    side.add_argument("--quorate", metavar="BIN", help="the server under test")
    side.add_argument("--self-check", action="store_true", help="Apache on both sides, no difference allowed")
    parser.add_argument("--seeds", default="1-40", help="first-last")
    parser.add_argument("--steps", type=int, default=150, help="random steps a seed")
    parser.add_argument("--failures", type=int, default=1, help="stop after that many failed seeds")
    parser.add_argument("--trail", type=int, default=12, help="lines of the way to a difference that are shown")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    allowed = Allowed([] if arguments.self_check else load_rows())
    coverage = Coverage()
    failures = compare(arguments, allowed, coverage)
    print("\n".join(coverage.table()))
    print("allowed differences met:", allowed.used or "none")
    missing = coverage.missing([kind.__name__ for kind in STEPS])
    if missing and not failures:
        print("never exercised:", ", ".join(missing))
    passed = not failures and not missing
    print(f"seeds {arguments.seeds}: {'equal' if passed else 'FAILED'}")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
