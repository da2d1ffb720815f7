"""How many bytes, for people."""

import pytest

from hatcher.sizes import human_size


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.00 kB"),
        (9_994, "9.99 kB"),
        (9_995, "10.0 kB"),
        (99_949, "99.9 kB"),
        (99_951, "100 kB"),
        (999_499, "999 kB"),
        (999_500, "1.00 MB"),
        (5_403_211, "5.40 MB"),
        (2**31, "2.15 GB"),
        (10**12, "1.00 TB"),
        (10**18, "1000 PB"),
        (10**400, "1000000000 PB"),
    ],
)
def test_three_digits_count(size, said):
    assert human_size(size) == said
