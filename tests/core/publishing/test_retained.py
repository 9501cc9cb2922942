"""What is retained, while no message of it has to go out."""

from sense_mqtt.core.publishing.message import Message, PublishOrder
from sense_mqtt.core.publishing.outbox import Outbox


def test_what_home_assistant_was_told_is_told_again_as_it_was_with_each_connection():
    config = Message("config", '{"name":"Wäsche"}' * 200, retain=True, order=PublishOrder.DISCOVERY)
    outbox = Outbox()
    outbox.enqueue_retained(config)
    for _ in range(3):
        outbox.connected()
        told = outbox.next()
        assert told == config
        outbox.sent(1, told, 0.0)
        outbox.acknowledged(1)
        assert outbox.value("config") == config.payload
        outbox.disconnected()
