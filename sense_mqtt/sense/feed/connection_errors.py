"""How a websocket ends, or does not begin, beside what `errors` has."""

import ssl

from sense_mqtt.errors import SenseUnavailable


class HandshakeRejected(SenseUnavailable):
    """Sense answers, but does not want this websocket; `retry_after_s` is 0 where it does not say until when."""

    def __init__(self, message: str, retry_after_s: float = 0.0, *, is_rate_limit: bool = False) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.is_rate_limit = is_rate_limit  # HTTP 429


class ConnectionClosed(SenseUnavailable):
    """The websocket is no more; `by_peer` where the other side ended it."""

    def __init__(self, message: str, *, by_peer: bool) -> None:
        super().__init__(message)
        self.by_peer = by_peer


class CertificateNotTrusted(SenseUnavailable):
    """The server's certificate is not trusted; `cause` holds why. Whose it is has to be asked for."""

    def __init__(self, cause: ssl.SSLCertVerificationError) -> None:
        super().__init__("the certificate is not trusted")
        self.cause = cause
