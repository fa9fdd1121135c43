"""Acts as a BC user, and as those who run the environment, on the simulator."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from dev.simulators.control_client import ControlClient


class BusinessCentralControl(ControlClient):
    """Control client of the Business Central simulator.

    `company` is an id or a name; None means the only one. Contacts are named by id or number, and come back as the
    API shows them. Times carry a zone.
    """

    # Companies

    def companies(self) -> list[dict[str, str]]:
        """Return id, name and displayName of all companies. At the start there is one, CRONUS."""
        return list(self.call("companies"))

    def add_company(self, name: str, display_name: str | None = None, id: str | None = None) -> str:  # noqa: A002
        """Add an empty company that knows the usual countries; returns its id."""
        return str(self.call("add_company", name=name, display_name=display_name, id=id))

    def rename_company(self, name: str, display_name: str | None = None, company: str | None = None) -> None:
        """Rename a company; its id stays."""
        self.call("rename_company", name=name, display_name=display_name, company=company)

    def delete_company(self, company: str | None = None) -> None:
        """Delete a company with all it has."""
        self.call("delete_company", company=company)

    def copy_company(self, name: str, company: str | None = None) -> str:
        """Copy a company under a new id, which is returned; rows keep their stamps (and ids, by a switch)."""
        return str(self.call("copy_company", name=name, company=company))

    def take_snapshot(self, company: str | None = None) -> str:
        """Keep the company as it is now; returns the snapshot's id."""
        return str(self.call("snapshot", company=company))

    def restore(self, snapshot: str, company: str | None = None) -> None:
        """Bring the company back to a snapshot: same ids, older stamps. Clears all subscriptions, as restoring does."""
        self.call("restore", snapshot=snapshot, company=company)

    def set_up(self, company: str | None = None, **changes: Any) -> None:
        """Change fields of `company.Setup`, such as inherit_address, default_country, number_series, template."""
        self.call("setup", company=company, **changes)

    def set_countries(self, countries: Mapping[str, str], company: str | None = None) -> None:
        """Replace the countries: names by code."""
        self.call("countries", countries=dict(countries), company=company)

    def set_post_codes(self, entries: Sequence[Mapping[str, str]], company: str | None = None) -> None:
        """Replace the Post Codes table; entries have code, city, state, country."""
        self.call("post_codes", entries=[dict(entry) for entry in entries], company=company)

    # Contacts

    def seed(
        self,
        contacts: Sequence[Mapping[str, Any]] | None = None,
        *,
        count: int = 0,
        companies: int = 0,
        stamp: datetime | None = None,
        company: str | None = None,
    ) -> int:
        """Put many contacts in at once, unchecked (see `seeding.seed`); returns how many.

        Either those given, or `count` made-up ones of which `companies` are companies and the others their persons.
        """
        given = None if contacts is None else [dict(contact) for contact in contacts]
        arguments = {"contacts": given, "count": count, "companies": companies}
        return int(self.call("seed", **arguments, stamp=_text(stamp), company=company))

    def contacts(self, company: str | None = None) -> list[dict[str, Any]]:
        """Return all contacts, as they are in the primary."""
        return list(self.call("contacts", company=company))

    def contact(self, contact: str, company: str | None = None) -> dict[str, Any]:
        """Return one contact, also with firstName, middleName and surname."""
        return dict(self.call("contact", contact=contact, company=company))

    def create_contact(
        self, *, stamp: datetime | None = None, committed: bool = True, company: str | None = None, **values: Any
    ) -> dict[str, Any]:
        """Create a contact with all of BC's checks; type Person unless said.

        `stamp`: written then, committed only now (a late commit). `committed` False: dirty reads see it until
        `finish_uncommitted`.
        """
        sent = {"values": values, "stamp": _text(stamp), "committed": committed, "company": company}
        return dict(self.call("create", **sent))

    def update_contact(
        self, contact: str, *, stamp: datetime | None = None, company: str | None = None, **values: Any
    ) -> dict[str, Any]:
        """Change a contact with all of BC's checks; firstName, middleName and surname rebuild the name."""
        sent = {"contact": contact, "values": values, "stamp": _text(stamp), "company": company}
        return dict(self.call("update", **sent))

    def delete_contact(self, contact: str, company: str | None = None) -> None:
        """Delete a contact; a company takes its persons with it."""
        self.call("delete", contact=contact, company=company)

    def set_relation(self, contact: str, relation: str, company: str | None = None) -> None:
        """Give a contact a business relation by its member's name: "Customer", "Bank Account", " " ..."""
        self.call("set_relation", contact=contact, relation=relation, company=company)

    def set_facts(self, contact: str, company: str | None = None, **facts: Any) -> None:
        """Set what only BC knows.

        minor (blocks too), parental_consent, busy (list of tasks, segments, opportunities: what keeps a contact from
        being deleted), interaction_date (ISO date: moves the tag, not the stamp).
        """
        self.call("set_facts", contact=contact, company=company, **facts)

    def set_stamp(self, contacts: Sequence[str], stamp: datetime, company: str | None = None) -> None:
        """Give contacts this lastModifiedDateTime, as ties or late commits."""
        self.call("set_stamp", contacts=list(contacts), stamp=stamp.isoformat(), company=company)

    def finish_uncommitted(self, *, commit: bool, company: str | None = None) -> None:
        """Commit the uncommitted contacts, or let them vanish."""
        self.call("finish_uncommitted", commit=commit, company=company)

    # Webhooks; see `ControlClient` for deliveries

    def subscriptions(self) -> list[dict[str, Any]]:
        """Return the subscriptions that have not expired, as the API shows them, with `company` (its id)."""
        return list(self.call("subscriptions"))

    def remove_subscription(self, subscription: str) -> None:
        """Delete a subscription, as BC may; nobody is told."""
        self.call("remove_subscription", subscription=subscription)

    def burst(self, subscription: str, count: int, seconds: float = 0.0, *, together: bool = False) -> None:
        """Begin to send made-up updates: one POST each, spread over real seconds, or all in one POST."""
        self.call("burst", subscription=subscription, count=count, seconds=seconds, together=together)

    def recreate_environment(self) -> None:
        """Be a copied or restored environment: all data is there, subscriptions and what waits to be told is not."""
        self.call("recreate_environment")

    # The environment

    def reset(self) -> None:
        """Start afresh: one company, CRONUS, empty and with a new id; default switches and limits, no subscriptions."""
        self.call("reset")

    def set_users(self, users: Sequence[Mapping[str, str]]) -> None:
        """Replace the environment's users: user_name and what else of `automation.BcUser` is not the default."""
        self.call("users", users=[dict(each) for each in users])

    def switch(self, **changes: Any) -> dict[str, Any]:
        """Change `switches.Switches` by name; returns all."""
        return dict(self.call("switches", **changes))

    def set_permissions(self, permissions: str) -> None:
        """Let the app have "full", "read-only" or "none" on contacts."""
        self.switch(permissions=permissions)

    def set_limits(self, **changes: int | float | bool) -> dict[str, int]:
        """Change `limits.Limits`: enabled, rate, window, concurrent, queue, patience; returns the peaks so far."""
        return dict(self.call("limits", **changes))


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
