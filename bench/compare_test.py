#!/usr/bin/env python3
"""Tests of what bench/compare makes of its samples. Starts no server."""

import argparse
import importlib.machinery
import importlib.util
import pathlib
import tempfile
import unittest

import catch_up
import results
import rows


def the_script():
    """bench/compare as a module."""
    loader = importlib.machinery.SourceFileLoader("compare", str(pathlib.Path(__file__).with_name("compare")))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("compare", loader))
    loader.exec_module(module)
    return module


def figure(group, name):
    return next(figure for figure in rows.FIGURES if (figure.group, figure.name) == (group, name))


def row(samples, group, name):
    return [cell.strip() for cell in results.table_row(samples, figure(group, name)).strip("|").split("|")]


class Table(unittest.TestCase):
    def samples(self, apache, quorate, group, name):
        samples = results.Samples()
        for label, values in (("Apache", apache), ("Quorate", quorate)):
            for value in values:
                samples.add(label, group, **{name: value})
        return samples

    def test_median_and_spread(self):
        cells = row(self.samples([12.0, 10.0, 20.0], [1.0, 3.0, 2.0], "get", "cpu"), "get", "cpu")
        self.assertEqual(cells[1:4], ["12.00 µs (10.00–20.00)", "2.00 µs (1.00–3.00)", "0.167"])

    def test_cpu_is_judged_by_the_ratio_of_one_run(self):
        for quorate, reached in ((3.9, "yes"), (4.1, "**no**")):  # 2.0 of 12.1 is 0.165; of 24.2: 4.0
            cells = row(self.samples([24.2], [quorate], "get", "cpu"), "get", "cpu")
            self.assertEqual(cells[5], reached)

    def test_throughput_and_latency_have_to_beat_apache(self):
        self.assertEqual(row(self.samples([50], [51], "set", "rate"), "set", "rate")[5], "yes")
        self.assertEqual(row(self.samples([50], [50], "set", "rate"), "set", "rate")[5], "**no**")
        self.assertEqual(row(self.samples([5], [6], "set", "p99"), "set", "p99")[5], "**no**")

    def test_single_client_is_judged_by_the_floor(self):
        for quorate, reached in ((124, "yes"), (126, "**no**")):
            samples = self.samples([300], [quorate], "single-set", "p50")
            samples.add_floor(round_trip=40, fdatasync=60)
            self.assertEqual(row(samples, "single-set", "p50")[5], reached)

    def test_without_floor_or_without_quorate_nothing_is_claimed(self):
        self.assertEqual(row(self.samples([300], [1], "single-set", "p50"), "single-set", "p50")[5], "–")
        self.assertEqual(row(self.samples([300], [], "memory", "filled"), "memory", "filled")[2:], ["–", "–", "≤ 240", "–"])
        self.assertEqual(row(self.samples([], [1.0], "get", "cpu"), "get", "cpu")[5], "–")

    def test_nothing_measured_is_no_row(self):
        self.assertIsNone(results.table_row(results.Samples(), figure("get", "cpu")))

    def test_zero_of_apache_has_no_ratio(self):
        self.assertEqual(row(self.samples([0], [1], "sessions", "bytes"), "sessions", "bytes")[3], "–")

    def test_failures_are_said(self):
        samples = results.Samples()
        samples.failures.append("Quorate: gone")
        self.assertIn("- **failed**: Quorate: gone", results.section("t", [], samples))


class Document(unittest.TestCase):
    START = "# Title\n\nOwn words.\n"

    def place_all(self, *runs):
        document = self.START
        for key, text, full in runs:
            document = results.place(document, key, text, full)
        return document

    def test_newest_full_run_on_top_partial_at_the_end(self):
        document = self.place_all(("a", "## run a", True), ("x", "## first look", False), ("b", "## run b", True))
        order = [document.index(text) for text in ("Own words.", results.BEGIN, "## run b", "## run a", "## first look",
                                                   results.END)]
        self.assertEqual(order, sorted(order))

    def test_same_commit_replaces_and_partial_replaces(self):
        document = self.place_all(("a", "## old a", True), ("x", "## look 1", False), ("b", "## run b", True),
                                  ("a", "## new a", True), ("y", "## look 2", False))
        for gone in ("## old a", "## look 1"):
            self.assertNotIn(gone, document)
        self.assertLess(document.index("## new a"), document.index("## run b"))
        self.assertLess(document.index("## run b"), document.index("## look 2"))

    def test_placing_twice_changes_nothing(self):
        once = self.place_all(("a", "## run a", True))
        self.assertEqual(results.place(once, "a", "## run a", True), once)

    def test_words_around_the_markers_stay(self):
        document = self.place_all(("a", "## run a", True)) + "\nLast words.\n"
        self.assertTrue(results.place(document, "b", "## run b", True).endswith("\nLast words.\n"))


class Selection(unittest.TestCase):
    def test_rows(self):
        self.assertEqual(rows.selected("idle, get"), ["get", "idle"])
        self.assertEqual(rows.selected(",".join(rows.GROUPS)), list(rows.GROUPS))
        for wrong in ("", "nope", "get,nope"):
            with self.assertRaises(ValueError):
                rows.selected(wrong)

    def test_every_figure_belongs_to_a_group_and_every_group_has_one(self):
        self.assertEqual({figure.group for figure in rows.FIGURES}, set(rows.GROUPS))


class Contenders(unittest.TestCase):
    def test_their_homes_lie_where_they_are_wanted(self):
        with tempfile.TemporaryDirectory() as directory:
            options = argparse.Namespace(directory=directory, quorate="/bin/true", java_options="", only=None, large_apache=False)
            for make in the_script().makers(options).values():
                three = make.trio()
                homes = [make({}).home, *(member.home for member in three.members.values())]
                for home in homes:
                    self.assertEqual(str(home.path.parent), directory)
                    home.remove()


class CatchUp(unittest.TestCase):
    def test_the_last_sync_of_the_log_counts(self):
        log = ("x - Sending snapshot last zxid of peer is 0x0\ny - Sending DIFF zxid=0x100000003 for peer sid: 2\n"
               "z - Sending pings\n")
        self.assertEqual(catch_up.kind_of_sync(log), "DIFF")
        self.assertEqual(catch_up.kind_of_sync(log.splitlines()[0]), "SNAP")
        self.assertEqual(catch_up.kind_of_sync(""), "nothing that it says")

    def test_another_sync_than_the_wanted_one_is_a_failure(self):
        self.assertEqual(catch_up.Sync(1.5, "DIFF").must_be("DIFF").seconds, 1.5)
        with self.assertRaises(RuntimeError):
            catch_up.Sync(1.5, "SNAP").must_be("DIFF")

    def test_position(self):
        self.assertEqual(catch_up.position_in("Zxid: 0x2000000ff\nMode: follower\nNode count: 5\n"),
                         ("follower", 0x2000000ff))
        self.assertIsNone(catch_up.position_in("This ZooKeeper instance is not currently serving requests\n"))


if __name__ == "__main__":
    unittest.main()
