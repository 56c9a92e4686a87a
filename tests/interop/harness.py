"""Runs the test functions of a file against one server and prints a line for each."""

import argparse
import sys
import traceback

from servers import make_server


def run(doc, tests, settings=None, properties=None):
    """Start the server named on the command line, call each test with it, and exit with the outcome.

    A test is a function of the server. When one leaves the server dead, it has failed and the server is started again,
    so that each line tells of its own test only.
    """
    arguments = _parse(doc, tests)
    failed = 0
    with make_server(arguments.server, settings, properties) as server:
        for test in tests:
            if not arguments.only or test.__name__ in arguments.only:
                failed += not _passes(test, server)
    print(f"{len(tests) - failed} passed, {failed} failed" if not arguments.only else f"{failed} failed", flush=True)
    sys.exit(1 if failed else 0)


def _parse(doc, tests):
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("server", help="path of the Quorate binary, or the word apache")
    parser.add_argument("only", nargs="*", help="names of tests: " + ", ".join(test.__name__ for test in tests))
    return parser.parse_args()


def passes(test, server):
    """Call one test and print its line; whether it passed."""
    try:
        test(server)
        print(f"  ok    {test.__name__}", flush=True)
        return True
    except Exception as fault:  # every fault of a test is the outcome of that test
        print(f"  FAIL  {test.__name__}: {type(fault).__name__}: {fault}\n{place(fault)}", flush=True)
        return False


def _passes(test, server):
    def test_and_look(server):
        test(server)
        _check_alive(server)
    test_and_look.__name__ = test.__name__
    if passes(test_and_look, server):
        return True
    if not server.serves():
        _restart(server)
    return False


def _restart(server):
    """Bring a broken server back for the next test, on an empty directory if its own one keeps it from starting."""
    server.kill()
    try:
        server.start()
    except AssertionError as fault:
        print(f"        and it does not start on its directory again: {str(fault)[-200:]}", flush=True)
        server.home.clear()
        server.start()


def _check_alive(server):
    if not server.alive():
        raise AssertionError(f"the server died with {server.process.returncode}:\n{server.log_tail()}")


def place(fault):
    frames = traceback.extract_tb(fault.__traceback__)[1:]
    return "\n".join(f"          {frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.line}" for frame in frames[-5:])


def equal(actual, expected, what=""):
    """Fail with both values unless they are equal."""
    if actual != expected:
        raise AssertionError(f"{what}: {actual!r} instead of {expected!r}")
