"""What must hold of every removal, at the moment when it happened."""

from shared.cards.emails import keys_of
from shared.cards.model import Origin
from shared.cards.normalise import email_key
from shared.planning.model import Direction, OnBcDelete, OnOutlookDelete, OnOutOfScope
from tests.fakes.outlook import Entry
from tests.fakes.world import COMPANY
from tests.property.histories.admins import Admins
from tests.property.histories.faults import Faults
from tests.property.histories.ledger import BLOCKED, FILTER
from tests.property.histories.stage import SMALL_LIMITS


class Checks(Faults, Admins):
    """No removal without a cause; no more removals than the safety stop allows."""

    @property
    def held_back(self) -> bool:
        """Whether the safety stop is on with small limits."""
        return self.limits is SMALL_LIMITS

    def is_enabled(self, user: str) -> bool:
        """Whether the profile may run."""
        return self.world.state.profiles.rows[COMPANY, user].enabled

    def has_odd_lists(self) -> bool:
        """Whether the next lists are not what is there."""
        boxes = self.world.directory.mailboxes.values()
        return bool(self.world.bc.lists) or any(each.lacks or each.lag for each in boxes)

    def look_at_removals(self) -> list[tuple[str, str]]:
        """Every removal since the last look has a cause. Answers (user, BC id) of those in Outlook that count (R26)."""
        self.keep_books()
        found: list[tuple[str, str]] = []
        for mailbox, seen in self.seen_removals.items():
            removed = self.world.directory.mailboxes[mailbox].removed
            for entry in removed[seen:]:
                found += self._removed_from_outlook(mailbox, entry)
            self.seen_removals[mailbox] = len(removed)
        for contact in self.world.bc.removed[self.seen_in_bc :]:
            self._removed_from_bc(contact.id, str(contact.values.get("contactBusinessRelation")))
        self.seen_in_bc = len(self.world.bc.removed)
        return found

    def _removed_from_outlook(self, mailbox: str, entry: Entry) -> list[tuple[str, str]]:
        contact = entry.contact
        user = self.owners.get(contact.folder_id)
        assert user is not None, f"removed from a folder of {mailbox} that is not ours"
        assert not (self.seats[user].main and contact.id in self.added), "removed the user's own contact (R27)"
        if self._was_erased(entry):
            self.ledger.let_go(contact)
            return []
        ids = [entry.stamp.bc_id] if entry.stamp else self._same_address(contact.card.email)
        causes = {cause for key in ids for cause in self._causes(user, key, entry)}
        assert causes, f"{contact.id} was removed from the folder of {user} without a cause"
        if BLOCKED in causes:
            self.ledger.let_go(contact)  # R39: what is known of a blocked person goes with the run that removes it
            return []
        return [(user, ids[0])]

    def _was_erased(self, entry: Entry) -> bool:
        """R39: by the stamp, by its own id, or by its address, if it does not stand for somebody else."""
        stamped = entry.stamp.bc_id if entry.stamp else ""
        if {entry.contact.id, stamped} & self.causes.erased:
            return True
        keys = set(keys_of(entry.contact.card.email))
        return stamped not in self.world.bc.rows and bool(keys & self.causes.erased_addresses)

    def _causes(self, user: str, bc_id: str, entry: Entry) -> set[str]:
        policies = self.world.state.profiles.rows[COMPANY, user].policies
        left = set(self.causes.left.get((user, bc_id), ()))
        causes = {BLOCKED} & left
        if entry.contact.id in self.causes.undone:
            causes.add("undone")
        if bc_id not in self.world.bc.rows and policies.on_bc_delete is OnBcDelete.REMOVE:
            causes.add("gone")
        if policies.on_out_of_scope is OnOutOfScope.REMOVE:
            own = entry.stamp is not None and entry.stamp.origin is Origin.OWN
            causes |= left - ({FILTER} if own else set())  # R4: only a filter does not make an own creation go
        return causes

    def _same_address(self, email: str) -> list[str]:
        wanted = {email_key(each) for each in email.split(";")}
        rows = self.world.bc.rows.items()
        return [key for key, each in rows if email_key(each.card.email.split(";")[0]) in wanted]

    def _removed_from_bc(self, bc_id: str, relation: str) -> None:
        """R23: only by policy `delete`, only what a user threw away, and never who is a customer."""
        if bc_id in self.causes.undone:
            self.causes.gone.add(bc_id)
            return
        throwers = [user for user, key in self.causes.thrown_away if key == bc_id]
        profiles = [self.world.state.profiles.rows[COMPANY, user] for user in throwers]
        assert any(
            each.policies.on_outlook_delete is OnOutlookDelete.DELETE and each.direction is Direction.BOTH
            for each in profiles
        ), f"{bc_id} was deleted in BC without a cause"
        assert relation == "None", "somebody with a business relation was deleted"
        self.causes.gone.add(bc_id)
        self.deleted_creations += bc_id not in self.entered

    def within_the_limits(self, user: str, links: int, removed: list[tuple[str, str]], created: int) -> None:
        """R26: one undisturbed requested run passes no limit."""
        count = sum(each == user for each, _ in removed)
        limits = self.limits
        assert count <= limits.removals_most, f"{count} removals in one run"
        assert not (count > limits.removals_count and count > limits.removals_share * links), f"{count} of {links}"
        assert created <= limits.bc_creations, f"{created} creations in BC in one run"

    def has_seen_everything(self, user: str) -> None:
        """After an undisturbed run that finished: earlier causes explain nothing any more."""
        self.released.discard(user)
        for each, key in list(self.causes.left):
            if each == user:
                del self.causes.left[each, key]
        links = self.rows(user).links
        there = self.box(user).in_folder(self.world.folder(user))
        self.causes.thrown_away = {
            (each, key)
            for each, key in self.causes.thrown_away
            if each != user or (key in links and links[key].outlook_id not in there)
        }
        self.keep_books()
