"""The commands of docs/install.md that look at the app and make the first pilot, run against the running app."""

import json
import re
import shutil
import subprocess

import pytest

from dev.system.settings import ADMIN_KEY, USER_KEY
from tests.docs.test_pages import blocks
from tests.integration.office import Office

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on the path"),
]


def test_a_pilot_is_made_previewed_and_synced_as_the_page_says(office: Office) -> None:
    office.bc.add_company("CRONUS AG")
    company = next(each["id"] for each in office.bc.companies() if each["name"] == "CRONUS AG")
    office.bc.create_contact(displayName="Helen Ray", email="helen@people.example", country="GB", company=company)
    office.graph.create_user("ada@contoso.com", displayName="Ada")
    commands = "".join(each for each in blocks("install.md") if "api/admin/health" in each or "user()" in each)
    commands += "".join(each for each in blocks("install.md") if each.startswith("user "))

    ended = subprocess.run(
        ["bash", "-euo", "pipefail"],
        input=re.sub(r"(-d '\{|\"\$APP/api/admin/health\"|-X POST)", r"-w '\\n' \1", commands),
        env={"PATH": "/usr/bin:/bin", "APP": office.app.url, "ADMIN_KEY": ADMIN_KEY, "USER_KEY": USER_KEY},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    health, profile, validation, preview, run = map(json.loads, ended.stdout.splitlines())
    assert health["status"] == "ok"
    assert (profile["direction"], profile["automatic"]) == ("toOutlook", False)
    assert validation["ok"] is True
    assert [each["name"] for each in preview["plan"]] == ["Helen Ray"]
    assert run["toOutlook"]["created"] == 1
    assert set(office.in_folder("ada@contoso.com")) == {"Helen Ray"}
