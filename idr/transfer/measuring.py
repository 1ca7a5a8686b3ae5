"""Measure a transfer with samples of the tree, which are removed from the destination afterwards."""

import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass

from idr.errors import IdrError
from idr.transfer import rclone
from idr.transfer.bar import Bar
from idr.transfer.estimate import TB, Cost, Listing, Measurement, shipping_is_faster_from

HOUR = 3600
FOLDER = "idr-transfer-estimate"
"""The folder of the samples below the destination."""


@dataclass(frozen=True)
class Duration:
    """The time for a tree of this size, if its files are as large as the measured tree's."""

    terabytes: float
    hours: float


@dataclass(frozen=True)
class Forecast:
    """The number of files, and times for this tree and others. Disks are faster from `shipping_from_terabytes` on."""

    files: int
    durations: tuple[Duration, ...]
    shipping_days: float
    shipping_from_terabytes: float | None


def forecast(
    source: str, destination: str, flags: tuple[str, ...], terabytes: Iterable[float], days: float, disk_speed: float
) -> Forecast:
    """Measure samples and estimate times. Shipping takes `days`; `disk_speed` is in bytes per second.

    Raises IdrError if there is nothing to measure, or a sample cannot be copied.
    """
    listing = Listing.of(rclone.list_files(source, *flags))
    if not listing.size:
        msg = f"{source} has no files with content: there is nothing to measure"
        raise IdrError(msg)
    small, large = (measure(source, destination, flags, sample) for sample in (listing.small(), listing.large()))
    per_byte = Cost.of(small, large).seconds(listing.files, listing.size) / listing.size
    from_bytes = shipping_is_faster_from(per_byte, days, disk_speed)
    return Forecast(
        files=listing.files,
        durations=tuple(Duration(size, per_byte * size * TB / HOUR) for size in (listing.size / TB, *terabytes)),
        shipping_days=days,
        shipping_from_terabytes=None if from_bytes is None else from_bytes / TB,
    )


def measure(source: str, destination: str, flags: tuple[str, ...], sample: list[tuple[int, str]]) -> Measurement:
    """Copy a sample, measure the time, and delete the copy. Raises IdrError if it cannot be copied."""
    folder = f"{destination.rstrip('/')}/{FOLDER}"
    # --ignore-times copies files again that a killed estimate left behind.
    how = ("--ignore-times", "--files-from-raw")
    with tempfile.NamedTemporaryFile(prefix="idr-") as names, Bar("measuring") as bar:
        names.writelines(os.fsencode(f"{path}\n") for _, path in sample)
        names.flush()
        try:
            result = rclone.run("copy", source, folder, *how, names.name, *flags, watch=bar.show)
        except KeyboardInterrupt:
            rclone.run("purge", folder)
            raise
    rclone.run("purge", folder)
    if result.status:
        msg = f"the sample cannot be copied to {folder}: {result.message}"
        raise IdrError(msg)
    return Measurement(result.progress.files_done, result.progress.bytes_done, result.progress.seconds)
