"""Webhooks: every event is posted at least once, in order for each device, and nothing else waits for it."""

import logging

import pytest

from sense_mqtt.bridge.webhook import POSTS_MOST
from sense_mqtt.errors import JournalError
from sense_mqtt.store.posts import Post, StoredPosts
from sense_mqtt.webhooks.sender import PostResult
from tests.support.bridge.bridge_doubles import DELIVERED
from tests.support.bridge.bridge_harness import BridgeHarness, warnings
from tests.support.core.builders import DRYER, KETTLE, PLUG

URL = "http://hook.example/0123456789abcdef"
AWAY = PostResult("away", "answers HTTP 502")
REFUSED = PostResult("refused", "answers HTTP 500")
DRYER_ON, KETTLE_ON = ("Dryer", "turned_on"), ("Kettle", "turned_on")
DRYER_OFF, KETTLE_OFF = ("Dryer", "turned_off"), ("Kettle", "turned_off")


def bridge_with(tmp_path, *hooks) -> BridgeHarness:
    bridge = BridgeHarness(tmp_path, webhooks=[{"url": URL, **hook} for hook in hooks])
    bridge.session.responses["app/monitors/7/devices"] = [DRYER, KETTLE]
    bridge.begin()
    bridge.show(at=1)
    return bridge


@pytest.fixture
def bridge(tmp_path):
    return bridge_with(tmp_path, {})


def show(bridge: BridgeHarness, *devices) -> None:
    """Show these devices until what is gone is off."""
    for _ in range(3):
        bridge.show(*devices, at=bridge.clock.after_s + 1.5)


def posted(bridge: BridgeHarness, hook: int = 0) -> list[tuple[str, str]]:
    return [(body["name"], body["event_type"]) for body in bridge.senders[hook].bodies]


def health(bridge: BridgeHarness, hook: int = 0) -> list[int]:
    told = bridge.health["webhooks"][hook]
    return [told[key] for key in ("waiting", "delivered", "failed", "dropped")]


def answer(bridge: BridgeHarness, result: PostResult | None, hook: int = 0) -> None:
    """Let every post to a hook end like this from now on; None: not at all."""
    bridge.senders[hook].ends = lambda _body: result


def test_each_event_is_posted_at_once_as_it_is_on_mqtt(bridge):
    show(bridge, DRYER)
    show(bridge, KETTLE)
    assert posted(bridge) == [DRYER_ON, KETTLE_ON, DRYER_OFF]
    assert (
        bridge.senders[0].bodies
        == bridge.documents("device/1a2b3c4d/event")[:1]
        + bridge.documents("device/99aabbcc/event")
        + bridge.documents("device/1a2b3c4d/event")[1:]
    )
    assert health(bridge) == [0, 3, 0, 0]


def test_a_bridge_without_webhooks_says_nothing_of_them(tmp_path):
    bridge = bridge_with(tmp_path)
    show(bridge, DRYER)
    assert "webhooks" not in bridge.health


def test_events_of_the_house_are_posted_where_they_are_asked_for(tmp_path):
    bridge = bridge_with(tmp_path, {}, {"events": ["device_found"]}, {"format": "ifttt", "devices": ["99aabbcc"]})
    show(bridge, DRYER)
    bridge.session.responses["app/monitors/7/devices"] = [DRYER, KETTLE, PLUG]
    bridge.show(DRYER, KETTLE, PLUG, at=bridge.clock.after_s + 1)
    bridge.pass_time(10)
    assert posted(bridge, 0)[:2] == [DRYER_ON, KETTLE_ON]
    assert posted(bridge, 1) == [("TV", "device_found")]
    assert [(body["value1"], body["value2"]) for body in bridge.senders[2].bodies] == [KETTLE_ON]


def test_a_hook_that_does_not_answer_holds_up_neither_mqtt_nor_another_hook(tmp_path):
    bridge = bridge_with(tmp_path, {}, {"format": "ifttt"})
    answer(bridge, None)
    show(bridge, DRYER)
    show(bridge, KETTLE)
    assert len(posted(bridge)) == 1
    assert len(bridge.senders[1].bodies) == 3
    assert len(bridge.events()) == 3
    assert health(bridge) == [3, 0, 0, 0]


def test_a_hook_that_is_away_is_tried_again_and_gets_all_in_order(bridge):
    answer(bridge, AWAY)
    show(bridge, DRYER)
    show(bridge, KETTLE)
    bridge.pass_time(600, step_s=5)
    assert set(posted(bridge)) == {DRYER_ON}
    assert 5 < len(posted(bridge)) < 30
    answer(bridge, DELIVERED)
    bridge.pass_time(300, step_s=5)
    assert posted(bridge)[-3:] == [DRYER_ON, KETTLE_ON, DRYER_OFF]
    assert health(bridge)[:2] == [0, 3]


def test_what_a_hook_asks_to_wait_is_waited(bridge):
    answer(bridge, PostResult("away", "answers HTTP 429", 120.0))
    show(bridge, DRYER)
    bridge.pass_time(110, step_s=5)
    assert len(posted(bridge)) == 1
    bridge.pass_time(20, step_s=5)
    assert len(posted(bridge)) == 2


