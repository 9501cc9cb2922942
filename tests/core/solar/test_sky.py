"""`sky` and `expected_solar_power` on a made-up roof whose sky is known."""

import json
import math
from itertools import pairwise
from typing import Any

import pytest
from msgspec.structs import replace

from sense_mqtt.core.changes import StateChanged
from sense_mqtt.core.solar.sky import SKY
from sense_mqtt.core.solar_rules import Location, SolarRules
from sense_mqtt.core.stored_home import restore, snapshot
from tests.support.core.builders import HOME, frame, policy, readings, run
from tests.support.core.roof import NEVER_STALE, Share, Watched, pass_time, watch

GREENWICH = replace(NEVER_STALE, solar=SolarRules(Location(0.0, 0.0)))  # on the equator the day is from 6 to 18


def cloudy(share: float) -> Share:
    return lambda _hour: share


def weather(*shares: float) -> Share:
    """Return the shares of the hours from 6 to 18, each as long."""
    return lambda hour: shares[min(len(shares) - 1, int((hour - 6) / 12 * len(shares)))]


@pytest.fixture(scope="module")
def learned() -> Watched:
    """A roof that was seen for twelve clear days, told of from here on."""
    return told_from_here(watch(Watched(), 12))


def told_from_here(watched: Watched) -> Watched:
    return replace(watched, skies=(), expected=(), others=())


def at_hour(watched: Watched, hour: float, day: int = 12) -> str:
    """Return the sky that held at an hour of a day."""
    return [sky for hours, sky in watched.skies if hours <= day * 24 + hour][-1]


def test_sky_is_unknown_until_ten_days_with_sun_were_seen() -> None:
    told = watch(Watched(), 12)
    assert {sky for hours, sky in told.skies if hours < 240} == {"unknown", "night"}
    assert at_hour(told, 12, day=10) == "clear"
    assert at_hour(told, 3, day=1) == "unknown"
    assert at_hour(told, 3, day=5) == "night"


def test_days_without_sun_do_not_count() -> None:
    told = watch(watch(Watched(), 6), 5, cloudy(0.01))
    assert {sky for hours, sky in told.skies if hours > 240} <= {"unknown", "night"}


def test_location_learns_in_half_the_days_and_knows_the_night_at_once() -> None:
    told = watch(Watched(), 6, wanted=GREENWICH)
    assert told.skies[0] == (0.0, "night")
    assert at_hour(told, 12, day=4) == "unknown"
    assert at_hour(told, 12, day=5) == "clear"
    assert float(told.expected[-1][1]) == 0.0
    assert max(float(watts) for _, watts in told.expected if watts) == pytest.approx(4000, rel=0.05)


SHARES = [(1.1, "clear"), (0.85, "clear"), (0.7, "partly"), (0.45, "partly"), (0.25, "overcast"), (0.08, "overcast")]


@pytest.mark.parametrize(("share", "expected"), SHARES)
@pytest.mark.parametrize("step_s", [60.0, 900.0, 3600.0])
def test_sky_is_what_the_roof_gives_of_a_clear_day(
    learned: Watched, share: float, expected: str, step_s: float
) -> None:
    assert at_hour(watch(learned, 0.5, cloudy(share), step_s=step_s), 11) == expected


def test_expected_power_is_that_of_the_clear_days(learned: Watched) -> None:
    expected = dict(watch(learned, 1, cloudy(0.3)).expected)
    assert float(expected[12 * 24 + 12]) == pytest.approx(4000, abs=10)
    assert expected[12 * 24 + 18] == "0.0"


def test_expected_power_is_absent_until_learned() -> None:
    assert watch(Watched(), 3).expected == ()


def test_one_day_has_few_changes_and_each_lasts_five_minutes(learned: Watched) -> None:
    flickering = watch(learned, 1, lambda hour: 0.2 + 0.8 * (int(hour * 60) % 2), step_s=30.0)
    times = [hours for hours, _ in flickering.skies]
    assert all(after - before >= 1 / 12 for before, after in pairwise(times))
    assert len(times) <= 6


