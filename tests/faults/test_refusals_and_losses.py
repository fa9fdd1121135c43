"""What a person has to mend: the run fails, says what to do and deletes nothing; then all is well again (R25)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from dev.faulty import GOOD
from shared.engine.fan_out import serve_company
from shared.engine.jobs import CompanyJob, Reason
from shared.engine.model import Mode, RunStatus
from shared.errors import RetryableError
from tests.faults import story
from tests.faults.scene import Scene
from tests.integration.office import FOLDER

pytestmark = pytest.mark.integration

ADA = "ada@contoso.example"


@dataclass(frozen=True)
class Trouble:
    """What is wrong, the code and some of the words of the report, and how it ends."""

    begin: Callable[[Scene], object]
    code: str
    words: str
    end: Callable[[Scene], object] = Scene.clear_faults


def refused(service: str, status: int, code: str, **conditions: Any) -> Callable[[Scene], object]:
    """Every call of a service is refused."""
    body: Mapping[str, Any] = {"error": {"code": code, "message": "Refused."}}
    return lambda scene: scene.graph.add_fault(
        "answer", service=service, status=status, body=body, times=None, **conditions
    )


def token_refused(number: int) -> Callable[[Scene], object]:
    """The token endpoint refuses the app, and no token is left."""
    error = {"error": "unauthorized_client", "error_description": f"AADSTS{number}: No.", "error_codes": [number]}

    def begin(scene: Scene) -> None:
        scene.entra.add_fault("answer", service="entra", path="token", status=400, body=error, times=None)
        scene.graph.revoke_tokens()

    return begin


def token_given(scene: Scene) -> None:
    """The app is accepted again. MSAL remembers a refusal for a minute of real time, a new process does not."""
    scene.clear_faults()
    scene.stage.services = scene.stage.new_process()


def mailbox(state: str) -> Callable[[Scene], object]:
    """Bring Ada's mailbox into a state."""
    return lambda scene: scene.graph.set_mailbox(ADA, state)


TROUBLES = {
    "consent withdrawn at Graph": Trouble(
        refused("graph", 403, "ErrorAccessDenied", path="/users/"), "no-permission", "admin consent"
    ),
    "consent withdrawn at BC (403)": Trouble(
        refused("bc", 403, "Authorization_RequestDenied"), "bc-permission", "Microsoft Entra Applications"
    ),
    "consent withdrawn at BC (500, TableData)": Trouble(
        lambda scene: scene.bc.set_permissions("none"),
        "bc-permission",
        "Microsoft Entra Applications",
        lambda scene: scene.bc.set_permissions("full"),
    ),
    "the app is disabled in BC (401 with every token)": Trouble(
        lambda scene: scene.bc.switch(app_enabled=False),
        "bc-token-refused",
        "enabled",
        lambda scene: scene.bc.switch(app_enabled=True),
    ),
    "consent withdrawn in the tenant (AADSTS700016)": Trouble(
        token_refused(700016), "token-refused", "admin consent", token_given
    ),
    "the client secret has expired (AADSTS7000222)": Trouble(
        token_refused(7000222), "token-refused", "secret has expired", token_given
    ),
    "the app is disabled in the tenant (AADSTS7000112)": Trouble(
        token_refused(7000112), "token-refused", "disabled", token_given
    ),
    "the licence is gone": Trouble(mailbox("unlicensed"), "no-mailbox", "licence", mailbox("licensed")),
    "the mailbox is gone": Trouble(mailbox("nonexistent"), "no-mailbox", "mailbox", mailbox("licensed")),
    "the user is gone": Trouble(
        refused("graph", 404, "ErrorInvalidUser", path="/users/"), "unknown-user", "remove the profile"
    ),
    "consent withdrawn in mid-run at Graph": Trouble(
        refused("graph", 403, "ErrorAccessDenied", path="/users/", skip=1), "no-permission", "admin consent"
    ),
    "consent withdrawn in mid-run at BC": Trouble(
        refused("bc", 403, "Authorization_RequestDenied", skip=2), "bc-permission", "Microsoft Entra Applications"
    ),
    "the mailbox is gone in mid-run": Trouble(
        refused("graph", 404, "ErrorNonExistentMailbox", path="/users/", skip=1), "no-mailbox", "mailbox"
    ),
    "the company is gone in mid-run": Trouble(
        refused("bc", 404, "Internal_CompanyNotFound", path="companies", skip=2), "company-not-found", "deleted"
    ),
    "the company is gone": Trouble(
        refused("bc", 404, "Internal_CompanyNotFound", path="companies"), "company-not-found", "deleted"
    ),
    "the API's page is gone": Trouble(
        lambda scene: scene.bc.switch(contacts_page_missing=True),
        "bc-endpoint-missing",
        "API v2.0",
        lambda scene: scene.bc.switch(contacts_page_missing=False),
    ),
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES.keys())
def test_the_run_fails_with_words_deletes_nothing_and_goes_on_when_it_is_mended(scene: Scene, trouble: Trouble) -> None:
    profile = story.begin(scene)
    story.edit(scene, profile)
    trouble.begin(scene)

    report = scene.sync(profile)

    assert (report.status, report.error_code) == (RunStatus.FAILED, trouble.code), report.error
    assert trouble.words in report.error
    trouble.end(scene)
    scene.clear_faults()
    story.assert_nothing_deleted(scene, profile)
    scene.good_sync(profile)
    story.assert_converged(scene, profile)


