"""The real MSAL gets tokens from the Entra simulator, and is refused as Entra refuses."""

import datetime

import jwt
import msal
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from dev.simulators.launch import Simulators


def client(simulators: Simulators, session: requests.Session, credential: object, **changes: str):
    addresses = simulators.addresses
    return msal.ConfidentialClientApplication(
        changes.get("client_id", addresses.client_id),
        client_credential=credential,
        authority=changes.get("authority", simulators.authority),
        instance_discovery=False,
        http_client=session,
    )


def test_a_secret_gets_tokens_for_both_services(simulators, session):
    app = client(simulators, session, simulators.addresses.client_secret)
    for scope in (simulators.addresses.graph_scope, simulators.addresses.bc_scope):
        granted = app.acquire_token_for_client([scope])
        assert granted["token_type"] == "Bearer"
        claims = jwt.decode(granted["access_token"], options={"verify_signature": False})
        assert claims["aud"] == scope.removesuffix("/.default")
        assert claims["tid"] == simulators.addresses.tenant
        assert 3590 <= granted["expires_in"] <= 3599


def test_a_second_request_is_served_from_msals_cache(simulators, session):
    app = client(simulators, session, simulators.addresses.client_secret)
    app.acquire_token_for_client([simulators.addresses.graph_scope])
    before = simulators.entra.log_number()
    app.acquire_token_for_client([simulators.addresses.graph_scope])
    assert simulators.entra.log(since=before) == []


def test_a_certificate_gets_a_token_once_it_is_registered(simulators, session):
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
    credential = {
        "private_key": key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode(),
        "public_certificate": certificate.public_bytes(serialization.Encoding.PEM).decode(),
    }
    refused = client(simulators, session, credential).acquire_token_for_client([simulators.addresses.graph_scope])
    assert refused["error_codes"] == [700027]
    simulators.entra.add_certificate(credential["public_certificate"])
    granted = client(simulators, session, credential).acquire_token_for_client([simulators.addresses.graph_scope])
    assert "access_token" in granted


def test_a_managed_identitys_token_is_a_federated_credential(simulators, session):
    assertion = jwt.encode(
        {"iss": "https://issuer.example", "sub": "identity-1", "aud": "api://AzureADTokenExchange"}, "k" * 32
    )
    scope = [simulators.addresses.graph_scope]
    credential = {"client_assertion": lambda: assertion}
    refused = client(simulators, session, credential).acquire_token_for_client(scope)
    assert refused["error_codes"] == [700213]
    simulators.entra.add_federated_credential("https://issuer.example", "identity-1")
    assert "access_token" in client(simulators, session, credential).acquire_token_for_client(scope)


@pytest.mark.parametrize(
    ("secret", "changes", "error", "number"),
    [
        ("wrong", {}, "invalid_client", 7000215),
        ("expired", {}, "invalid_client", 7000222),
        ("any", {"client_id": "00000000-0000-4000-8000-000000000000"}, "unauthorized_client", 700016),
    ],
)
def test_refusals_have_entras_shape(simulators, session, secret, changes, error, number):
    simulators.entra.expire_secret("expired")
    refused = client(simulators, session, secret, **changes).acquire_token_for_client(
        [simulators.addresses.graph_scope]
    )
    assert refused["error"] == error
    assert refused["error_codes"] == [number]
    assert refused["error_description"].startswith(f"AADSTS{number}: ")


def test_an_unknown_tenant_is_refused(simulators, session):
    host = simulators.addresses.authority_host
    with pytest.raises(ValueError, match="authority configuration"):
        client(simulators, session, "any", authority=f"{host}/00000000-0000-4000-8000-000000000000")
    answer = session.post(f"{host}/00000000-0000-4000-8000-000000000000/oauth2/v2.0/token", data={"grant_type": "x"})
    assert answer.status_code == 400
    assert answer.json()["error_codes"] == [90002]


def test_a_resource_or_scope_that_does_not_exist_is_refused(simulators, session):
    app = client(simulators, session, simulators.addresses.client_secret)
    assert app.acquire_token_for_client(["https://other.example/.default"])["error_codes"] == [500011]
    assert app.acquire_token_for_client(["Contacts.Read"])["error_codes"] == [1002012]
