"""Putting all questions to both services, on things made for it, which are removed at the end, come what may."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager

from dev.doctor import bc_probes, graph_probes
from dev.doctor.bc_probes import BcLab
from dev.doctor.graph_lab import GraphLab
from dev.doctor.probing import WAIT, Probe, answers
from dev.doctor.scratch import scratch_folder, scratch_persons, surely
from dev.doctor.surroundings import Patient

type Rows = Generator[tuple[str, str, str, str]]


def probe_graph(
    patient: Patient, mailbox_id: str, probes: Sequence[Probe[GraphLab]] = graph_probes.PROBES, wait: float = WAIT
) -> Rows:
    """Rows of the table, one by one. Raises SyncError where something is left behind or nothing can be made."""
    with scratch_folder(patient, mailbox_id) as folder, _cleaned(GraphLab(patient, mailbox_id, folder, wait)) as lab:
        yield from answers("Graph", lab, probes)


def probe_bc(
    patient: Patient, company_id: str, probes: Sequence[Probe[BcLab]] = bc_probes.PROBES, wait: float = WAIT
) -> Rows:
    """The same for Business Central."""
    with scratch_persons(patient, company_id) as name:
        yield from answers("BC", BcLab(patient, company_id, name, wait), probes)


@contextmanager
def _cleaned(lab: GraphLab) -> Iterator[GraphLab]:
    try:
        yield lab
    finally:
        surely(lab.clean)
