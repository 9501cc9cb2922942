"""Rows of devices, and which of them people know as devices."""

import pytest

from sense_mqtt.core.timestamps import read_timestamp
from sense_mqtt.core.wire.devices import (
    DeviceInfo,
    DevicePower,
    by_id,
    list_of,
    mapping,
    number,
    older_plugs_of_same_name,
    read_device_info,
    read_device_list,
    read_device_power,
    rows_of,
    text,
)

DESCRIBED = {
    "id": " 1a2b3c4d ",
    "name": "Fridge / Freezer ",
    "w": 120,
    "icon": "fridge",
    "make": "Kasa",
    "given_make": "LG",
    "model": "",
    "given_model": "X1",
    "location": "Kitchen",
    "tags": {"UserDeviceType": "Refrigerator", "Type": "Fridge", "DateCreated": "2026-01-01", "PeerNames": [{}]},
    "attrs": ["Idle"],
    "ao_w": 3.5,
}


@pytest.mark.parametrize("told", ["Other", "Unknown", None])
def test_what_belongs_to_no_device_has_one_name_in_frames_and_in_the_list(told):
    fields = {"id": "unknown", "name": told}
    assert read_device_info("unknown", fields).name == read_device_power("unknown", fields).name == "Other"


def test_a_row_is_read_without_its_tags():
    assert read_device_list([DESCRIBED]) == (
        DeviceInfo(
            id="1a2b3c4d",
            name="Fridge / Freezer",
            icon="fridge",
            make="LG",
            model="X1",
            location="Kitchen",
            type="Refrigerator",
            kind="detected",
            created="2026-01-01",
        ),
    )


def test_what_a_frame_says_of_a_device_is_read_without_what_it_is():
    assert read_device_power("1a2b3c4d", DESCRIBED) == DevicePower(
        id="1a2b3c4d", name="Fridge / Freezer", w=120.0, attrs=("Idle",), always_on_w=3.5
    )


TYPES = [
    ({"UserDeviceType": "A", "DefaultUserDeviceType": "B", "Type": "C"}, "A"),
    ({"DefaultUserDeviceType": "B", "Type": "C"}, "B"),
    ({"Type": "C"}, "C"),
    ({}, None),
    ("no mapping", None),
]


@pytest.mark.parametrize(("tags", "kind"), TYPES)
def test_the_type_is_what_the_user_said_else_what_sense_thinks(tags, kind):
    assert read_device_info("a", {"tags": tags}).type == kind


@pytest.mark.parametrize("fields", [{}, {"id": None}, {"id": 5}, {"id": "  "}, {"id": ["a"]}])
def test_a_row_without_an_id_is_passed_over(fields):
    assert by_id([fields]) == {}
    assert read_device_list([fields]) == ()


@pytest.mark.parametrize("wrong", [5, {}, ["x"], True])
@pytest.mark.parametrize("field", ["name", "icon", "make", "model", "location", "w", "ao_w", "attrs", "tags"])
def test_a_wrong_typed_field_of_a_row_is_absent(field, wrong):
    assert read_device_info("a", {field: wrong}) == DeviceInfo("a")
    if (field, wrong) not in (("w", 5), ("ao_w", 5), ("attrs", ["x"])):
        assert read_device_power("a", {field: wrong}) == DevicePower("a")


def test_each_id_counts_once_and_the_first_wins():
    first, second, again = {"id": " a ", "w": 1}, {"id": "b"}, {"id": "a", "w": 2}
    assert by_id([first, second, again]) == {"a": first, "b": second}


@pytest.mark.parametrize("wrong", [None, {}, "x", 3, [None, 1, "x", []]])
def test_what_is_no_list_of_mappings_holds_no_rows(wrong):
    assert read_device_list(wrong) == ()
    assert rows_of(wrong) == []


KINDS = [
    ({"id": "always_on"}, "virtual"),
    ({"id": "unknown", "sd": {}}, "virtual"),
    ({"id": "solar"}, "virtual"),
    ({"id": "X8FaKe12", "sd": {"w": 1}}, "plug"),
    ({"id": "X8FaKe12", "tags": {"SSIEnabled": "true"}}, "plug"),
    ({"id": "ssi-1f2e3d4c"}, "plug"),
    ({"id": "X8FaKe12", "tags": {"SSIEnabled": "false"}}, "detected"),
    ({"id": "1a2b3c4d"}, "detected"),
]


@pytest.mark.parametrize(("fields", "kind"), KINDS)
def test_kinds(fields, kind):
    assert read_device_info(fields["id"], fields).kind == kind


