"""The table: what is measured."""

from dev.bench import (
    announced,
    at_the_limit,
    beside,
    growth,
    growth_users,
    held,
    importing,
    memory,
    planning,
    quiet,
    scale,
    syncing,
    throttled,
)
from dev.bench.figures import Line

_AT_THE_LIMIT = "100 ms per Graph item, 80 ms per BC call, limits on"

LINES = (
    Line("tick", "idle tick, 1,000 profiles with healthy subscriptions, no sweep due", scale.idle_thousand),
    Line("tick-10000", "the same, 10,000 profiles", scale.idle_ten_thousand),
    Line("first", "first sync of 1,000 contacts into one mailbox", syncing.first),
    Line("idle", "incremental run, nothing changed, echoes read (1,000 contacts)", syncing.idle),
    Line("full", "full run, nothing changed (10,000 contacts)", syncing.full),
    Line("edits", "10 edits of linked contacts on each side among 10,000", syncing.edits),
    # the emulator looks through a whole table for each range of rows: here they are not yet larger than this company
    Line("ten", f"10 changes among 10,000 contacts, {_AT_THE_LIMIT}", quiet.ten_changes),
    Line("quiet", f"full run, nothing changed, 10,000 contacts, {_AT_THE_LIMIT}", quiet.full),
    Line("shared", "one BC contact changed that 200 profiles hold", scale.shared_contact),
    Line(
        "arrival",
        "100 edits in Outlook: 20 in each of 5 mailboxes, one right after the other (development host)",
        announced.arrival,
    ),
    Line("burst", "1,000 notifications for one mailbox in 10 s (development host)", announced.burst),
    Line("webhook", "answer of the webhook (development host)", announced.answers),
    Line("throttled-graph", "first sync of 1,000, 30 % of Graph's answers are 429", throttled.graph),
    Line("throttled-bc", "1,000 edits to BC, 30 % of its answers are 429", throttled.bc),
    Line("throttled-tables", "4 first syncs of 1,000, 30 % of the tables' answers are ServerBusy", throttled.tables),
    Line("throttled-queues", "1,000 messages, 30 % of the queues' answers are ServerBusy", throttled.queues),
    Line("throttled-tokens", "334 runs of new processes, 30 % of Entra's answers are 429", throttled.tokens),
    Line("limit", f"first sync of 1,000 contacts, {_AT_THE_LIMIT}", at_the_limit.first),
    Line("peers", "first sync of 1,000 contacts by this app and by others, the same", beside.first_syncs),
    Line(
        "quota",
        "first sync of 10,000 contacts, the same; time 5 times as fast, window 2 minutes with 2,000 requests",
        at_the_limit.quota,
    ),
    Line(
        "mailboxes", "first syncs of 40 mailboxes with 500 contacts each, one process, the same", at_the_limit.mailboxes
    ),
    Line("memory", "first sync of 50,000 contacts into one mailbox, limits and latency off", memory.first),
    Line(
        "growth-contacts",
        "companies of 1,000 to 50,000 contacts, one mailbox, limits and latency off",
        growth.contacts,
    ),
    Line("growth-changes", "1 to 10,000 changes on one side among 10,000 contacts, the same", growth.changes),
    Line("growth-users", "10 to 10,000 profiles of one company, healthy subscriptions", growth_users.users),
    Line("held", "what a contact, a change and a user cost a process, without servers", held.rows),
    Line("planning", "planning 50,000 linked pairs, 1 % changed", planning.plan),
    Line("peers-planning", "the same by the sync engine of vdirsyncer", beside.engines),
    Line("import", "import of function_app", importing.function_app),
)
