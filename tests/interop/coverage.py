"""Counts what was exercised: operation by error code, and the named steps around the operations."""

import collections

import records
from twins import Answer, Notice

# Never sent to the reference side, where it would damage the log (tested against Quorate alone).
NOT_COMPARED = {"check"}

# Error codes that a run has to meet at least once.
WANTED_ERRORS = (-2, -5, -6, -8, -101, -102, -103, -108, -110, -111, -114, -115, -121, -123, -125)


class Coverage:
    def __init__(self):
        self.errors = collections.Counter()
        self.events = collections.Counter()
        self.steps = collections.Counter()

    def add_items(self, items):
        for item in items:
            if isinstance(item, Answer):
                self.errors[item.op, item.err] += 1
            elif isinstance(item, Notice):
                self.events[item.type] += 1

    def add_parts(self, multi_op, results):
        """Count the operations inside a multi by the outcome of each."""
        for kind, (_result, err, _value) in zip(multi_op, results):
            self.errors[f"multi/{kind}", err] += 1

    def missing(self, step_names):
        """Operations, error codes and steps that should have been exercised and were not."""
        seen = {op for op, _err in self.errors}
        operations = [op for op in records.OP if op not in seen and op not in NOT_COMPARED]
        errors = {err for _op, err in self.errors}
        operations += [f"error {code}" for code in WANTED_ERRORS if code not in errors]
        return operations + [step for step in step_names if not self.steps[step]]

    def table(self):
        """Lines of the table, operation by error code."""
        codes = sorted({err for _op, err in self.errors}, reverse=True)
        lines = ["errors: " + ", ".join(f"{code} {records.ERROR_NAME.get(code, '?')}" for code in codes)]
        lines.append(f"{'operation':22}" + "".join(f"{code:>6}" for code in codes))
        for op in sorted({op for op, _err in self.errors}):
            lines.append(f"{op:22}" + "".join(f"{self.errors[op, code] or '.':>6}" for code in codes))
        lines.append("events by type: " + ", ".join(f"{kind}: {count}" for kind, count in sorted(self.events.items())))
        lines.append("steps: " + ", ".join(f"{name}: {count}" for name, count in sorted(self.steps.items())))
        return lines
