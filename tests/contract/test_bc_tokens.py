"""Every kind of credential gets tokens through MSAL from the Entra simulator, and is refused with advice."""

import datetime
from collections.abc import Iterator

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from dev.simulators.launch import Simulators, start_simulators
from shared.errors import SettingsError
from shared.transport.auth import Assertion, Certificate, Credential, MsalTokens, Secret

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def simulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulators]:
    with (
        start_simulators(("entra",), folder=tmp_path_factory.mktemp("simulators")) as running,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("REQUESTS_CA_BUNDLE", str(running.ca_file))
        yield running


def token(simulators: Simulators, credential: Credential, scope: str | None = None, tenant: str | None = None) -> str:
    at = simulators.addresses
    source = MsalTokens(
        authority_host=at.authority_host, tenant=tenant or at.tenant, client_id=at.client_id, credential=credential
    )
    return source.token(scope or at.bc_scope)


def audience(granted: str) -> str:
    return str(jwt.decode(granted, options={"verify_signature": False})["aud"])


def test_a_secret_gets_a_token_for_the_scope_asked_for(simulators: Simulators) -> None:
    at = simulators.addresses
    assert audience(token(simulators, Secret(at.client_secret))) == at.bc_scope.removesuffix("/.default")


def test_a_wrong_secret_is_refused_with_advice(simulators: Simulators) -> None:
    with pytest.raises(SettingsError, match=r"AADSTS7000215.*secret") as caught:
        token(simulators, Secret("s3cret"))
    assert "s3cret" not in str(caught.value)


def test_an_unknown_tenant_is_a_matter_of_settings(simulators: Simulators) -> None:
    with pytest.raises(SettingsError, match="tenant"):
        token(simulators, Secret("x"), tenant="99999999-2222-4333-8444-555555555555")


def test_a_certificate_with_its_key_gets_a_token(simulators: Simulators) -> None:
    key, certificate = _made()
    credential = Certificate(f"{key}{certificate}")
    with pytest.raises(SettingsError, match=r"AADSTS700027.*certificate"):
        token(simulators, credential)
    simulators.entra.add_certificate(certificate)
    assert token(simulators, credential)


def test_a_managed_identitys_assertion_gets_a_token(simulators: Simulators) -> None:
    claims = {"iss": "https://issuer.example", "sub": "identity-7", "aud": "api://AzureADTokenExchange"}
    credential = Assertion(lambda: jwt.encode(claims, "k" * 32))
    with pytest.raises(SettingsError, match="federated"):
        token(simulators, credential)
    simulators.entra.add_federated_credential("https://issuer.example", "identity-7")
    assert token(simulators, credential)


def _made() -> tuple[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "contact-sync")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return private.decode(), certificate.public_bytes(pem).decode()
