"""How long we go on asking a Hub that is busy."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from facet.errors import HubError
from facet.hub.errors import Thing
from facet.hub.writing import Busy

MOST_TRIES: Final = 6  # in a row
MOST_SECONDS: Final = 120.0  # of waiting, in all
FIRST_SECONDS: Final = 1.0  # doubled every time
T = TypeVar("T")


@dataclass
class Patience:
    """`public`: something is public already, so that what we say about it stays true."""

    sleep: Callable[[float], None]
    say: Callable[[str, float], None]
    share: float = 0.0
    public: bool = False
    thing: Thing = "model"
    waited: float = 0.0

    @property
    def kept(self) -> str:
        return "What was public before is still there." if self.public else "Nothing public was changed."

    def ask(self, call: Callable[[], T]) -> T:
        """The answer, asked for again while the Hub is busy.

        Raises: `HubError` when it stays so.
        """
        tries = 0
        while True:
            try:
                answer = call()
            except Busy as busy:
                self.wait(busy, tries)
                tries += 1
            else:
                return answer

    def wait(self, busy: Busy, tries: int) -> None:
        """Raises: `HubError` when there were too many tries, or when the Hub asks for more time than we give."""
        seconds = busy.seconds if busy.seconds is not None else FIRST_SECONDS * 2**tries
        if tries >= MOST_TRIES or self.waited + seconds > MOST_SECONDS:
            raise _given_up(busy, seconds, self.kept, self.thing) from busy
        self.waited += seconds
        self.say(f"{busy.words} Asking again in {seconds:.0f} seconds", self.share)
        self.sleep(seconds)


def _given_up(busy: Busy, seconds: float, kept: str, thing: Thing) -> HubError:
    when = f"in {seconds / 60:.0f} minutes" if seconds > MOST_SECONDS else "in a few minutes"
    return HubError(
        f"The {thing} could not be published to the end.",
        f"{busy.words} {kept}",
        f"Press “Publish” again {when}: it goes on where it stopped.",
    )
