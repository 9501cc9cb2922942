"""What Sense's rows say of an hour of a device that has had several ids: added again, merged, split."""

from collections.abc import Mapping

import pytest

from sense_mqtt.core.home.identities import Identities
from sense_mqtt.core.meters.rows_of_device import meter_of, of_device
from tests.support.core.meter_figures import HOUR

START = 100 * HOUR  # of the hour
BEFORE, WITHIN, AFTER = START - HOUR, START + HOUR / 2, START + HOUR  # when the merge or split was noticed
ADDED_AGAIN = Identities().with_alias("again", "own")
MERGED = Identities().with_alias("parent", "own").with_children(["part"], "own")
INTO_KNOWN = Identities().with_children(["part"], "own")


@pytest.mark.parametrize("rows", [{"own": 0.4, "again": 0.0}, {"own": 0.1, "again": 0.3}, {"again": 0.4}])
def test_of_a_plug_that_was_added_again_the_rows_of_both_ids_count(rows: Mapping[str, float]):
    assert of_device("own", rows, START, ADDED_AGAIN, is_observed=True) == pytest.approx(0.4)


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param({"parent": 0.5}, id="the parts have no rows"),
        pytest.param({"parent": 0.5, "own": 0.0, "part": 0.0}, id="the parts have used nothing since"),
        pytest.param({"parent": 0.5, "own": 0.2, "part": 0.3}, id="the parts are told once more"),
        pytest.param({"own": 0.2, "part": 0.3}, id="only the parts are told"),
    ],
)
def test_after_a_merge_the_parent_counts_or_its_parts_together(rows: Mapping[str, float]):
    merged = MERGED.with_merged_at(["own"], BEFORE)
    assert of_device("own", rows, START, merged, is_observed=True) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param({"parent": 0.0, "own": 0.2, "part": 0.3}, 0.2, id="the hours stay with the parts"),
        pytest.param({"parent": 0.5}, None, id="they are moved to the parent: it stays as integrated"),
        pytest.param({"parent": 0.5, "own": 0.2, "part": 0.3}, 0.2, id="both"),
    ],
)
def test_before_a_merge_what_other_parts_used_is_not_counted(rows: Mapping[str, float], expected: float | None):
    merged = MERGED.with_merged_at(["own"], AFTER)
    assert of_device("own", rows, START, merged, is_observed=True) == expected


def test_before_a_merge_that_was_noticed_late_the_parent_counts_where_frames_were_missing():
    merged = MERGED.with_merged_at(["own"], AFTER)
    assert of_device("own", {"parent": 0.5, "own": 0.0}, START, merged, is_observed=False) == 0.5


@pytest.mark.parametrize(
    ("noticed", "kwh", "meter"),
    [
        pytest.param(AFTER, 0.3, "part", id="before the merge"),
        pytest.param(AFTER, 0.0, "own", id="before it, but Sense may have moved the hour"),
        pytest.param(WITHIN, 0.3, "part", id="in the hour of the merge"),
        pytest.param(BEFORE, 0.3, "own", id="after it"),
    ],
)
def test_an_hour_of_a_part_settles_its_own_meter_where_it_began_before_the_merge(noticed, kwh, meter):
    assert meter_of("part", kwh, START, MERGED.with_merged_at(["own"], noticed)) == meter


def test_an_hour_of_the_device_that_goes_on_settles_its_meter_whichever_id_the_row_has():
    merged = MERGED.with_merged_at(["own"], AFTER)
    assert [meter_of(sense_id, 0.3, START, merged) for sense_id in ("own", "parent")] == ["own", "own"]


def test_in_the_hour_of_a_merge_the_device_counts_before_it_and_the_parent_after_it():
    merged = MERGED.with_merged_at(["own"], WITHIN)
    rows = {"parent": 0.3, "own": 0.1, "part": 0.4}
    assert of_device("own", rows, START, merged, is_observed=True) == pytest.approx(0.4)


@pytest.mark.parametrize("noticed", [BEFORE, WITHIN, AFTER])
def test_a_known_device_into_which_others_are_merged_counts_as_itself(noticed: float):
    merged = INTO_KNOWN.with_merged_at(["own"], noticed)
    assert of_device("own", {"own": 0.4, "part": 0.1}, START, merged, is_observed=True) == 0.4


@pytest.mark.parametrize(("noticed", "expected"), [(BEFORE, 0.4), (WITHIN, None), (AFTER, None)])
def test_a_split_device_counts_from_the_next_hour_on(noticed: float, expected: float | None):
    split = Identities().with_merged_at(["own"], noticed)
    assert of_device("own", {"own": 0.4}, START, split, is_observed=True) == expected
