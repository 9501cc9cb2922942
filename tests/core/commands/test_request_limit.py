"""How many requests are carried out, refused and only counted."""

from collections import Counter

from sense_mqtt.core.commands.request_limit import REQUESTS_PER_S, ROOM_FOR_LOOKUPS, ROOM_FOR_REQUESTS, RequestLimit


def test_in_each_second_so_many_are_carried_out_and_the_rest_is_refused():
    limit = RequestLimit()
    for second in range(3):
        treated = [limit.treat(second + number / 100, room=100) for number in range(60)]
        assert treated == ["carry_out"] * REQUESTS_PER_S + ["refuse"] * (60 - REQUESTS_PER_S)


def test_one_a_second_is_never_refused():
    limit = RequestLimit()
    assert {limit.treat(second * 1.0, room=100) for second in range(1000)} == {"carry_out"}


def test_refusals_leave_room_for_the_requests_of_the_next_second():
    limit = RequestLimit()
    for _ in range(REQUESTS_PER_S):
        limit.treat(0.0, room=100)
    assert limit.treat(0.5, room=ROOM_FOR_REQUESTS + 1) == "refuse"
    assert limit.treat(0.5, room=ROOM_FOR_REQUESTS) == "count"
    assert limit.treat(1.0, room=ROOM_FOR_REQUESTS) == "carry_out"


def test_without_room_for_its_answer_nothing_is_carried_out():
    limit = RequestLimit()
    assert limit.treat(0.0, room=ROOM_FOR_LOOKUPS + 1) == "carry_out"
    assert limit.treat(0.0, room=ROOM_FOR_LOOKUPS) == "count"


def test_a_flood_gets_as_many_answers_as_there_is_room_for():
    limit, room, treated = RequestLimit(), 100, Counter()
    for number in range(44_500):
        treatment = limit.treat(number / 8900, room)
        treated[treatment] += 1
        room -= treatment != "count"
    assert treated["carry_out"] + treated["refuse"] == 100 - ROOM_FOR_LOOKUPS
