"""Waiting on conditions, always with a deadline. Nothing here stands for "long enough"."""

import time

POLL_SECONDS = 0.02


class DeadlinePassed(AssertionError):
    """The awaited condition did not come true in time."""


def wait_until(what, condition, seconds=20.0):
    """Return the first true value of `condition()`; raise DeadlinePassed naming `what` otherwise."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise DeadlinePassed(f"after {seconds} s still not: {what}")
        time.sleep(POLL_SECONDS)


def remaining(end):
    """Seconds left until the monotonic instant `end`, never below a millisecond."""
    return max(0.001, end - time.monotonic())
