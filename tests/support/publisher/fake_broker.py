"""Stand-ins that remember: what tests give to code in place of the outside."""

from sense_mqtt.core.publishing.message import Message


class FakeBroker:
    """A broker connection that carries nothing and keeps everything; the test says what happens to it."""

    def __init__(self) -> None:
        self.connection_id = 0
        self.published: list[Message] = []
        self.opened = 0
        self.abandoned = 0
        self.closed = False
        self.hung_up = False
        self.carries = True  # False: there is no connection that would take a message

    def open(self) -> None:
        self.opened += 1
        self.connection_id += 1

    def publish(self, message: Message) -> int | None:
        if not self.carries:
            return None
        self.published.append(message)
        return len(self.published)

    def flush(self) -> None:
        pass

    def maintain(self) -> None:
        pass

    def discard(self) -> None:
        self.abandoned += 1

    def close(self) -> None:
        self.closed = True

    def close_without_disconnect(self) -> None:
        self.hung_up = True

    @property
    def payloads(self) -> list[str]:
        return [message.payload for message in self.published]
