"""All interop tests against one Quorate binary: run_all.py BIN [--full].

One line for each part, the output of failed parts, and a last line "N passed, N failed".
"""

import argparse
import pathlib
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).parent
PYTHON = "/usr/bin/python3"

# name, file and arguments ({} is the binary), seconds allowed
PARTS = (
    ("tools", ("selftest.py",), 30),
    ("differential self-check", ("differential.py", "--self-check", "--seeds", "1-4", "--steps", "200"), 120),
    ("differential", ("differential.py", "--quorate", "{}", "--seeds", "{seeds}", "--steps", "250"), 1800),
    ("version 3.9", ("version39_test.py", "{}"), 60),
    ("bad input", ("badinput_test.py", "{}"), 180),
    ("reaper", ("reaper_test.py", "{}"), 60),
    ("four-letter words", ("words_test.py", "{}"), 90),
    ("kazoo", ("kazoo_test.py", "{}"), 120),
    ("cli_mt", ("cli_mt_test.py", "{}"), 60),
    ("java and curator", ("java_test.py", "{}"), 180),
    ("alternation", ("alternation_test.py", "{}"), 180),
    ("ensemble", ("ensemble_test.py", "{}"), 180),
    ("ensemble with one Apache", ("ensemble_test.py", "{}", "--mixed", "1"), 180),
    ("ensemble with two Apaches", ("ensemble_test.py", "{}", "--mixed", "2"), 180),
    ("peers that lie", ("peers_test.py", "{}"), 240),
    ("command ensemble", ("ensemble_command_test.py", "{}"), 60),
    ("clients among restarts", ("rolling_test.py", "{}", "--seconds", "{rolling}"), 900),
    ("ensembles under faults", ("faults_test.py", "{}", "--sizes", "3,5", "--networks", "namespaces,relays", "--seconds", "{faults}"), 1500),
)


def run_part(name, command, seconds):
    """Run one part; print its line, and its output if it failed."""
    start = time.monotonic()
    process = subprocess.Popen([PYTHON, str(HERE / command[0]), *command[1:]], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        output, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        output = _end(process) + f"\nstopped after {seconds} s\n".encode()
    except BaseException:
        _end(process)
        raise
    passed = process.returncode == 0
    print(f"{'ok  ' if passed else 'FAIL'} {name} ({time.monotonic() - start:.0f} s)", flush=True)
    if not passed:
        print(output.decode(errors="replace"), flush=True)
    return passed


def _end(process):
    """End a part in order, so that its exit handler ends the servers it started; the rest of its output."""
    process.terminate()
    try:
        return process.communicate(timeout=60)[0]
    except subprocess.TimeoutExpired:
        process.kill()  # its servers end with it
        return process.communicate()[0]


def _leave_in_order(_signal, _frame):
    sys.exit(1)


def main():
    signal.signal(signal.SIGTERM, _leave_in_order)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binary", help="path of the Quorate binary")
    parser.add_argument("--full", action="store_true", help="many more seeds, and minutes of faults")
    arguments = parser.parse_args()
    values = {"seeds": "1-800", "rolling": "300", "faults": "300"} if arguments.full else {"seeds": "1-80", "rolling": "30", "faults": "150"}
    outcomes = []
    for name, command, seconds in PARTS:
        command = tuple(part.format(arguments.binary, **values) for part in command)
        outcomes.append(run_part(name, command, seconds))
    print(f"{sum(outcomes)} passed, {len(outcomes) - sum(outcomes)} failed")
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
