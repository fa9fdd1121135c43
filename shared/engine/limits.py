"""The numbers of the rules, as values; bootstrap fills them from the settings."""

from dataclasses import dataclass

from shared.planning.guards import SafetyLimits
from shared.planning.importing import LeaverLimits
from shared.planning.model import SwingLimits


@dataclass(frozen=True, slots=True)
class Limits:
    """Times are in seconds unless the name says otherwise."""

    safety: SafetyLimits = SafetyLimits()  # noqa: RUF009 - frozen
    swings: SwingLimits = SwingLimits()  # noqa: RUF009 - frozen
    leavers: LeaverLimits = LeaverLimits()  # noqa: RUF009 - frozen
    run_budget: float = 240.0  #: how long one queue message works before it hands over (R32)
    overlap_minutes: int = 15  #: how far before the watermark a list of BC's changes begins (BC reference 3.5)
    feed_singly_most: int = 20  #: changes of BC up to this many are read by their ids, more of them as a list
    enumeration_most: int = 100_000  #: larger companies enumerate ids on a schedule (R14)
    enumeration_minutes: int = 60
    sweep_minutes: float = 60.0  #: a profile with a healthy subscription is polled this often
    subscription_minutes: float = 10_000.0  #: how long a subscription is asked for; Graph grants less than seven days
    renew_hours: float = 48.0  #: it is renewed this long before its end, to one and a half times as long
    run_gap: float = 2.5  #: least time between the starts of two runs of a mailbox that nobody asked for
    country_hours: int = 24  #: how long BC's list of countries is used
    log_lag_most: int = 5_000  #: a profile that lags further behind compares with the snapshot
    retry_first: float = 300.0  #: R31, doubling ...
    retry_most: float = 86_400.0  #: ... up to a day
    setup_probe: float = 900.0  #: R31
    create_settles: float = 600.0  #: BC may work this long on a create whose answer was lost (BC reference 8.1, 11.3)
    hold_days: float = 7.0  #: how long what is held may be approved (R26)
    retention_days: int = 30  #: how long reports, the journal and the change log are kept (R35, R36, R39)
    attempts_most: int = 5  #: how often a dying run is taken up again before it is closed as failed
    apply_batch: int = 200  #: operations of one side handed to an adapter before they are recorded
    feed_wait: float = 120.0  #: how long a requested run waits for another's refresh of the feed
    wait_most: float = 60.0  #: most that a caller may wait for the end of a run
    category: str = "Business Central"
    default_folder: str = "Business Central"


__all__ = ["LeaverLimits", "Limits", "SafetyLimits", "SwingLimits"]
