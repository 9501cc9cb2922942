"""When the bridge itself is online or offline, among all else that goes out."""

from sense_mqtt.core.publishing.message import PublishOrder
from sense_mqtt.core.publishing.outbox import Outbox
from tests.support.core.outbox import event, take, value


def test_the_bridge_is_online_after_what_was_retained_by_then_whatever_comes_later():
    outbox = Outbox()
    outbox.connected(receive_maximum=1)
    outbox.enqueue_retained(value("v1", "v1"))
    outbox.enqueue_retained(value("state", "online", PublishOrder.BRIDGE_STATE))
    heard = []
    for number in range(3):  # values and events that never pause
        outbox.enqueue_retained(value("v2", f"later {number}"))
        outbox.enqueue_event(event(number))
        heard += take(outbox)
        outbox.acknowledged(take.mid - 1)
    assert heard == ["v1", "online", "event 0"]


def test_the_bridge_is_offline_after_the_events_that_wait(outbox):
    outbox.enqueue_retained(value("state", "offline", PublishOrder.BRIDGE_STATE))
    outbox.enqueue_event(event(1))
    assert take(outbox) == ["event 1", "offline"]
