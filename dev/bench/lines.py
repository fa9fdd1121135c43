"""The table: what is measured."""

from dev.bench import announced, importing, planning, scale, syncing
from dev.bench.figures import Line

LINES = (
    Line("tick", "idle tick, 1,000 profiles with healthy subscriptions, no sweep due", scale.idle_thousand),
    Line("tick-10000", "the same, 10,000 profiles", scale.idle_ten_thousand),
    Line("first", "first sync of 1,000 contacts into one mailbox", syncing.first),
    Line("idle", "incremental run, nothing changed, echoes read (1,000 contacts)", syncing.idle),
    Line("full", "full run, nothing changed (10,000 contacts)", syncing.full),
    Line("edits", "10 edits of linked contacts on each side among 10,000", syncing.edits),
    Line("shared", "one BC contact changed that 200 profiles hold", scale.shared_contact),
    Line(
        "arrival",
        "100 edits in Outlook: 20 in each of 5 mailboxes, one right after the other (development host)",
        announced.arrival,
    ),
    Line("burst", "1,000 notifications for one mailbox in 10 s (development host)", announced.burst),
    Line("webhook", "answer of the webhook (development host)", announced.answers),
    Line("planning", "planning 50,000 linked pairs, 1 % changed", planning.plan),
    Line("import", "import of function_app", importing.function_app),
)