def test_share_at_the_edge_of_two_classes_does_not_flicker(learned: Watched) -> None:
    told = watch(learned, 1, lambda hour: 0.77 + 0.02 * (-1) ** int(hour * 2))
    assert [sky for hours, sky in told.skies if 9 <= hours - 288 < 16] == []


def test_clouds_that_come_and_go_are_followed_within_the_hour(learned: Watched) -> None:
    told = watch(learned, 1, weather(1.0, 0.2, 1.0), step_s=60.0)
    assert at_hour(told, 9.9) == "clear"
    assert at_hour(told, 11) == "overcast"
    assert at_hour(told, 15) == "clear"


def test_night_is_told_while_it_was_always_dark(learned: Watched) -> None:
    told = watch(learned, 1)
    assert [sky for _, sky in told.skies] == ["clear", "night"]
    assert told.skies[0][0] - 288 == pytest.approx(6.5, abs=0.5)
    assert told.skies[1][0] - 288 == pytest.approx(18, abs=0.5)


def test_dusk_goes_on_with_what_was_said_before(learned: Watched) -> None:
    told = watch(learned, 1, lambda hour: 0.9 if hour < 17 else 0.1)
    assert "overcast" not in [sky for _, sky in told.skies]


def test_side_without_direct_sun_is_judged_where_nothing_was_said_before() -> None:
    west = lambda hour: 0.1 if hour < 9 else 1.0  # noqa: E731 - the sun comes round at nine
    told = watch(told_from_here(watch(Watched(), 12, west)), 0.5, lambda hour: 0.3 * west(hour))
    assert at_hour(told, 8) == "overcast"


def test_snow_is_unknown_and_is_not_learned(learned: Watched) -> None:
    snowy = watch(learned, 4, cloudy(0.01))
    assert at_hour(snowy, 12) == "unknown"
    assert at_hour(watch(snowy, 1), 12, day=16) == "clear"


def test_shaded_morning_is_part_of_what_is_expected() -> None:
    shaded = lambda hour: 0.4 if hour < 10 else 1.0  # noqa: E731
    told = watch(told_from_here(watch(Watched(), 12, shaded)), 1, shaded)
    assert {sky for _, sky in told.skies} == {"clear", "night"}


def test_inverter_that_clips_still_shows_an_overcast_sky() -> None:
    def clipped(of: float) -> Share:
        return lambda hour: min(of, 0.5) if 8 < hour < 16 else of

    told = watch(told_from_here(watch(Watched(), 12, clipped(1.0))), 1, clipped(0.1))
    assert at_hour(told, 12) == "overcast"


def test_day_without_data_is_unknown_and_leaves_what_was_learned(learned: Watched) -> None:
    morning = watch(learned, 0.5)
    gone = pass_time(morning, 12)
    assert gone.skies[-1] == (morning.hours + 1.0, "unknown")
    assert at_hour(watch(pass_time(gone, 24), 1), 12, day=14) == "clear"


def test_tick_is_needed_only_where_time_alone_makes_the_sky_unknown(learned: Watched) -> None:
    now = learned.elapsed * 3600
    assert SKY.tick_after_s(SKY.state_of(learned.home), now) == pytest.approx(3601 - 900)
    assert SKY.tick_after_s(SKY.state_of(pass_time(learned, 2).home), now) == math.inf
    assert SKY.tick_after_s(SKY.initial, now) == math.inf


def test_gap_without_ticks_does_not_go_on_with_an_old_sky(learned: Watched) -> None:
    noon = watch(learned, 0.5)
    dusk = watch(replace(noon, hours=noon.hours + 5, elapsed=noon.elapsed + 5), 0.01, cloudy(0.2))
    assert (noon.sky, dusk.sky) == ("clear", "overcast")


def test_months_without_data_are_learned_anew(learned: Watched) -> None:
    told = watch(replace(learned, hours=learned.hours + 90 * 24), 1)
    assert {sky for _, sky in told.skies} <= {"unknown", "night"}
    assert told.sky == "unknown"


