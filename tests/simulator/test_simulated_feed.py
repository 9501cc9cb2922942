"""The simulated feed over real sockets: its messages, its limits, and the paces of the house behind it."""

import pytest
import requests
import websocket

from sense_mqtt.simulator.house.builtin import BEGINS, BuiltInHouse, RandomHouse
from sense_mqtt.simulator.server.cloud import SimulatedCloud
from tests.support.simulator.simulated_client import Client, ReceivedMessages, read, read_frames

MONITOR = "app/monitors/900101/"
OPENING = ["hello", "monitor_info", "data_change", "device_states", "realtime_update"]


def opened(client, **how):
    """Return a socket that has read the opening messages and the first frame."""
    socket = client.listen(**how)
    assert [read(socket)[0] for _ in OPENING] == OPENING
    return socket


@pytest.mark.parametrize("binary", [False, True], ids=["json", "msgpack"])
def test_a_socket_opens_with_four_messages_and_a_frame(client, binary):
    socket = client.listen(binary=binary)
    raw = socket.recv()
    assert isinstance(raw, bytes) == binary
    assert [read(socket)[0] for _ in OPENING[1:]] == OPENING[1:]


def test_the_token_may_travel_in_the_query(client):
    url = f"{client.cloud.feed_url}/monitors/900101/realtimefeed?access_token={client.token}"
    socket = websocket.create_connection(url, timeout=9)
    assert read(socket) == ("hello", {"online": True, "connection_state": "ONLINE"})


def test_by_hand_a_frame_comes_every_half_second_of_the_house(cloud, client):
    socket = opened(client)
    cloud.records.wait(lambda counts: counts.sockets_open == 1)
    heard = ReceivedMessages(socket)
    cloud.advance(10)
    cloud.drop_sockets()
    epochs = [frame["epoch"] for frame in heard.frames()]
    assert epochs == [BEGINS + number // 2 for number in range(1, 21)]


def test_frames_and_pushes_agree_with_what_truly_happened(cloud, client):
    heard = ReceivedMessages(opened(client, binary=True))
    cloud.advance(300)
    cloud.drop_sockets()
    expected = [(item.device, item.kind, item.at) for item in cloud.house.transitions(BEGINS, BEGINS + 300)]
    on, found = set(), []
    for frame in heard.frames():
        listed = {row["id"] for row in frame["devices"]} - {"always_on", "unknown"}
        found += [(device, "turned_on") for device in sorted(listed - on)]
        found += [(device, "turned_off") for device in sorted(on - listed)]
        on = listed
    assert sorted(found) == sorted(item[:2] for item in expected)
    pushed = [
        item["device_id"] for kind, news in heard.all() if kind != "realtime_update" for item in news["items_added"]
    ]
    assert pushed == [item[0] for item in expected if item[2] <= BEGINS + 298]


def test_in_free_pace_the_house_stands_while_nobody_listens():
    with SimulatedCloud(RandomHouse(5, 1), clock_mode="free", until=BEGINS + 50) as cloud:
        client = Client(cloud)
        client.log_in()
        assert [client.get(MONITOR + "status").status_code for _ in range(3)] == [200, 200, 200]
        assert cloud.now == BEGINS
        heard = ReceivedMessages(client.listen())
        assert cloud.monitor.wait_until(BEGINS + 50, timeout_s=20)
        assert cloud.run_until(BEGINS + 100)
        cloud.outage(30)
        assert cloud.now == BEGINS + 130
        assert [frame["epoch"] for frame in heard.frames()][-1] == BEGINS + 100
        again = opened(client)
        assert again.connected


def test_in_real_pace_the_house_goes_on_by_itself():
    with SimulatedCloud(RandomHouse(5, 1), speed=2000.0) as cloud:
        assert cloud.monitor.wait_until(BEGINS + 100, timeout_s=20)


def test_in_real_pace_a_socket_that_does_not_read_misses_frames_and_holds_nobody_up():
    with SimulatedCloud(BuiltInHouse(1), speed=100_000.0) as cloud:
        client = Client(cloud)
        client.log_in()
        deaf = client.listen()
        assert cloud.records.wait(lambda counts: counts.frames_dropped > 100, timeout_s=60)
        at = cloud.now
        assert cloud.monitor.wait_until(at + 600, timeout_s=20)
        assert deaf.connected


def test_a_poller_may_move_the_house_on():
    with SimulatedCloud(RandomHouse(5, 1), clock_mode="manual", poll_step_s=60) as cloud:
        client = Client(cloud)
        client.log_in()
        frames = [client.get("app/900101/realtime_update").json()["frame"] for _ in range(3)]
        assert frames[2] - frames[1] == frames[1] - frames[0] == 3600


def test_a_second_house_is_a_second_monitor():
    with SimulatedCloud(BuiltInHouse(1), RandomHouse(3, 1), clock_mode="manual") as cloud:
        client = Client(cloud)
        monitors = client.log_in()["monitors"]
        assert [(monitor["id"], monitor["solar_configured"]) for monitor in monitors] == [
            (900_101, True),
            (900_102, False),
        ]
        socket = client.listen(monitor=900_102)
        assert read_frames(socket, 1)[0]["frame"] == 5_550_000
        socket.close()
        cloud.advance(30)
        ids = {item["monitor_id"] for item in client.get("users/900201/timeline", n_items=500).json()["items"]}
        assert 900_101 in ids


def test_a_third_socket_is_refused_and_counted(cloud, client):
    first, second = opened(client), opened(client)
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        client.listen()
    assert refused.value.status_code == 429
    counts = cloud.records.counts
    assert (counts.sockets_open, counts.sockets_most, counts.sockets_refused) == (2, 2, 1)
    first.close()
    assert cloud.records.wait(lambda counts: counts.sockets_open == 1)
    assert opened(client).connected
    assert second.connected


def test_or_the_oldest_socket_has_to_go(cloud, client):
    cloud.faults.over_limit = "close_oldest"
    first = ReceivedMessages(opened(client))
    sockets = [opened(client), opened(client)]
    first.all()
    assert cloud.records.wait(lambda counts: counts.sockets_open == 2)
    assert all(socket.connected for socket in sockets)


def test_a_socket_lives_for_its_time():
    with SimulatedCloud(RandomHouse(5, 1), clock_mode="manual", socket_life_s=0.2) as cloud:
        client = Client(cloud)
        client.log_in()
        ReceivedMessages(client.listen()).all()


def test_the_cloud_stops_and_starts_on_the_same_port(cloud, client):
    url = cloud.api_url
    heard = ReceivedMessages(opened(client))
    cloud.stop()
    heard.all()
    with pytest.raises(requests.ConnectionError):
        client.get(MONITOR + "status")
    cloud.start()
    assert cloud.api_url == url
    assert client.get(MONITOR + "status").status_code == 200


def test_a_port_in_use_is_reported(cloud):
    port = int(cloud.feed_url.rpartition(":")[2])
    with pytest.raises(OSError, match="address already in use"):
        SimulatedCloud(RandomHouse(1, 1), port=port).start()


def test_a_cloud_that_does_not_run_says_so():
    with pytest.raises(RuntimeError, match="not running"):
        SimulatedCloud(RandomHouse(1, 1)).drop_sockets()
