"""make doctor with the tokens of an Azure CLI."""

import json
import sys
from pathlib import Path

import pytest

from dev.doctor.surroundings import patient_of
from tests.integration.surgery import CONSENTED, Surgery

pytestmark = pytest.mark.integration


def az(folder: Path, token: str) -> None:
    """An `az` that hands out a token."""
    answer = {"accessToken": token, "expires_on": 4_000_000_000, "tenant": "t", "tokenType": "Bearer"}
    script = folder / "az"
    script.write_text(f"#!{sys.executable}\nprint({json.dumps(answer)!r})\n")
    script.chmod(0o755)


def test_without_az_it_says_how_to_sign_in(surgery: Surgery, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    surgery.environment |= {"ENTRA_CLIENT_SECRET": "", "MANAGED_IDENTITY_CLIENT_ID": "an identity of Azure"}
    told, code = surgery.examine()
    assert code == 1
    assert "az login --service-principal" in told["token Microsoft Graph"].what_to_do


def test_az_signed_in_as_the_app_is_as_good_as_a_secret(
    surgery: Surgery, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    patient = patient_of(surgery.environment)
    az(tmp_path, patient.clients.tokens.token(patient.settings.graph_scope))
    monkeypatch.setenv("PATH", str(tmp_path))
    surgery.environment["ENTRA_CLIENT_SECRET"] = ""
    told, _ = surgery.examine()
    assert "Azure CLI" in told["token Microsoft Graph"].detail
    assert told["mailbox"].ok


def test_az_signed_in_as_somebody_else_is_refused(
    surgery: Surgery, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = "77777777-7777-4888-9999-aaaaaaaaaaaa"
    surgery.entra.add_registration(other, "x", {"graph": CONSENTED, "bc": []})
    patient = patient_of({**surgery.environment, "ENTRA_CLIENT_ID": other, "ENTRA_CLIENT_SECRET": "x"})
    az(tmp_path, patient.clients.tokens.token(patient.settings.graph_scope))
    monkeypatch.setenv("PATH", str(tmp_path))
    surgery.environment["ENTRA_CLIENT_SECRET"] = ""
    assert "somebody else" in surgery.examine()[0]["token Microsoft Graph"].what_to_do
