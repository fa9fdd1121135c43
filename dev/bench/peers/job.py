"""What a peer is asked to do, and how its process talks with the bench: lines of JSON on standard input and output.

The first line in is the job; the answer tells the versions of the libraries, once token, folder and connection are
there. Each further line, whatever it says, asks for a run: bring into the folder whoever is missing there. The answer
is the processor time that it took this process, in seconds.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any, Protocol

CATEGORY = "Business Central"
BATCH = 20  #: requests, the most that Graph takes in one


@dataclass(frozen=True, slots=True)
class Person:
    """One contact, as any program may have it at hand."""

    name: str
    given_name: str
    middle_name: str
    surname: str
    job_title: str
    email: str
    phone: str
    street: str
    city: str
    postal_code: str
    country: str


@dataclass(frozen=True, slots=True)
class Job:
    """Where the simulators are, what opens them, and who is to come into which mailbox."""

    graph_root: str  #: without a trailing slash and /v1.0
    authority_host: str
    tenant: str
    client_id: str
    client_secret: str
    user: str  #: id of the mailbox's user
    folder: str  #: name of the contact folder, which is not there yet
    people: tuple[Person, ...]

    def line(self) -> str:
        """The job as a line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def of_line(cls, line: str) -> "Job":
        """The job that `line` has written."""
        read = json.loads(line)
        return cls(**{**read, "people": tuple(Person(**each) for each in read["people"])})


class Peer(Protocol):
    """Somebody who brings contacts into a mailbox, ready to begin."""

    def run(self) -> None:
        """Bring everybody into the folder; who looks what is there already brings those who are missing."""


def serve(make: Callable[[Job], Peer], libraries: Sequence[str]) -> None:
    """Do what the bench says until it says nothing any more."""
    peer = make(Job.of_line(sys.stdin.readline()))
    _say({name: version(name) for name in libraries})
    for _ in sys.stdin:
        began = time.process_time()
        peer.run()
        _say({"processor": time.process_time() - began})


def body(person: Person) -> dict[str, Any]:
    """A contact in Graph's JSON, with what the app writes, too, but for its marks."""
    return {
        "displayName": person.name,
        "givenName": person.given_name,
        "middleName": person.middle_name,
        "surname": person.surname,
        "jobTitle": person.job_title,
        "emailAddresses": [{"name": person.name, "address": person.email}],
        "businessPhones": [person.phone],
        "businessAddress": {
            "street": person.street,
            "city": person.city,
            "postalCode": person.postal_code,
            "countryOrRegion": person.country,
        },
        "categories": [CATEGORY],
    }


def _say(answer: dict[str, Any]) -> None:
    print(json.dumps(answer), flush=True)
