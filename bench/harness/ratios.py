"""Medians and how sure they are, without assuming how the noise is spread."""

from dataclasses import dataclass
from math import comb
from statistics import median

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    median: float
    low: float
    high: float


def left_out_at_each_end(count):
    """How many of the smallest and of the largest values the interval may leave out.

    The true median lies outside when at most that many values fell on one side of it, which is a matter of `count`
    fair coins. With 11 values one can be left out; below 6 no interval is sure enough and it spans all values.
    """
    left_out = 0
    missed = 2 / 2**count
    while True:
        missed += 2 * comb(count, left_out + 1) / 2**count
        if missed > 1 - CONFIDENCE:
            return left_out
        left_out += 1


def estimate(values):
    """The median, and an interval between two of the values that holds the true one in 95 of 100 cases."""
    ordered = sorted(values)
    left_out = left_out_at_each_end(len(ordered))
    return Estimate(median(ordered), ordered[left_out], ordered[-1 - left_out])


def pairwise(numerators, denominators):
    """The ratio in every round that has both; rounds are numbered."""
    return [numerators[r] / denominators[r] for r in sorted(numerators.keys() & denominators.keys())]