def test_an_event_that_is_refused_holds_up_its_own_device_only(bridge):
    bridge.senders[0].ends = lambda body: REFUSED if body["name"] == "Dryer" else DELIVERED
    show(bridge, DRYER)
    show(bridge, DRYER, KETTLE)
    show(bridge, KETTLE)
    show(bridge)
    assert [event for event in posted(bridge) if event[0] == "Kettle"] == [KETTLE_ON, KETTLE_OFF]
    assert DRYER_OFF not in posted(bridge)
    answer(bridge, DELIVERED)
    bridge.pass_time(300, step_s=5)
    assert posted(bridge)[-2:] == [DRYER_ON, DRYER_OFF]


def test_what_waited_goes_out_after_a_restart_and_says_that_it_is_late(bridge):
    answer(bridge, None)
    show(bridge, DRYER)
    assert bridge.senders[0].bodies[0]["late"] is False
    bridge.clock.after_s += 100
    bridge.restart()
    bridge.begin()
    assert posted(bridge) == [DRYER_ON]
    assert bridge.senders[0].bodies[0]["late"] is True
    assert health(bridge) == [0, 1, 0, 0]


def test_what_a_hook_did_not_take_for_a_day_is_dropped_and_that_is_told(bridge, caplog):
    answer(bridge, AWAY)
    show(bridge, DRYER)
    bridge.pass_time(86_000, step_s=400)
    show(bridge, KETTLE)
    waiting = health(bridge)[0]
    bridge.pass_time(1_000, step_s=100)
    assert [health(bridge)[place] for place in (0, 3)] == [waiting - 1, 1]
    assert [text for text in warnings(caplog) if "dropped" in text] == [
        "webhooks.0: 1 events are dropped, that it did not take for a day"
    ]


def test_what_it_refused_for_a_day_is_dropped(bridge):
    answer(bridge, REFUSED)
    show(bridge, DRYER)
    bridge.pass_time(87_000, step_s=400)
    assert health(bridge)[0] == 0
    assert health(bridge)[3] == 1


def test_a_hook_that_is_gone_is_told_once_and_not_asked_again(bridge, caplog):
    answer(bridge, PostResult("gone", "answers HTTP 410"))
    show(bridge, DRYER)
    show(bridge, KETTLE)
    bridge.pass_time(1_000, step_s=50)
    assert posted(bridge) == [DRYER_ON]
    assert health(bridge) == [0, 0, 0, 3]
    assert sum("webhooks.0: answers HTTP 410: it is gone for good" in text for text in warnings(caplog)) == 1


def test_an_outage_and_its_end_are_told_once_each_without_the_url(bridge, caplog):
    caplog.set_level(logging.INFO)
    answer(bridge, AWAY)
    show(bridge, DRYER)
    bridge.pass_time(600, step_s=5)
    answer(bridge, DELIVERED)
    bridge.pass_time(300, step_s=5)
    told = [record.getMessage() for record in caplog.records if record.getMessage().startswith("webhooks.0")]
    failed = health(bridge)[2]
    assert told == [
        "webhooks.0: answers HTTP 502; its events wait and are posted again for a day",
        f"webhooks.0: takes events again, after {failed} failed posts",
    ]
    assert "0123456789abcdef" not in caplog.text


def test_a_post_that_ends_while_the_bridge_stops_is_not_made_again(bridge):
    answer(bridge, None)
    show(bridge, DRYER)
    bridge.senders[0]._result = DELIVERED
    bridge.bridge.end()
    bridge.restart()
    bridge.pass_time(5)
    assert posted(bridge) == []


def test_what_waits_for_a_hook_that_is_no_longer_configured_is_dropped(bridge, tmp_path, caplog):
    answer(bridge, None)
    show(bridge, DRYER)
    bridge_with(tmp_path, {"format": "ifttt"})
    assert "webhooks: 1 events waited for one that is no longer configured; dropped" in caplog.text


def test_more_than_may_wait_drops_the_oldest(bridge):
    answer(bridge, None)
    show(bridge, DRYER)
    show(bridge, KETTLE)
    webhook = bridge.bridge.services.webhooks._each[0]
    webhook.added(POSTS_MOST - 1)  # as if so many more waited
    assert health(bridge) == [1, 0, 0, 2]


def test_a_delivery_that_cannot_be_noted_is_not_posted_again_at_once(bridge):
    bridge.journal.posts = UnforgettingPosts(bridge.journal)
    show(bridge, DRYER)
    bridge.pass_time(30)
    assert posted(bridge) == [DRYER_ON]
    bridge.journal.posts = StoredPosts(bridge.journal)
    bridge.pass_time(60)
    assert posted(bridge) == [DRYER_ON, DRYER_ON]
    assert health(bridge)[0] == 0


class UnforgettingPosts(StoredPosts):
    """Cannot note a delivery."""

    def forget(self, post: Post) -> int:
        raise JournalError(f"the disk is gone, {post.number}")
