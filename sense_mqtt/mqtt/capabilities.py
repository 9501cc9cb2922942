"""What a broker can do: whether it keeps retained messages, and which QoS it takes."""

from msgspec import Struct
from paho.mqtt.properties import Properties

_NO_RETAIN = 154  # MQTT 5 reason codes, of CONNACK and DISCONNECT
_NO_SUCH_QOS = 155


class Capabilities(Struct, frozen=True):
    """What may be asked of this broker, in PUBLISH and in the will of CONNECT."""

    retain: bool = True
    qos: int = 1


class BrokerCapabilities:
    """Owns what is asked of one broker: as its CONNACK says, and never what it once refused.

    Changed by the thread of the connection; `present` may be read by any.
    """

    def __init__(self) -> None:
        self._not_refused = Capabilities()
        self.present = Capabilities()  # of the present connection, or the attempt at one

    def read_connack(self, properties: Properties | None) -> None:
        """Take over what a CONNACK of MQTT 5 allows; what it does not mention is allowed."""
        retain = bool(getattr(properties, "RetainAvailable", True))
        qos = min(self._not_refused.qos, getattr(properties, "MaximumQoS", 1))
        self.present = Capabilities(retain and self._not_refused.retain, qos)

    def refused(self, code: int) -> bool:
        """Ask for less from now on if the reason code says so; True where that is less than before."""
        if code not in (_NO_RETAIN, _NO_SUCH_QOS):
            return False
        self._not_refused = Capabilities(
            self._not_refused.retain and code != _NO_RETAIN,
            0 if code == _NO_SUCH_QOS else self._not_refused.qos,
        )
        before, self.present = self.present, self._not_refused
        return before != self.present
