#!/usr/bin/env python3
"""The statistics of a run once more, for scripts/validate: from DIR/trials.csv, by the standard
library alone, with its own generator; compared with DIR/summary.csv. One line per comparison:
case|unit|ours|truth|allowed."""
import csv
import math
import random
import statistics
import sys

RESAMPLES = 20000
METRICS = {
    "wall_ns": lambda r: float(r["wall_ns"]),
    "cpu_ns": lambda r: float(r["user_ns"]) + float(r["system_ns"]),
    "latency_p99_ns": lambda r: float(r["latency_p99_ns"]),
    "stretch_max": lambda r: float(r["stretch_max"]),
}


def t_cdf(t, freedom):
    """Student's t by Simpson's rule over its density."""
    constant = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(
        freedom * math.pi
    )
    steps = 2000
    h = t / steps
    total = 0.0
    for i in range(steps + 1):
        weight = 1 if i in (0, steps) else 4 if i % 2 else 2
        total += weight * (1 + (i * h) ** 2 / freedom) ** (-(freedom + 1) / 2)
    return 0.5 + constant * total * h / 3


def expanded_percentile(n):
    """Where the lower end of a 95 % interval lies among the resamples (Hesterberg 2014)."""
    low, high = 1.0, 100.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if t_cdf(middle, n - 1) < 0.975 else (low, middle)
    return statistics.NormalDist().cdf(-low * math.sqrt(n / (n - 1)))


def interval_error(values, low, high):
    """How far the ends are from their percentiles of a bootstrap of its own, as a part of it."""
    rng = random.Random(20011)
    n = len(values)
    medians = [statistics.median(rng.choices(values, k=n)) for _ in range(RESAMPLES)]
    p = expanded_percentile(n)
    width = 1e-9 * abs(low)
    below = sum(m < low - width for m in medians) / RESAMPLES
    up_to = sum(m <= low + width for m in medians) / RESAMPLES
    above = sum(m > high + width for m in medians) / RESAMPLES
    from_on = sum(m >= high - width for m in medians) / RESAMPLES
    return max(0, below - p, p - up_to, above - p, p - from_on)


def outliers(values):
    q1, _, q3 = statistics.quantiles(values, n=4, method="inclusive")  # type 7
    reach = 1.5 * (q3 - q1)
    return sum(v < q1 - reach or v > q3 + reach for v in values)


class Worst:
    """The largest of some differences, and how many there were."""

    def __init__(self):
        self.value, self.count = 0.0, 0

    def add(self, value):
        self.value, self.count = max(self.value, value), self.count + 1

    def relative(self, ours, truth):
        self.add(abs(float(ours) - truth) / abs(truth) if truth else abs(float(ours)))


def main(folder):
    trials = {}
    with open(f"{folder}/trials.csv", newline="") as file:
        for row in csv.DictReader(file):
            if row["pass"] == "timing" and int(row["round"]) > 0:
                trials.setdefault(row["cell"], {})[int(row["round"])] = row
    with open(f"{folder}/summary.csv", newline="") as file:
        summary = list(csv.DictReader(file))

    points, ends, ratios, ratio_ends, fences = Worst(), Worst(), Worst(), Worst(), Worst()
    floors, verdicts = Worst(), Worst()
    for cell in summary:
        rows = trials[cell["cell"]]
        for metric, value in METRICS.items():
            values = [value(rows[r]) for r in sorted(rows)]
            median = statistics.median(values)
            points.relative(cell[f"{metric}_median"], median)
            points.relative(cell[f"{metric}_mad"], statistics.median(abs(v - median) for v in values))
            points.relative(cell[f"{metric}_min"], min(values))
            points.relative(cell[f"{metric}_max"], max(values))
            low, high = float(cell[f"{metric}_low"]), float(cell[f"{metric}_high"])
            ends.add(100 * interval_error(values, low, high))
        fences.add(abs(int(cell["outliers"]) - outliers([METRICS["wall_ns"](r) for r in rows.values()])))

        base = next(c for c in summary if c["group"] == cell["group"] and c["verdict"] == "baseline")
        if cell is base:
            continue
        pairs = trials[base["cell"]]
        paired = [
            float(rows[r]["wall_ns"]) / float(pairs[r]["wall_ns"]) for r in sorted(rows) if r in pairs
        ]
        low, high = float(cell["ratio_low"]), float(cell["ratio_high"])
        ratios.relative(cell["ratio_median"], statistics.median(paired))
        ratio_ends.add(100 * interval_error(paired, low, high))
        floor = float(cell["noise_floor"])
        if cell["control"] == "true":
            floors.relative(floor, max(high, 1 / low) - 1)
        else:
            verdict = "no difference shown"
            if low > 1 + floor:
                verdict = "slower"
            elif high < 1 / (1 + floor):
                verdict = "faster"
            verdicts.add(verdict != cell["verdict"])

    for name, worst, unit, allowed in (
        ("medians, MADs and extremes: worst relative difference", points, "", 1e-9),
        ("ends of intervals: worst distance from their percentile", ends, "%", 0.6),
        ("paired ratios: worst relative difference", ratios, "", 1e-9),
        ("ends of ratios' intervals: worst distance from their percentile", ratio_ends, "%", 0.6),
        ("noise floors: worst relative difference", floors, "", 1e-9),
        ("verdicts that differ", verdicts, "", 0),
        ("outliers (Tukey's fences): worst difference", fences, "", 0),
    ):
        print(f"{name} (of {worst.count})|{unit}|{worst.value:.3g}|0|{allowed:g}")


main(sys.argv[1])
