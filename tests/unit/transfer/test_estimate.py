"""How long a transfer takes, from measurements."""

import math
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idr.transfer import estimate
from idr.transfer.estimate import Cost, Listing, Measurement

costs = st.builds(Cost, st.floats(0.001, 1), st.floats(1e-10, 1e-6))


@given(costs)
def test_both_costs_are_found_from_two_samples(cost: Cost) -> None:
    small, large = (
        Measurement(files, size, cost.seconds(files, size)) for files, size in ((128, 128 * 2_000), (4, 2 * 10**9))
    )
    sample = Cost.of(small, large)
    assert math.isclose(sample.per_file, cost.per_file, rel_tol=1e-3)
    assert math.isclose(sample.per_byte, cost.per_byte, rel_tol=1e-3)


@pytest.mark.parametrize(
    ("small", "large"),
    [
        (Measurement(3, 300, 1.0), Measurement(3, 300, 2.0)),
        (Measurement(100, 1000, 0.0), Measurement(1, 1000, 5.0)),
        (Measurement(1, 10, 9.0), Measurement(100, 10, 0.1)),
    ],
)
def test_noise_makes_no_cost_negative(small: Measurement, large: Measurement) -> None:
    sample = Cost.of(small, large)
    assert sample.per_file == 0
    assert sample.seconds(0, small.size + large.size) == pytest.approx(small.seconds + large.seconds)


def test_disks_win_where_the_network_takes_longer_than_road_and_copies() -> None:
    network, disk = 1 / 10e6, 100e6
    size = estimate.shipping_is_faster_from(network, 7, disk)
    assert size is not None
    assert size * network == pytest.approx(7 * 86_400 + 2 * size / disk)
    assert estimate.shipping_is_faster_from(1 / 50e6, 7, disk) is None


def test_a_listing_of_any_length_takes_no_more_memory() -> None:
    def listed(files: int) -> int:
        tracemalloc.start()
        listing = Listing.of((number, f"folder/{number}") for number in range(files))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert (listing.files, listing.size, len(listing.sample)) == (files, files * (files - 1) // 2, estimate.SAMPLED)
        return peak

    assert listed(60_000) < 1.5 * listed(6_000)


def test_the_choice_is_from_the_whole_listing_and_has_small_and_large_files() -> None:
    listing = Listing.of((size, f"{size}") for size in range(100_000))
    assert 40_000 < sum(size for size, _ in listing.sample) / len(listing.sample) < 60_000
    assert max(listing.small())[0] < min(listing.large()[:100])[0]
    assert len(listing.small()) == estimate.SMALL_FILES


def test_the_large_sample_ends_when_it_is_large_enough() -> None:
    listing = Listing.of((10**9, f"{number}") for number in range(50))
    assert len(listing.large()) == 3
