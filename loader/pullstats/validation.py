"""Types of values from outside, and the messages of their faults."""

from typing import Annotated

from pydantic import AfterValidator, Field, ValidationError


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("it can't be printed")
    return text


Text = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_printable)]


def fault(error: ValidationError) -> str:
    """Return the first fault as one line: where, what, and the value."""
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"])) or "JSON"
    return f"{place}: {first['msg']}: {first['input']!r:.90}"
