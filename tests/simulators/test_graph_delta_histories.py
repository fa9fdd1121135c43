"""Random histories: whoever follows the delta links of a folder ends with exactly what is in it."""

import random

import pytest

from dev.simulators.exchange import Request
from dev.simulators.graph.call import Call
from dev.simulators.graph.delta_requests import delta
from dev.simulators.graph.mailbox import Mailbox
from dev.simulators.graph.switches import Switches
from dev.simulators.world import World

ROUGH = Switches(
    delta_duplicates=0.2, delta_replays=0.5, delta_empty_pages=0.2, delta_short_pages=0.3, delta_delay=20.0
)


class Follower:
    """Walks delta pages and keeps id and change key of what it believes is in the folder."""

    def __init__(self, world: World, mailbox: Mailbox, folder: str, switches: Switches) -> None:
        self._world, self._mailbox, self._switches = world, mailbox, switches
        self._link = f"https://graph/v1.0/users/ada/contactFolders/{folder}/contacts/delta?$select=changeKey"
        self._folder = folder
        self.believed: dict[str, str] = {}
        self.is_between_rounds = False

    def page(self) -> None:
        path, _, query = self._link.removeprefix("https://graph").partition("?")
        prefer = {"prefer": 'IdType="ImmutableId", odata.maxpagesize=4'}
        request = Request("graph", "GET", path, query, prefer)
        answer = delta(Call(request, self._mailbox, self._switches, self._world), self._folder).payload
        for item in answer["value"]:
            if "@removed" in item:
                self.believed.pop(item["id"], None)
            else:
                self.believed[item["id"]] = item["changeKey"]
        self.is_between_rounds = "@odata.deltaLink" in answer
        self._link = answer["@odata.deltaLink" if self.is_between_rounds else "@odata.nextLink"]

    def round(self) -> None:
        self.page()
        while not self.is_between_rounds:
            self.page()


def act(chance: random.Random, mailbox: Mailbox, folders: list[str]) -> None:
    contacts = list(mailbox.contacts())
    if not contacts or chance.random() < 0.35:
        mailbox.create(chance.choice(folders), {"surname": "x"})
        return
    contact = chance.choice(contacts)
    match chance.choice(["update", "move", "delete", "purge", "copy", "bump"]):
        case "update":
            mailbox.update(contact, {"surname": "y"})
        case "move":
            mailbox.move(contact, chance.choice([one for one in folders if one != contact.folder]))
        case "delete" if contact.folder != mailbox.deleted_items:
            mailbox.delete(contact)
        case "purge":
            mailbox.purge(contact)
        case "copy":
            mailbox.copy(contact, chance.choice(folders))
        case _:
            mailbox.bump(contact)


@pytest.mark.parametrize("switches", [Switches(), ROUGH], ids=["smooth", "rough"])
@pytest.mark.parametrize("seed", range(40))
def test_a_follower_of_the_links_ends_with_what_is_in_the_folder(seed, switches):
    chance = random.Random(seed)  # noqa: S311 - histories, not secrets
    world = World(roots={"graph": "https://graph"})
    world.clock.speed = 0
    world.random.seed(seed)
    mailbox = Mailbox("ada", switches, world.clock.timestamp, world.clock.stamp)
    watched = mailbox.add_folder("Watched", mailbox.default_folder).id
    follower = Follower(world, mailbox, watched, switches)
    for _ in range(60):
        act(chance, mailbox, [watched, mailbox.default_folder])
        world.clock.advance(chance.random() * 5)
        if chance.random() < 0.3:
            follower.page()
    world.clock.advance(60)
    if not follower.is_between_rounds:
        follower.round()
    follower.round()
    assert follower.believed == {one.immutable_id: one.change_key for one in mailbox.contacts(watched)}
