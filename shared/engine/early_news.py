"""The folder's change feed, asked for while the folder itself is looked for: most runs need both, and wait once."""

from concurrent.futures import Executor, Future
from dataclasses import dataclass

from shared.engine.model import Positions
from shared.engine.sides import OutlookChanges, OutlookSide


@dataclass(slots=True)
class EarlyNews:
    """One answer of the feed, or why there is none, for whoever asks with the same link first."""

    folder_id: str = ""
    delta_link: str = ""
    answer: Future[OutlookChanges] | None = None  #: None: nothing was asked, or it was handed out

    def changes(self, outlook: OutlookSide, folder_id: str, delta_link: str | None) -> OutlookChanges:
        """One round of the feed. Raises PositionExpired, FolderMissing."""
        answer = self.answer
        if answer is None or (folder_id, delta_link) != (self.folder_id, self.delta_link):
            return outlook.changes(folder_id, delta_link)
        self.answer = None
        return answer.result()


def ask_early(ahead: Executor, outlook: OutlookSide, positions: Positions) -> EarlyNews:
    """Ask the folder that was used last for what changed since; nothing is asked where no position is known."""
    folder_id, delta_link = positions.folder_id, positions.delta_link
    if not folder_id or not delta_link:
        return EarlyNews()
    return EarlyNews(folder_id, delta_link, ahead.submit(outlook.changes, folder_id, delta_link))
