"""The thread of one webhook."""

import threading

from sense_mqtt.inbox import Inbox
from sense_mqtt.items import PostDone
from sense_mqtt.webhooks.sender import PostResult, WebhookSender

DONE = PostResult("delivered", "answers HTTP 200")


def test_posts_go_out_on_a_thread_one_by_one_and_each_result_is_taken_once():
    inbox, posted = Inbox(), []

    def post(body: str) -> PostResult:
        posted.append((body, threading.current_thread().name))
        return DONE

    sender = WebhookSender(3, post, inbox)
    for body in ("a", "b"):
        sender.submit(body)
        assert inbox.get(10) == PostDone(3)
        assert (sender.take(), sender.take()) == (DONE, None)
    assert posted == [("a", "webhook-3"), ("b", "webhook-3")]


def test_what_is_under_way_is_waited_for_only_so_long():
    go = threading.Event()

    def post(_body: str) -> PostResult:
        go.wait(10)
        return DONE

    sender = WebhookSender(0, post, Inbox())
    sender.submit("a")
    assert sender.take(0.01) is None
    go.set()
    assert sender.take(10) == DONE


def test_an_error_that_nobody_thought_of_ends_neither_the_thread_nor_the_bridge(caplog):
    inbox = Inbox()

    def post(_body: str) -> PostResult:
        raise ZeroDivisionError

    sender = WebhookSender(0, post, inbox)
    for _ in range(2):
        sender.submit("a")
        assert inbox.get(10) == PostDone(0)
        assert sender.take().outcome == "away"
    assert "a post to webhooks.0 failed unexpectedly" in caplog.text
