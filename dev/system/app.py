"""A client of the app's HTTP interface, as Business Central's extension, a script or an administrator would call it."""

import time
from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import quote

import requests

from dev.system.settings import ADMIN_KEY, MASTER_KEY, USER_KEY

type Json = dict[str, Any]

_OVER = ("succeeded", "succeeded with notes", "held", "failed")


class Refused(Exception):
    """The app answered with an error. `problem` is its body, see RFC 9457."""

    def __init__(self, status: int, problem: Json) -> None:
        super().__init__(f"{status} {problem.get('code', '')}: {problem.get('detail', '')}")
        self.status = status
        self.problem = problem

    @property
    def code(self) -> str:
        """The problem's stable code."""
        return str(self.problem.get("code", ""))


class App:
    """The app at `url`, opened by the harness's keys. Methods return the bodies of answers and raise `Refused`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False

    def request(
        self,
        method: str,
        path: str,
        *,
        key: str | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 120,
    ) -> requests.Response:
        """Send one request as it is; `path` may have a query, `body` is sent as JSON, or as it is when it is bytes."""
        sent = dict(headers or {})
        if key is not None:
            sent["x-functions-key"] = key
        data, as_json = (body, None) if isinstance(body, bytes) else (None, body)
        return self._session.request(
            method, f"{self.url}{path}", headers=sent, data=data, json=as_json, timeout=timeout, allow_redirects=False
        )

    def user(self, method: str, path: str, body: Any = None) -> Json:
        """Call the user door."""
        return _body(self.request(method, path, key=USER_KEY, body=body))

    def admin(self, method: str, path: str, body: Any = None) -> Json:
        """Call the admin door."""
        return _body(self.request(method, path, key=ADMIN_KEY, body=body))

    # Profiles

    def save_profile(self, user: str, **members: Any) -> Json:
        """PUT a profile by the user door."""
        return self.user("PUT", f"/api/profiles/{quote(user)}", members)

    def change_profile(self, user: str, **members: Any) -> Json:
        """PATCH a profile by the user door."""
        return self.user("PATCH", f"/api/profiles/{quote(user)}", members)

    def save_profile_as_admin(self, user: str, **members: Any) -> Json:
        """PUT a profile by the admin door."""
        return self.admin("PUT", f"/api/admin/profiles/{quote(user)}", members)

    def remove_all_profiles(self) -> None:
        """End the sync of every profile; contacts stay."""
        page = "/api/admin/profiles?top=200"
        while page:
            answer = self.admin("GET", page)
            for profile in answer["profiles"]:
                self.admin("DELETE", f"/api/admin/profiles/{profile['user']}?company={profile['company']['id']}")
            page = answer["next"] or ""

    # Runs

    def ask(self, user: str, mode: str = "incremental", **members: Any) -> str:
        """Ask for a run; returns its id at once."""
        return str(self.user("POST", "/api/sync", {"user": user, "mode": mode, **members})["runId"])

    def sync(self, user: str, mode: str = "incremental", *, timeout: float = 120, **members: Any) -> Json:
        """Ask for a run and wait for its report."""
        answer = self.user("POST", "/api/sync?wait=60", {"user": user, "mode": mode, **members})
        return answer if answer["status"] in _OVER else self.wait_for_run(answer["runId"], timeout=timeout)

    def run(self, run_id: str) -> Json:
        """A run's report as it is now."""
        return self.user("GET", f"/api/runs/{run_id}")

    def wait_for_run(self, run_id: str, *, timeout: float = 120) -> Json:
        """A run's report when it is over. Raises TimeoutError."""
        until = time.monotonic() + timeout
        while (report := self.run(run_id))["status"] not in _OVER:
            if time.monotonic() > until:
                raise TimeoutError(f"The run {run_id} is still {report['status']!r} after {timeout:.0f} s.")
            time.sleep(0.1)
        return report

    def approve(self, run_id: str, holds: Mapping[str, int], actor: str) -> Json:
        """Approve what a run holds, kinds with counts, and wait for the report of the run that does it."""
        body = {"holds": [{"kind": kind, "count": count} for kind, count in holds.items()], "actor": actor}
        return self.wait_for_run(self.admin("POST", f"/api/admin/runs/{run_id}/approve", body)["runId"])

    def undo(self, run_id: str, **members: Any) -> Json:
        """Undo a run by the admin door and wait for the report of that."""
        asked = self.admin("POST", f"/api/admin/runs/{run_id}/undo", members)
        return self.wait_for_run(asked["runId"])

    def newest_run(self, user: str) -> Json | None:
        """The whole report of a profile's newest run; None before the first."""
        found = self.user("GET", f"/api/profiles/{quote(user)}/runs?top=1")["runs"]
        return self.run(found[0]["runId"]) if found else None

    # The host

    def fire(self, function: str, content: str = "") -> None:
        """Run a timer or queue function by hand and wait for its end."""
        body = {"input": content, "wait": True}
        answer = self.request("POST", f"/admin/functions/{function}", key=MASTER_KEY, body=body)
        if answer.status_code != requests.codes.accepted:
            raise Refused(answer.status_code, _json(answer))

    def functions(self) -> list[Json]:
        """What the host says about the app's functions."""
        answer = self.request("GET", "/admin/functions", key=MASTER_KEY)
        answer.raise_for_status()
        return list(answer.json())

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()


def _body(answer: requests.Response) -> Json:
    if not answer.ok:
        raise Refused(answer.status_code, _json(answer))
    return _json(answer)


def _json(answer: requests.Response) -> Json:
    try:
        found = answer.json()
    except ValueError:
        return {"detail": answer.text[:500]}
    return found if isinstance(found, dict) else {"value": found}