HIDDEN = [
    pytest.param({"id": "a", "tags": {"DeviceListAllowed": "false"}}, True, id="deleted or revoked"),
    pytest.param({"id": "a", "tags": {"DeviceListAllowed": False}}, True, id="a real boolean"),
    pytest.param({"id": "a", "tags": {"DeviceListAllowed": "true"}}, False, id="allowed"),
    pytest.param({"id": "a", "tags": {"DeviceListAllowed": "banana"}}, False, id="neither"),
    pytest.param({"id": "a", "tags": {"UserDeleted": "True"}}, True, id="deleted by the user"),
    pytest.param({"id": "a", "tags": {"UserDeleted": "false"}}, False, id="text that Python takes for true"),
    pytest.param({"id": "a", "tags": {"MergeId": "b"}}, True, id="merged into another"),
    pytest.param({"id": "a", "tags": {"MergeId": ""}}, False, id="an empty merge"),
    pytest.param({"id": "pd-abc"}, True, id="inventory"),
]


@pytest.mark.parametrize(("fields", "hidden"), HIDDEN)
def test_hidden_rows(fields, hidden):
    assert read_device_info(fields["id"], fields).hidden is hidden


def test_a_merged_row_names_its_parent():
    assert read_device_info("a", {"tags": {"MergeId": "b"}}).merged_into == "b"


def test_hidden_rows_are_not_visible_but_solar_is():
    rows = (DeviceInfo("a"), DeviceInfo("b", hidden=True), DeviceInfo("solar", kind="virtual", hidden=True))
    assert [row.id for row in rows if row.visible] == ["a", "solar"]


NAMESAKES = [
    pytest.param(["2024-01-01", "2023-01-01"], ["p1"], id="the newest first"),
    pytest.param(["2023-01-01", "2024-01-01"], ["p0"], id="the newest last"),
    pytest.param(["2023-01-01", "2022-01-01", "2024-01-01"], ["p0", "p1"], id="of three, two"),
    pytest.param(["2024-01-01", "2024-01-01"], [], id="none of the same age"),
    pytest.param([None, "2023-01-01"], [], id="none without a date"),
    pytest.param(["last year", "2023-01-01"], [], id="none with a date that cannot be read"),
]


@pytest.mark.parametrize(("created", "older"), NAMESAKES)
def test_plugs_that_have_a_newer_namesake(created, older):
    rows = [DeviceInfo(f"p{n}", "TV", kind="plug", created=date) for n, date in enumerate(created)]
    newest = max(read_timestamp(date) or 0.0 for date in created)
    assert older_plugs_of_same_name(rows) == dict.fromkeys(older, newest)


def test_detected_devices_nameless_plugs_and_hidden_ones_are_nobodys_namesakes():
    old, new = {"created": "2023-01-01"}, {"created": "2024-01-01"}
    detected = (DeviceInfo("a", "Heat", **old), DeviceInfo("b", "Heat", **new))
    nameless = (DeviceInfo("c", kind="plug", **old), DeviceInfo("d", kind="plug", **new))
    hidden = (DeviceInfo("e", "TV", kind="plug", **old), DeviceInfo("f", "TV", kind="plug", hidden=True, **new))
    assert older_plugs_of_same_name((*detected, *nameless, *hidden)) == {}


@pytest.mark.parametrize(
    ("value", "read"),
    [(1, 1.0), (-2.5, -2.5), (True, None), ("1", None), (float("nan"), None), (10**400, None), (1e15, None)],
)
def test_numbers(value, read):
    assert number(value) == read


@pytest.mark.parametrize(
    ("told", "read"),
    [
        (-0.1, 0.0),
        (-3.7, 0.0),
        (0, 0.0),
        (1e7, 1e7),
        (1e7 + 1, None),
        (-1e7 - 1, None),
        (4294967296, None),
        ("1", None),
    ],
)
def test_a_device_draws_what_a_house_can_carry_and_never_less_than_nothing(told, read):
    draw = read_device_power("a", {"w": told, "ao_w": told})
    assert (draw.w, draw.always_on_w) == (read, read)


@pytest.mark.parametrize(("value", "read"), [(" a ", "a"), ("", None), ("  ", None), (3, None), (b"a", None)])
def test_text(value, read):
    assert text(value) == read


def test_containers_of_the_wrong_type_are_empty():
    assert mapping([1]) == {}
    assert list_of((1, 2)) == []
