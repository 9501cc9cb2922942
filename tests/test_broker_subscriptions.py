"""Which topics are subscribed to after a message that is too large to be read."""

from sense_mqtt.broker_subscriptions import LEFT_OUT_MOST_S, LEFT_OUT_S, Subscriptions

REQUESTS, BIRTH = "sense/bridge/request/#", "homeassistant/status"


class Time:
    now = 0.0

    def __call__(self):
        return self.now


def test_at_first_requests_are_left_out_then_all():
    subscriptions = Subscriptions((REQUESTS, BIRTH), Time())
    assert subscriptions.present() == (REQUESTS, BIRTH)
    assert subscriptions.leave_out() == ((REQUESTS,), LEFT_OUT_S)
    assert subscriptions.present() == (BIRTH,)
    assert subscriptions.leave_out() == ((REQUESTS, BIRTH), 2 * LEFT_OUT_S)
    assert subscriptions.present() == ()


def test_without_requests_all_are_left_out_at_once():
    assert Subscriptions((BIRTH,), Time()).leave_out()[0] == (BIRTH,)


def test_what_was_left_out_is_due_again_once():
    time = Time()
    subscriptions = Subscriptions((REQUESTS, BIRTH), time)
    assert subscriptions.due_again() == ()
    subscriptions.leave_out()
    time.now = LEFT_OUT_S - 1
    assert subscriptions.due_again() == ()
    time.now = LEFT_OUT_S
    assert (subscriptions.due_again(), subscriptions.due_again()) == ((REQUESTS,), ())


def test_a_connection_after_that_time_subscribes_to_all_at_once():
    time = Time()
    subscriptions = Subscriptions((REQUESTS, BIRTH), time)
    subscriptions.leave_out()
    time.now = LEFT_OUT_S
    assert subscriptions.present() == (REQUESTS, BIRTH)
    assert subscriptions.due_again() == ()


def test_a_message_that_stays_there_is_met_more_and_more_seldom():
    time = Time()
    subscriptions = Subscriptions((REQUESTS, BIRTH), time)
    for _ in range(10):
        left_out, lasts_s = subscriptions.leave_out()
        assert left_out == (REQUESTS,)
        time.now += lasts_s
        assert subscriptions.due_again() == (REQUESTS,)
    assert lasts_s == LEFT_OUT_MOST_S
