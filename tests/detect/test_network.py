"""The one way out: only to where the settings point, verified, bounded in time and size."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest
from receivers import Receiver, Reply

from detect.sinks._network import MOST_ANSWER_BYTES, Answer, Forbidden, Network, Unreachable, is_public

LOOPBACK = Network.of(["127.0.0.1/32"], None, 5.0)
STRICT = Network.of([], None, 5.0)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "192.0.2.1", "198.18.0.1", "240.0.0.1", "::1", "::", "fe80::1", "fc00::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a00:1::",
    ],
)  # fmt: skip
def test_what_is_not_everybodys_is_refused_in_every_disguise(address: str) -> None:
    assert not is_public(ip_address(address))
    host = f"[{address}]" if ":" in address else address
    with pytest.raises((Forbidden, Unreachable)):
        STRICT.post(f"https://{host}/", b"", {})


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f::1", "64:ff9b::808:808"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f.0.0.1", "127.0.0.1.", "[::ffff:127.0.0.1]"])
def test_other_spellings_of_loopback_are_refused_and_nothing_is_sent(host: str) -> None:
    with Receiver() as receiver, pytest.raises((Forbidden, Unreachable)):
        STRICT.post(f"http://{host}:{receiver.port}/", b"x", {})
    assert receiver.got == []


def test_a_name_that_answers_differently_a_moment_later_gains_nothing(monkeypatch) -> None:
    answers = iter(["203.0.114.7", "127.0.0.1", "127.0.0.1"])
    asked: list[str] = []
    connected: list[tuple[str, int]] = []

    def resolve(host: str, port: int, *_: object, **__: object) -> list[tuple[object, ...]]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    def connect(address: tuple[str, int], *_: object, **__: object) -> socket.socket:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr("detect.sinks._network.getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(Unreachable):
        STRICT.post("https://rebinds.example/", b"", {})
    assert asked == ["rebinds.example"]
    assert connected == [("203.0.114.7", 443)], "the address that was judged, not the name"
    with pytest.raises(Forbidden, match="private"):
        STRICT.post("https://rebinds.example/", b"", {})


def test_one_private_address_among_public_ones_is_refused(monkeypatch) -> None:
    both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, 443)) for a in ("203.0.114.7", "10.0.0.1")]
    monkeypatch.setattr("detect.sinks._network.getaddrinfo", lambda *_, **__: both)
    with pytest.raises(Forbidden, match="private"):
        STRICT.post("https://mixed.example/", b"", {})


def test_plain_http_does_not_leave_for_the_internet() -> None:
    with pytest.raises(Forbidden, match="use https"):
        STRICT.post("http://93.184.215.14/", b"", {})


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example/",
        "file:///etc/passwd",
        "https://",
        "nothing",
        "gopher://a/",
        "https://[a",
        "https://a:99999/",
        "https://a:0/",
    ],
)
def test_only_http_and_https_are_addresses(url: str) -> None:
    with pytest.raises(Forbidden, match="not an http"):
        STRICT.post(url, b"", {})


def test_a_redirect_is_an_answer_and_not_followed() -> None:
    with Receiver() as other, Receiver(script=[Reply(307, {"location": other.url})]) as receiver:
        assert LOOPBACK.post(receiver.url, b"x", {}).status == 307
        assert other.got == []


def test_the_proxy_of_the_environment_is_not_asked(monkeypatch) -> None:
    with Receiver() as proxy, Receiver() as receiver:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert LOOPBACK.post(receiver.url, b"x", {}).status == 200
        assert proxy.got == []


@pytest.mark.parametrize(
    "reply", [Reply(hang_s=3.0), Reply(body=b"x" * 1000, trickle_s=0.05)], ids=["hangs", "trickles"]
)
def test_the_whole_exchange_has_one_deadline(reply: Reply) -> None:
    with Receiver(script=[reply]) as receiver, pytest.raises(Unreachable, match=r"no answer within 0\.3 s"):
        Network.of(["127.0.0.1/32"], None, 0.3).post(receiver.url, b"x", {})


def test_only_so_much_of_an_answer_is_read() -> None:
    with Receiver(script=[Reply(body=b"x" * 1_000_000)]) as receiver:
        assert len(LOOPBACK.post(receiver.url, b"x", {}).body) == MOST_ANSWER_BYTES


def test_an_endless_head_and_nonsense_are_unreachable_and_not_an_exception_of_another_kind() -> None:
    for garbage in (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200_000, b"\x00\x01nonsense\r\n\r\n", b""):
        with socket.create_server(("127.0.0.1", 0)) as server:
            thread = threading.Thread(target=_answer_once, args=(server, garbage))
            thread.start()
            with pytest.raises(Unreachable) as told:
                LOOPBACK.post(f"http://127.0.0.1:{server.getsockname()[1]}/secret-token", b"x", {})
            assert "secret-token" not in str(told.value)
            thread.join()


def _answer_once(server: socket.socket, answer: bytes) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(65_536)
        try:
            connection.sendall(answer)
        except OSError:
            return


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("120", 120.0), ("0", 0.0), ("", None), ("-5", None), ("soon", None), ("9" * 400, 7 * 86_400.0),
     ("Mon, 02 Mar 2026 12:10:00 GMT", 600.0), ("Mon, 02 Mar 2026 11:00:00 GMT", 0.0), ("٣", None)],
)  # fmt: skip
def test_retry_after_is_read_as_seconds_or_as_a_date(said: str, seconds: float | None) -> None:
    assert Answer(429, {"retry-after": said}, b"").retry_after_s(1_772_452_800.0) == seconds


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not here to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,DNS:only-the-proxy-knows.invalid"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    return folder / "cert.pem"


@pytest.fixture
def tls(certificate: Path) -> Iterator[Receiver]:
    with Receiver() as receiver:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, certificate.with_name("key.pem"))
        receiver._server.socket = context.wrap_socket(receiver._server.socket, server_side=True)
        yield receiver


def test_tls_is_verified_and_a_ca_of_ones_own_can_be_trusted(tls: Receiver, certificate: Path, tmp_path: Path) -> None:
    url = f"https://localhost:{tls.port}/"
    networks = ["127.0.0.1/32", "::1/128"]
    with pytest.raises(Unreachable, match="not trusted"):
        Network.of(networks, None, 5.0).post(url, b"x", {})
    trusting = Network.of(networks, str(certificate), 5.0)
    assert trusting.post(url, b"x", {}).status == 200
    with pytest.raises(Unreachable, match="not trusted"):
        trusting.post(f"https://127.0.0.1:{tls.port}/", b"x", {})
    with pytest.raises(Unreachable, match="CA file"):
        Network.of(networks, str(tmp_path / "none.pem"), 5.0).post(url, b"x", {})


def test_a_name_that_is_not_known_is_unreachable() -> None:
    with pytest.raises(Unreachable):
        STRICT.post("https://no-such-host.invalid/", b"", {})


class Tunnel:
    """A proxy that knows CONNECT: it asks for credentials and leads every name to one port on loopback."""

    def __init__(self, port: int) -> None:
        self.asked: list[str] = []
        self._to = port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            client, _ = self._server.accept()
            threading.Thread(target=self._lead, args=(client,), daemon=True).start()

    def _lead(self, client: socket.socket) -> None:
        head = client.recv(65_536).decode("latin-1")
        self.asked.append(head)
        if "proxy-authorization: basic dTpwQHNz" not in head.replace("Basic", "basic").replace("Proxy-A", "proxy-a"):
            client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
            client.close()
            return
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        target = socket.create_connection(("127.0.0.1", self._to))
        threading.Thread(target=_pump, args=(client, target), daemon=True).start()
        _pump(target, client)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65_536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        return


def test_what_is_far_goes_through_the_proxy_and_is_still_verified(tls: Receiver, certificate: Path) -> None:
    tunnel = Tunnel(tls.port)
    through = Network.of(["127.0.0.1/32"], str(certificate), 5.0, f"http://u:p%40ss@127.0.0.1:{tunnel.port}")
    assert through.post("https://only-the-proxy-knows.invalid/", b"x", {}).status == 200
    assert tunnel.asked[0].startswith("CONNECT only-the-proxy-knows.invalid:443 ")
    with pytest.raises(Unreachable, match="not trusted"):
        through.post("https://another-name.invalid/", b"x", {})
    with Receiver() as near:
        assert through.post(near.url, b"x", {}).status == 200
    with pytest.raises(Forbidden, match="private"):
        through.post("https://169.254.169.254/", b"x", {})
    assert len(tunnel.asked) == 2
    wrong = Network.of(["127.0.0.1/32"], str(certificate), 5.0, f"http://u:hunter2@127.0.0.1:{tunnel.port}")
    with pytest.raises(Unreachable) as told:
        wrong.post("https://only-the-proxy-knows.invalid/", b"x", {})
    assert "hunter2" not in str(told.value) + repr(wrong)
    with pytest.raises(Forbidden, match="private"):
        Network.of([], None, 5.0, f"http://127.0.0.1:{tunnel.port}").post("https://far.invalid/", b"x", {})