def test_a_folder_that_its_user_deleted_is_filled_again_and_nothing_is_deleted_in_bc(scene: Scene) -> None:
    profile = story.begin(scene)
    scene.graph.delete_folder(ADA, FOLDER)

    scene.good_sync(profile)

    assert set(scene.in_bc()) == set(scene.in_folder(ADA)) == set(story.PEOPLE)


# ---------------------------------------------------------------- lists that lack somebody, with status 200

EMPTY: Mapping[str, Any] = {"status": 200, "body": {"value": []}, "times": None}


@pytest.mark.parametrize(
    ("list_of", "mode"),
    [
        pytest.param(list_of, mode, id=f"{name}-{mode}")
        for name, list_of in {"stamps": r"lastModifiedDateTime(&|$)", "all": r"/contacts\?"}.items()
        for mode in Mode
    ],
)
def test_an_empty_list_of_bc_with_status_200_deletes_nobody(scene: Scene, list_of: str, mode: Mode) -> None:
    profile = story.begin(scene)
    scene.graph.add_fault("answer", service="bc", method="GET", item=False, path=list_of, **EMPTY)

    scene.sync(profile, mode)

    assert set(scene.in_folder(ADA)) == set(scene.in_bc()) == set(story.PEOPLE)
    assert any(each["acted"] for each in scene.graph.faults()), "the fault never happened"
    scene.clear_faults()
    story.edit(scene, profile)
    scene.good_sync(profile)
    story.assert_converged(scene, profile)


