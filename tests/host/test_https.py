"""The second, https address of the host, which services that insist on https can call."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from dev.host import DevelopmentHost, HostStartError
from dev.simulators.certificates import Certificates, make_certificates
from tests.host.test_process import GOOD, write_app

pytestmark = pytest.mark.integration

WHERE = """
@app.route("where")
def where(req: func.HttpRequest) -> str:
    return req.url
"""


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return make_certificates(tmp_path)


@pytest.fixture
def host(tmp_path: Path, certificates: Certificates) -> Iterator[DevelopmentHost]:
    app = tmp_path / "app"
    app.mkdir()
    with DevelopmentHost(write_app(app, GOOD + WHERE), certificate=certificates.server_file) as running:
        yield running


@pytest.fixture
def session(certificates: Certificates) -> Iterator[requests.Session]:
    """A client that trusts the certificate's authority and nobody else."""
    with requests.Session() as made:
        made.trust_env = False
        made.verify = str(certificates.ca_file)
        yield made


def get(session: requests.Session, url: str) -> str:
    answer = session.get(url, timeout=20)
    assert answer.status_code == 200
    return answer.text


def test_the_same_app_is_served_over_http_and_https(host: DevelopmentHost, session: requests.Session) -> None:
    assert get(session, f"{host.https_url}/api/ping") == get(session, f"{host.url}/api/ping") == "pong"
    assert get(session, f"{host.https_url}/api/where") == f"{host.https_url}/api/where"
    with requests.Session() as stranger, pytest.raises(requests.exceptions.SSLError):
        stranger.trust_env = False
        stranger.get(f"{host.https_url}/api/ping", timeout=20)


def test_a_host_that_was_killed_comes_back_at_both_addresses(host: DevelopmentHost, session: requests.Session) -> None:
    before = host.url, host.https_url
    host.kill()
    host.start().wait_ready()
    assert (host.url, host.https_url) == before
    assert get(session, f"{host.https_url}/api/ping") == "pong"


def test_an_idle_https_client_does_not_hold_up_the_end(host: DevelopmentHost, session: requests.Session) -> None:
    assert get(session, f"{host.https_url}/api/ping") == "pong"  # the connection stays open
    assert host.stop(timeout=10) == 0
    assert "Gave up waiting" not in host.log_text()


def test_without_a_certificate_there_is_no_https(tmp_path: Path) -> None:
    with DevelopmentHost(write_app(tmp_path, GOOD)) as host, pytest.raises(RuntimeError, match="does not serve https"):
        _ = host.https_url


def test_a_certificate_that_is_none_is_refused_with_a_sentence(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("nothing")
    app = DevelopmentHost(write_app(tmp_path, GOOD), certificate=wrong)
    with pytest.raises(HostStartError, match=r"The certificate .*wrong\.pem cannot be used"), app:
        pass
