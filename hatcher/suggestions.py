"""What may have been meant by a name that is not known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def alike(name: str, known: Iterable[str], most: int = 3, least: float = 0.6) -> tuple[str, ...]:
    """Return the known names that are like one, whatever their case, the likeliest first."""
    # Imported here, for those who name what there is: it takes 5 ms.
    from difflib import get_close_matches

    by_lower = {candidate.lower(): candidate for candidate in known}
    close = get_close_matches(name.lower(), by_lower, n=most, cutoff=least)
    return tuple(by_lower[candidate] for candidate in close)


def question(names: Sequence[str]) -> str:
    """Return ``Did you mean 'acme' or 'acne'?``; nothing for no names."""
    return f"Did you mean {' or '.join(map(repr, names))}?" if names else ""
