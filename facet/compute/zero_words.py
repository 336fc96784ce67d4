"""What a person hears when a card of ZeroGPU cannot be had, or was lent for too short a time."""

from typing import Final

from facet.compute.zero_quota import Left, Refusal
from facet.errors import AccessError, CapacityError, FacetError

LEFT_THE_PAGE: Final = "The page was closed; it goes on when you open it again."


def refused(refusal: Refusal, left: Left) -> FacetError:
    """Why there is no reply; `left` is what the person has left today."""
    if refusal.kind == "quota":
        return no_minutes(left)
    if refusal.kind == "expired":
        return AccessError(
            "The page's pass for a graphics card has run out.",
            "Hugging Face gives it for a while when the page is opened.",
            "Reload the page and send again; your text is kept.",
        )
    if refusal.kind == "taken away":
        return cut_off()
    return CapacityError(
        "No graphics card is free at the moment.",
        "They are shared by everyone on Hugging Face.",
        "Send again in half a minute; your text is kept.",
    )


def no_minutes(left: Left) -> CapacityError:
    return CapacityError(
        "Your minutes on the graphics card are used up.",
        f"{left.words[:1].upper()}{left.words[1:]}; they come back within a day.",
        "Try again later, or talk to the Facet starter, which needs no graphics card.",
    )


def cut_off() -> CapacityError:
    return CapacityError(
        "The reply was cut off.",
        "The graphics card is lent for a short time, and it was over.",
        "Press “Retry”, or lower “Longest reply”; your text is kept.",
    )
