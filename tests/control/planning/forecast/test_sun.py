from datetime import UTC, datetime

import numpy as np

from igoudar.control.planning.forecast.sun import clear_sky_wm2, typical

DAKHLA = (23.7, -15.9, 10.0)


def test_the_clear_sky_peaks_after_noon_at_dakhla_and_is_dark_at_night() -> None:
    sky = clear_sky_wm2(*DAKHLA, datetime(2026, 6, 21, tzinfo=UTC), 24)
    assert 12 <= int(sky.argmax()) <= 13  # solar noon is near 13:05 UTC
    assert 950.0 < sky.max() < 1100.0
    assert (sky[:6] == 0.0).all()
    assert (sky[21:] == 0.0).all()


def test_a_year_without_clouds_is_as_site_md_says() -> None:
    sky = clear_sky_wm2(*DAKHLA, datetime(2023, 1, 1, tzinfo=UTC), 8760)
    assert abs(sky.sum() / 1e3 - 2342.0) < 25.0  # GHI, kWh/m2


def test_scaling_to_the_mean_sky_and_back_changes_nothing_by_day() -> None:
    summer = clear_sky_wm2(*DAKHLA, datetime(2026, 6, 1, tzinfo=UTC), 24)
    winter = clear_sky_wm2(*DAKHLA, datetime(2026, 12, 1, tzinfo=UTC), 24)
    sun, hours = typical([summer, winter], [0, 0]), np.arange(24)
    output = 0.7 * winter
    even = sun.even(output, winter, hours)
    day = winter > 100.0
    np.testing.assert_allclose(sun.own(even, winter, hours)[day], output[day])
    np.testing.assert_allclose((even / np.maximum(1.0, sun.typical))[day], 0.7)