def test_who_is_missing_in_bcs_list_of_changes_is_read_by_id(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    profile = story.begin(scene)
    limits = replace(scene.services.limits, feed_singly_most=0)
    monkeypatch.setattr(scene.stage, "services", replace(scene.services, limits=limits))
    scene.edit_in_bc("Person A", jobTitle="Buyer")
    scene.graph.add_fault("answer", service="bc", method="GET", item=False, path=r"\$filter=lastModified", **EMPTY)

    scene.sync(profile)

    assert set(scene.in_folder(ADA)) == set(scene.in_bc()) == set(story.PEOPLE)
    assert any(each["acted"] for each in scene.graph.faults()), "the fault never happened"
    assert scene.in_folder(ADA)["Person A"]["jobTitle"] == "Buyer"


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("list_of", ["delta", r"/contacts\?", "contactFolders"], ids=["delta", "folder", "folders"])
def test_an_empty_list_of_graph_with_status_200_deletes_nobody(scene: Scene, list_of: str, mode: Mode) -> None:
    profile = story.begin(scene)
    scene.graph.add_fault("answer", service="graph", method="GET", item=False, path=list_of, **EMPTY)
    scene.clock.after(20 * 60, scene.graph.clear_faults)  # a delta without a link is read again until it has one

    scene.sync(profile, mode)

    assert set(scene.in_bc()) == set(story.PEOPLE)
    scene.clear_faults()
    assert set(scene.in_folder(ADA)) == set(story.PEOPLE)
    story.edit(scene, profile)
    scene.good_sync(profile)
    story.assert_converged(scene, profile)


@pytest.mark.parametrize(
    ("service", "list_of", "mode"),
    [
        pytest.param(service, list_of, mode, id=f"{service}: {name}-{mode}")
        for service, name, list_of, modes in (
            ("bc", "stamps", r"lastModifiedDateTime(&|$)", Mode),
            ("bc", "contacts", r"/contacts\?", Mode),
            ("graph", "delta", "delta", Mode),
            ("graph", "folder", r"/contacts\?", [Mode.FULL]),
        )
        for mode in modes
    ],
)
def test_a_list_that_lacks_half_of_it_with_status_200_deletes_nobody(
    scene: Scene, service: str, list_of: str, mode: Mode
) -> None:
    profile = story.begin(scene)
    if (service, list_of) == ("graph", "delta"):
        scene.edit_in_outlook(ADA, "Person A", jobTitle="Buyer")
        scene.edit_in_outlook(ADA, "Person B", jobTitle="Buyer")
    scene.graph.add_fault("short", service=service, method="GET", item=False, path=list_of, times=None)

    scene.sync(profile, mode)

    assert any(each["acted"] for each in scene.graph.faults()), "the fault never happened"
    scene.clear_faults()
    assert set(scene.in_folder(ADA)) == set(scene.in_bc()) == set(story.PEOPLE)
    scene.good_sync(profile, Mode.FULL)
    assert set(scene.in_folder(ADA)) == set(scene.in_bc()) == set(story.PEOPLE)


def test_a_delta_that_dies_between_its_pages_is_read_anew(scene: Scene) -> None:
    profile = story.begin(scene)
    story.edit(scene, profile)
    scene.graph.switch(delta_page_limit=1)
    gone = {"error": {"code": "SyncStateNotFound", "message": "The sync state generation is not found."}}
    scene.graph.add_fault("answer", service="graph", path="skiptoken", status=410, body=gone)

    report = scene.good_sync(profile)

    assert report.status in GOOD
    assert scene.graph.faults()[0]["acted"] == 1
    scene.graph.switch(delta_page_limit=200)
    story.assert_converged(scene, profile)


# ---------------------------------------------------------------- other copies of the company


def test_a_restored_company_is_held_and_nothing_is_written(scene: Scene) -> None:
    profile = story.begin(scene)
    before = scene.bc.take_snapshot()
    scene.clock.sleep(60)
    scene.edit_in_bc("Person A", jobTitle="Buyer")
    scene.good_sync(profile)
    scene.bc.restore(before)
    scene.add_in_outlook(ADA, "Somebody Else")
    since = scene.graph.log_number()

    report = scene.sync(profile)

    assert (report.status, [each.kind for each in report.held]) == (RunStatus.HELD, ["company-restored"])
    assert scene.writes(since) == 0


def test_an_app_of_another_environment_leaves_production_s_folder_alone(scene: Scene) -> None:
    """A sandbox copied from production: its app meets a folder that production's app filled (R9)."""
    profile = story.begin(scene)
    stage = scene.stage
    sandbox = replace(stage.settings, storage_prefix=f"{stage.settings.storage_prefix}sandbox")
    production, stage.services = stage.services, replace(stage.new_process(sandbox), environment="Sandbox")
    try:
        copied = scene.services.profiles.save(replace(profile, etag=""))
        report = scene.sync(copied)
    finally:
        stage.services = production

    assert (report.status, report.error_code) == (RunStatus.FAILED, "folder-taken")
    assert "another name" in report.error
    assert set(scene.in_bc()) == set(story.PEOPLE), "nobody was imported a second time"
    assert set(scene.in_folder(ADA)) == set(story.PEOPLE), "nothing of production's was touched or doubled"


# ---------------------------------------------------------------- messages that cannot be sent


def test_a_message_that_could_not_be_sent_is_sent_when_the_company_is_served_again(scene: Scene) -> None:
    profile = story.begin(scene)
    story.edit(scene, profile)
    scene.storage.add("answer", service="queues", status=503, body="ServerBusy", times=None)
    job = CompanyJob(scene.company_id, Reason.TIMER, scene.services.now())
    with pytest.raises(RetryableError):  # the message comes back
        serve_company(scene.services, job)
    scene.clear_faults()

    serve_company(scene.services, job)
    scene.work(profile)

    story.assert_converged(scene, profile)
