"""The form by which a person logs in at Sense: what the page answers to it."""

import threading
from collections.abc import Callable, Iterator

import pytest

from sense_mqtt.errors import LoginRefused
from tests.support.web.page_harness import ServedPage, WatchedHouse

GIVEN = {"account": "", "email": "me@example.com", "password": "secret"}


class FakeSense:
    """Takes one password, and a code where it is asked to want one."""

    def __init__(self) -> None:
        self.wants_code = False
        self.fails: Exception | None = None
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.logins: list[tuple[str, str, str]] = []

    def log_in(self, email: str, password: str, ask: Callable[[str], str]) -> None:
        self.may_answer.wait(20)
        if self.fails is not None:
            raise self.fails
        code = ask("Code of the authenticator app: ") if self.wants_code else ""
        if self.wants_code and code != "123456":
            raise LoginRefused("Sense refused the code")
        self.logins.append((email, password, code))


@pytest.fixture
def sense() -> FakeSense:
    return FakeSense()


@pytest.fixture
def page(house: WatchedHouse, sense: FakeSense) -> Iterator[ServedPage]:
    house.health["auth"] = "auth_required"
    with ServedPage(house, logins={"": sense.log_in}) as served:
        yield served


def test_email_and_password_log_in(page: ServedPage, sense: FakeSense):
    answer = page.post("/api/login", GIVEN)
    assert (answer.status, answer.json["needs"]) == (200, None)
    assert sense.logins == [("me@example.com", "secret", "")]


def test_a_code_is_asked_for_and_the_same_login_goes_on_with_it(page: ServedPage, sense: FakeSense):
    sense.wants_code = True
    assert page.post("/api/login", GIVEN).json["needs"] == "code"
    assert page.post("/api/login/code", {"code": "123456"}).json["needs"] is None
    assert sense.logins == [("me@example.com", "secret", "123456")]


def test_a_wrong_code_is_said_and_no_other_one_is_taken_without_the_password(page: ServedPage, sense: FakeSense):
    sense.wants_code = True
    page.post("/api/login", GIVEN)
    wrong = page.post("/api/login/code", {"code": "000000"})
    again = page.post("/api/login/code", {"code": "123456"})
    assert (wrong.status, wrong.text) == (409, "Sense refused the code")
    assert again.text == "no code is waited for any more: log in again"
    assert sense.logins == []


def test_a_login_that_waits_for_its_code_is_given_up_for_a_new_one(page: ServedPage, sense: FakeSense):
    sense.wants_code = True
    page.post("/api/login", GIVEN)
    assert page.post("/api/login", {**GIVEN, "password": "other"}).json["needs"] == "code"
    page.post("/api/login/code", {"code": "123456"})
    assert [password for _, password, _ in sense.logins] == ["other"]


def test_a_second_login_waits_until_sense_has_answered_the_first(page: ServedPage, sense: FakeSense):
    sense.may_answer.clear()
    first = threading.Thread(target=page.post, args=("/api/login", GIVEN))
    first.start()
    wait_for_login()
    text = page.post("/api/login", GIVEN).text
    sense.may_answer.set()
    first.join()
    assert text == "a login is under way; wait until it is over"


def wait_for_login() -> None:
    """Wait until a login is under way."""
    while not any(thread.name == "web-login" for thread in threading.enumerate()):
        threading.Event().wait(0.01)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        pytest.param(
            LoginRefused("Sense refused e-mail or password"), "Sense refused e-mail or password", id="refused"
        ),
        pytest.param(ZeroDivisionError("secret"), "the login failed; the log says why", id="a fault of ours"),
    ],
)
def test_what_went_wrong_is_said(page: ServedPage, sense: FakeSense, error: Exception, said: str):
    sense.fails = error
    answer = page.post("/api/login", GIVEN)
    assert (answer.status, answer.text) == (409, said)
    sense.fails = None
    assert page.post("/api/login", GIVEN).status == 200


@pytest.mark.parametrize(
    "given", [{}, {**GIVEN, "email": ""}, {**GIVEN, "password": ""}, {**GIVEN, "account": "zzz"}, {**GIVEN, "email": 7}]
)
def test_what_is_incomplete_costs_no_login(page: ServedPage, sense: FakeSense, given: object):
    assert page.post("/api/login", given).status == 409
    assert sense.logins == []


def test_many_logins_in_a_row_are_slowed_down_so_that_sense_locks_nothing(page: ServedPage):
    answers = [page.post("/api/login", GIVEN) for _ in range(8)]
    assert [answer.status for answer in answers] == [200] * 5 + [409] * 3
    assert "wait" in answers[-1].text


def test_where_no_login_is_needed_none_is_made(house: WatchedHouse, sense: FakeSense):
    with ServedPage(house, logins={"": sense.log_in}) as served:
        assert served.post("/api/login", GIVEN).status == 409
    assert sense.logins == []
