"""Wiring: nothing at import, the settings where they belong, the best credential first."""

from dataclasses import fields, replace

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CredentialUnavailableError, ManagedIdentityCredential

from shared import bootstrap
from shared.engine.limits import LeaverLimits, Limits, SafetyLimits, SwingLimits
from shared.errors import RetryableError, SettingsError
from shared.settings import Settings, read, reset_settings
from shared.transport.auth import Assertion, Certificate, Secret


def _refused(status: int) -> ClientAuthenticationError:
    error = ClientAuthenticationError("refused")
    error.status_code = status
    return error


BASICS = {
    "ENTRA_TENANT_ID": "t",
    "ENTRA_CLIENT_ID": "c",
    "ENTRA_CLIENT_SECRET": "s",
    "BC_ENVIRONMENT": "Sandbox",
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
}


def settings(**more: str) -> Settings:
    return read(BASICS | more)


def test_the_defaults_of_settings_are_the_numbers_of_the_rules() -> None:
    assert bootstrap.limits(settings()) == Limits()


def test_every_number_of_the_rules_is_a_setting() -> None:
    plain = settings()
    not_ours = {"create_settles"}  # how long Business Central may take is no choice
    numbers = {each.name for kind in (Limits, SafetyLimits, SwingLimits, LeaverLimits) for each in fields(kind)}
    numbers -= {"safety", "swings", "leavers"} | not_ours
    for name in numbers:
        value = getattr(plain, name)
        other = value + 1 if isinstance(value, int | float) else value + "x"
        assert bootstrap.limits(replace(plain, **{name: other})) != bootstrap.limits(plain), name


def test_building_opens_no_connection() -> None:
    services = bootstrap.build(settings())
    assert (services.environment, services.tenant) == ("Sandbox", "t")
    assert (services.public_address, services.mailbox_tenant) == ("", "t")
    assert len(services.new_id()) == 8
    assert services.now().tzinfo is not None


def test_the_services_reach_us_at_the_public_address() -> None:
    services = bootstrap.build(settings(PUBLIC_ADDRESS="https://sync.example/", BC_TENANT="other"))
    assert (services.public_address, services.mailbox_tenant, services.tenant) == ("https://sync.example", "t", "other")


def test_the_best_credential_counts() -> None:
    both = {"ENTRA_CLIENT_CERTIFICATE": "pem"}
    assert isinstance(bootstrap.credential(settings()), Secret)
    assert isinstance(bootstrap.credential(settings(**both)), Certificate)
    assert isinstance(bootstrap.credential(settings(**both, MANAGED_IDENTITY_CLIENT_ID="m")), Assertion)


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (CredentialUnavailableError("no endpoint"), SettingsError),
        (_refused(400), SettingsError),
        (_refused(500), RetryableError),
        (_refused(429), RetryableError),
    ],
)
def test_a_managed_identity_without_a_token_says_so_or_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, refusal: Exception, error: type[Exception]
) -> None:
    def refuse(_self: object, _scope: str) -> None:
        raise refusal

    monkeypatch.setattr(ManagedIdentityCredential, "get_token", refuse)
    assertion = bootstrap.credential(settings(MANAGED_IDENTITY_CLIENT_ID="m"))
    assert isinstance(assertion, Assertion)
    with pytest.raises(error, match="managed identity"):
        assertion.fetch()


def test_services_are_built_once_and_a_failure_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    bootstrap.use_services(None)
    reset_settings()
    for name in BASICS:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SettingsError, match="BC_ENVIRONMENT"):
        bootstrap.get_services()
    for name, value in BASICS.items():
        monkeypatch.setenv(name, value)
    assert bootstrap.get_services() is bootstrap.get_services()
    bootstrap.use_services(None)
    reset_settings()
