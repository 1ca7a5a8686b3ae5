"""Estimate the time of a transfer from two measured samples, and the size from which shipping disks is faster.

A transfer costs time for each file (requests, directories) and for each byte. Small and large files are measured
separately, because one sample cannot separate the two costs.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from heapq import nlargest, nsmallest
from typing import Self

TB = 10**12
SAMPLED = 4096
"""Size of the random sample of a listing."""
SMALL_FILES = 128
LARGE_BYTES = 2 * 10**9
"""The large sample ends with the file that exceeds this."""


@dataclass
class Listing:
    """Number and size of the files of a tree, with a random sample of them. Memory does not grow with the tree.

    The sample is uniform: Algorithm R of Vitter, "Random sampling with a reservoir" (1985).
    """

    files: int = 0
    size: int = 0
    sample: list[tuple[int, str]] = field(default_factory=list)

    @classmethod
    def of(cls, listed: Iterable[tuple[int, str]], seed: int = 0) -> Self:
        """Read sizes in bytes and paths."""
        listing, chance = cls(), random.Random(seed)  # noqa: S311  # no secret depends on it
        for one in listed:
            listing.files += 1
            listing.size += one[0]
            if len(listing.sample) < SAMPLED:
                listing.sample.append(one)
            elif (position := chance.randrange(listing.files)) < SAMPLED:
                listing.sample[position] = one
        return listing

    def small(self) -> list[tuple[int, str]]:
        """Return the smallest files of the sample."""
        return nsmallest(SMALL_FILES, self.sample)

    def large(self) -> list[tuple[int, str]]:
        """Return the largest files of the sample, until their size is enough for a measurement."""
        sample, size = [], 0
        for one in nlargest(len(self.sample), self.sample):
            if size > LARGE_BYTES:
                break
            sample.append(one)
            size += one[0]
        return sample


@dataclass(frozen=True)
class Measurement:
    """The files and bytes of a sample, and the seconds of its transfer."""

    files: int
    size: int
    seconds: float


@dataclass(frozen=True)
class Cost:
    """The cost of a transfer: seconds for each file and for each byte."""

    per_file: float
    per_byte: float

    @classmethod
    def of(cls, small: Measurement, large: Measurement) -> Self:
        """Solve the two equations `seconds = files * per_file + size * per_byte`.

        If both samples are alike, or noise makes a cost negative, only bytes count.
        """
        determinant = small.files * large.size - large.files * small.size
        if determinant:
            per_file = (small.seconds * large.size - large.seconds * small.size) / determinant
            per_byte = (small.files * large.seconds - large.files * small.seconds) / determinant
            if per_file >= 0 and per_byte > 0:
                return cls(per_file, per_byte)
        return cls(0.0, (small.seconds + large.seconds) / (small.size + large.size))

    def seconds(self, files: float, size: float) -> float:
        """Return the time for a tree."""
        return files * self.per_file + size * self.per_byte


def shipping_is_faster_from(seconds_per_byte: float, days: float, disk_bytes_per_second: float) -> float | None:
    """Return the size in bytes from which disks are faster, if shipping takes `days`; None if they never are.

    Disks are written at the source and read at the destination.
    """
    saved = seconds_per_byte - 2 / disk_bytes_per_second
    return days * 86_400 / saved if saved > 0 else None
