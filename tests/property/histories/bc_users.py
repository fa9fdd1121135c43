"""What users of Business Central do."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.property.histories.stage import ALL_FIELDS, TEXT_FIELDS, Stage, pick


class BcUsers(Stage):
    """Persons come, change, are blocked, and go."""

    @rule(email=pick, name=pick)
    def somebody_new_in_bc(self, email: int, name: int) -> None:
        """A person from a small circle of addresses and names."""
        key = self.world.bc.put(
            displayName=f"Person {name % 4}", email=self.address("", email), mobilePhoneNumber=self.ledger.new(False)
        )
        self.entered.add(key)
        self.keep_books()

    @rule(who=pick, which=st.sampled_from(sorted(ALL_FIELDS)), blank=st.booleans())
    def an_edit_in_bc(self, who: int, which: str, blank: bool) -> None:
        """One field of one person."""
        key = self.some_person(who)
        if key is None:
            return
        name = ALL_FIELDS[which]
        self.ledger.let_go(self.world.bc.rows[key].values.get(name, ""))
        self._edit(key, **{name: "" if blank else self.ledger.new(which in TEXT_FIELDS)})

    @rule(who=pick, city=st.sampled_from(["Berlin", "Paris"]))
    def a_move_across_the_filter(self, who: int, city: str) -> None:
        """BC decides who is in scope."""
        key = self.some_person(who)
        if key is not None:
            self.ledger.let_go(self.world.bc.rows[key].values.get("city", ""))
            self._edit(key, city=city)

    @rule(who=pick)
    def a_new_name_in_bc(self, who: int) -> None:
        """Three words, so that the parts matter."""
        key = self.some_person(who)
        if key is not None:
            self.ledger.let_go(self.world.bc.rows[key].card.name)
            self._edit(key, displayName=f"Person {self.ledger.new(True)} Name")

    @rule(who=pick, email=pick)
    def another_address_in_bc(self, who: int, email: int) -> None:
        """Sometimes none at all: it leaves the scope (R22)."""
        key = self.some_person(who)
        if key is not None:
            self._edit(key, email="" if email % 5 == 0 else self.changed_address(email))

    @rule(who=pick)
    def a_deletion_in_bc(self, who: int) -> None:
        """Gone for all."""
        key = self.some_person(who)
        if key is not None:
            self.ledger.let_go(self.world.bc.rows[key].values)
            self.deleted_creations += key not in self.entered
            self.world.bc.delete(key)
            self.causes.gone.add(key)

    @rule(who=pick, blocked=st.booleans())
    def privacy(self, who: int, blocked: bool) -> None:
        """Blocked, or not any more (R22)."""
        key = self.some_person(who)
        if key is not None:
            self._edit(key, privacyBlocked=blocked)

    @rule(who=pick)
    def another_type(self, who: int) -> None:
        """A person turns out to be a company; a company without persons a person (R22)."""
        keys = [key for key, each in self.world.bc.rows.items() if each.number != self.company_number]
        if keys:
            key = keys[who % len(keys)]
            self._edit(key, type="Company" if self.world.bc.rows[key].is_person else "Person")

    @rule(who=pick, used=st.booleans())
    def a_business_relation(self, who: int, used: bool) -> None:
        """Who is a customer is not deleted from Outlook (R23)."""
        key = self.some_person(who)
        if key is not None:
            self._edit(key, contactBusinessRelation="Customer" if used else "None")

    def _edit(self, key: str, **values: str | bool) -> None:
        self.world.bc.edit(key, **values)
        self.keep_books()
