"""From samples to the tables of RESULTS.md.

RESULTS.md keeps its own words around one generated part between two markers. Within that part each run is a section
with a key: a run replaces the section of its key, a new full run goes on top, a partial one has one place at the end.
"""

import statistics

from rows import FIGURES, Medians

BEGIN = "<!-- runs: begin, written by bench/compare -->"
END = "<!-- runs: end -->"
PARTIAL = "partial"


class Samples:
    """Measured values by contender, group and figure."""

    def __init__(self):
        self._values = {}
        self.floor = {}   # name -> values
        self.failures = []

    def add(self, contender, group, **figures):
        for name, value in figures.items():
            self._values.setdefault((contender, group, name), []).append(value)

    def add_floor(self, **figures):
        for name, value in figures.items():
            self.floor.setdefault(name.replace("_", " "), []).append(value)

    def of(self, contender, figure):
        return self._values.get((contender, figure.group, figure.name), [])

    def floor_medians(self):
        return {name: statistics.median(values) for name, values in self.floor.items()}


def spread(values, figure):
    """Median (lowest-highest); a dash when nothing was measured."""
    if not values:
        return "–"
    numbers = [f"{value:.{figure.digits}f}" for value in (statistics.median(values), min(values), max(values))]
    unit = f" {figure.unit}" if figure.unit else ""
    return f"{numbers[0]}{unit}" + (f" ({numbers[1]}–{numbers[2]})" if len(values) > 1 else "")


def table_row(samples, figure):
    """One line of the table, or None when nobody was measured."""
    apache, quorate = samples.of("Apache", figure), samples.of("Quorate", figure)
    if not apache and not quorate:
        return None
    medians = Medians(statistics.median(apache) if apache else None, statistics.median(quorate) if quorate else None,
                      samples.floor_medians())
    ratio = "–" if not medians.apache or medians.quorate is None else f"{medians.quorate / medians.apache:.3f}"
    reached = {None: "–", True: "yes", False: "**no**"}[figure.reached(medians)]
    cells = (figure.work, spread(apache, figure), spread(quorate, figure), ratio, figure.target, reached)
    return f"| {' | '.join(cells)} |"


def section(title, facts, samples):
    """The markdown of one run. `facts` are (name, text) pairs for its head."""
    lines = [f"## {title}", ""]
    lines += [f"- {name}: {text}" for name, text in facts]
    for name, values in sorted(samples.floor.items()):
        lines.append(f"- bare {name}, µs: median {statistics.median(values):.1f} "
                     f"({min(values):.1f}–{max(values):.1f})")
    lines += [f"- **failed**: {failure}" for failure in samples.failures]
    lines += ["", "| Work | Apache, median (min–max) | Quorate, median (min–max) | Quorate : Apache | Target | Reached |",
              "|---|---|---|---|---|---|"]
    lines += [row for row in (table_row(samples, figure) for figure in FIGURES) if row]
    return "\n".join(lines)


def _head(key):
    return f"<!-- run: {key} -->"


def place(document, key, text, full):
    """The document with this run's section in its place."""
    before, between, after = _cut(document)
    runs = {}
    for piece in between.split("<!-- run: ")[1:]:
        name, body = piece.split(" -->", 1)
        runs[name] = body.strip()
    key = key if full else PARTIAL
    partial = {PARTIAL: runs.pop(PARTIAL)} if PARTIAL in runs else {}
    runs.pop(key, None)
    if full:
        ordered = {key: text, **runs, **partial}
    else:
        ordered = {**runs, PARTIAL: text}
    body = "".join(f"{_head(name)}\n\n{run.strip()}\n\n" for name, run in ordered.items())
    return f"{before}{BEGIN}\n\n{body}{END}{after}"


def _cut(document):
    if BEGIN not in document or END not in document:
        return document.rstrip() + "\n\n", "", "\n"
    before, rest = document.split(BEGIN, 1)
    between, after = rest.split(END, 1)
    return before, between, after
