"""How long a transfer takes, from two measured samples; and from which size on shipping disks is faster.

A transfer costs time for each file (requests, directories) and for each byte. Small and large files are measured apart,
since one sample alone cannot tell the two costs apart.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from heapq import nlargest, nsmallest
from typing import Self

TB = 10**12
SAMPLED = 4096
"""Files that are kept of a listing, however long it is."""
SMALL_FILES = 128
LARGE_BYTES = 2 * 10**9
"""The large sample ends with the file that exceeds this."""


@dataclass
class Listing:
    """How many files a tree has and how large it is, with a random choice of them. Memory does not grow with it.

    The choice is uniform: Algorithm R of Vitter, "Random sampling with a reservoir" (1985).
    """

    files: int = 0
    size: int = 0
    chosen: list[tuple[int, str]] = field(default_factory=list)

    @classmethod
    def of(cls, listed: Iterable[tuple[int, str]], seed: int = 0) -> Self:
        """Read sizes in bytes and paths."""
        sample, chance = cls(), random.Random(seed)  # noqa: S311  # no secret depends on it
        for one in listed:
            sample.files += 1
            sample.size += one[0]
            if len(sample.chosen) < SAMPLED:
                sample.chosen.append(one)
            elif (position := chance.randrange(sample.files)) < SAMPLED:
                sample.chosen[position] = one
        return sample

    def small(self) -> list[tuple[int, str]]:
        """Return the smallest files of the choice."""
        return nsmallest(SMALL_FILES, self.chosen)

    def large(self) -> list[tuple[int, str]]:
        """Return the largest files of the choice, as many as make a measurement."""
        chosen, size = [], 0
        for one in nlargest(len(self.chosen), self.chosen):
            if size > LARGE_BYTES:
                break
            chosen.append(one)
            size += one[0]
        return chosen


@dataclass(frozen=True)
class Measured:
    """What a sample was, and the seconds that its transfer took."""

    files: int
    size: int
    seconds: float


@dataclass(frozen=True)
class Cost:
    """What a transfer costs: seconds for each file and for each byte."""

    per_file: float
    per_byte: float

    @classmethod
    def of(cls, small: Measured, large: Measured) -> Self:
        """Solve the two equations `seconds = files * per_file + size * per_byte`.

        Where both samples are alike, or noise makes a cost negative, bytes alone explain the times.
        """
        determinant = small.files * large.size - large.files * small.size
        if determinant:
            per_file = (small.seconds * large.size - large.seconds * small.size) / determinant
            per_byte = (small.files * large.seconds - large.files * small.seconds) / determinant
            if per_file >= 0 and per_byte > 0:
                return cls(per_file, per_byte)
        return cls(0.0, (small.seconds + large.seconds) / (small.size + large.size))

    def seconds(self, files: float, size: float) -> float:
        """Return how long a tree takes."""
        return files * self.per_file + size * self.per_byte


def shipping_is_faster_from(seconds_per_byte: float, days: float, disk_bytes_per_second: float) -> float | None:
    """Return from how many bytes on disks are faster, in `days` on the road; None where they never are.

    Disks are written at one end and read at the other.
    """
    saved = seconds_per_byte - 2 / disk_bytes_per_second
    return days * 86_400 / saved if saved > 0 else None
