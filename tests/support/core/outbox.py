"""Messages as short as a test of the outbox wants them, and a broker that takes what goes out."""

from sense_mqtt.core.publishing.message import Message, PublishOrder


def value(topic, payload="1", order=PublishOrder.VALUE):
    return Message(topic, payload, retain=True, order=order)


def event(number):
    return Message("e", f"event {number}", event=number, event_id=f"event {number}")


def answer(text):
    return Message("r", text)


def take(outbox, most=1000):
    """Let out what may go, numbered from 1 in each call's order; return the payloads."""
    payloads = []
    while len(payloads) < most and (message := outbox.next()) is not None:
        outbox.sent(take.mid, message, now=float(take.mid))
        take.mid += 1
        payloads.append(message.payload)
    return payloads
