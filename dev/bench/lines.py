"""The table: what is measured."""

from dev.bench import importing, planning, syncing
from dev.bench.figures import Line

LINES = (
    Line("first", "first sync of 1,000 contacts into one mailbox", syncing.first),
    Line("idle", "incremental run, nothing changed, echoes read (1,000 contacts)", syncing.idle),
    Line("full", "full run, nothing changed (10,000 contacts)", syncing.full),
    Line("edits", "10 edits of linked contacts on each side among 10,000", syncing.edits),
    Line("planning", "planning 50,000 linked pairs, 1 % changed", planning.plan),
    Line("import", "import of function_app", importing.function_app),
)