def test_roof_that_grew_is_unknown_and_learned_anew(learned: Watched) -> None:
    told = watch(learned, 13, cloudy(1.6))
    assert at_hour(told, 13) == "unknown"
    assert at_hour(told, 12, day=24) == "clear"
    assert told.expected[-1][1] == "0.0"
    assert max(float(watts) for hours, watts in told.expected if watts and hours > 24 * 24) == pytest.approx(
        6400, abs=20
    )


def test_clouds_edges_that_brighten_the_sun_are_no_growth(learned: Watched) -> None:
    told = watch(learned, 1, cloudy(1.25))
    assert {sky for _, sky in told.skies} == {"clear", "night"}


def test_clock_that_is_wrong_for_a_while_takes_nothing_of_what_was_learned(learned: Watched) -> None:
    wrong = watch(replace(learned, hours=learned.hours + 4000 * 24), 0.25)
    told = watch(replace(told_from_here(wrong), hours=learned.hours), 1)
    assert at_hour(told, 12) == "clear"


def test_sun_in_what_was_always_night_is_unknown(learned: Watched) -> None:
    told = watch(replace(learned, hours=learned.hours + 20), 0.1, roof=lambda _hour: 3000.0)
    assert told.sky == "unknown"


def restarted(watched: Watched) -> Watched:
    rows = {key: json.loads(json.dumps(row)) for key, row in snapshot(watched.home).items()}
    return replace(told_from_here(watched), home=restore(7, rows, policy()))


def test_restart_goes_on_with_all_that_was_learned(learned: Watched) -> None:
    noon = watch(learned, 0.5)
    after = restarted(noon)
    assert rows_of_sky(after) == rows_of_sky(noon)
    told = watch(after, 0.1)
    assert [sky for _, sky in told.skies] == ["clear"]
    assert float(told.expected[0][1]) == pytest.approx(4000, abs=10)


def test_event_before_the_first_frame_after_a_restart_stores_what_was_known(learned: Watched) -> None:
    assert rows_of_sky(restarted(restarted(learned))) == rows_of_sky(learned)


def test_what_is_stored_is_bounded_in_small_rows(learned: Watched) -> None:
    rows = rows_of_sky(watch(learned, 30))
    assert len(rows) == 23
    assert max(len(json.dumps(row)) for row in rows.values()) < 600


def rows_of_sky(watched: Watched) -> dict[str, Any]:
    return {key: row for (capability, key), row in snapshot(watched.home).items() if capability == "sky"}


def test_it_is_stored_once_an_hour_and_when_the_sky_changes(learned: Watched) -> None:
    told = watch(learned, 1, step_s=60.0)
    stored = [change for change in told.others if change == StateChanged("sky")]
    assert 24 <= len(stored) <= 24 + len(told.skies)


def test_home_without_solar_has_no_sky() -> None:
    _, changes = run(HOME, (0.0, frame()), (900.0, frame(at=900.0)))
    assert readings(changes, "sky") == readings(changes, "expected_solar_power") == []


BROKEN: list[Any] = [
    {},
    {"sky": "blue", "judged_at": "now", "most_w": None, "window": 3},
    {"window": [[1, 2], [1, 2.0, 0], [1.5, 2.0, 1], ["1", 2.0, 1]], "most_w": 1e99},
]


@pytest.mark.parametrize("stored", BROKEN)
def test_what_cannot_be_read_is_not_known(stored: Any) -> None:
    days = {"20700": {"watts": ["1"] * 96}, "20701": {"watts": [True] * 96}, "20702": {"watts": [1]}, "x": {}}
    rows = {**snapshot(HOME), ("sky", ""): stored, **{("sky", day): row for day, row in days.items()}}
    told = watch(Watched(restore(7, rows, policy())), 0.1)
    assert [sky for _, sky in told.skies] == ["unknown"]
    assert len(rows_of_sky(told)) == 2
