"""What no log may hold: the row that PostgreSQL prints with an error, ID numbers, telephones.

Used by `LOGGING`; Celery and gunicorn bring handlers of their own, which `keep_discreet` takes in.
"""

import logging
import re
from collections.abc import Iterator

from django.db import Error

from accounts import masks

# What follows an error's first line, up to where something else clearly begins; within a repr it is one line.
PARTS = re.compile(
    r"(?:\\n|\n|^)[ \t|]*(?:DETAIL|HINT|CONTEXT|QUERY|LINE [0-9]+):.*"
    r'(?:\n(?![ \t|]*(?:$|Traceback \(|The above exception|During handling|File ")).+)*',
    re.MULTILINE,
)
ID_NUMBER = re.compile(r"(?<![0-9A-Za-z])[1-9][0-9]{16}[0-9Xx](?![0-9A-Za-z])")
PHONE = re.compile(r"(?<![0-9A-Za-z])(?:\+?86)?(1[3-9][0-9]{9})(?![0-9A-Za-z])")


class DiscreetFormatter(logging.Formatter):
    """A line of the log, its traceback included, without what identifies a person."""

    def format(self, record: logging.LogRecord) -> str:
        return discreet(super().format(record), record)


class _Around(logging.Formatter):
    """The same around a formatter that something else has brought."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self.inner = inner

    def format(self, record: logging.LogRecord) -> str:
        return discreet(self.inner.format(record), record)


def keep_discreet(*loggers: logging.Logger) -> None:
    """Take in the handlers of these loggers; twice is as once."""
    for logger in loggers:
        for handler in logger.handlers:
            if not isinstance(handler.formatter, DiscreetFormatter | _Around):
                handler.setFormatter(_Around(handler.formatter or logging.Formatter()))


def discreet(text: str, record: logging.LogRecord) -> str:
    """`text` as the log may hold it: of a database error only the first line; numbers masked."""
    for error in _database_errors(record):
        # Word for word first: a value of a row may hold line breaks, after which no pattern knows where it ends.
        whole = str(error)
        text = text.replace(whole, whole.split("\n", 1)[0])
    text = PARTS.sub("", text)
    text = ID_NUMBER.sub(lambda found: masks.mask_id(found[0]), text)
    return PHONE.sub(lambda found: masks.mask_phone(found[1]), text)


def _database_errors(record: logging.LogRecord) -> Iterator[BaseException]:
    """Django's and, beneath them, the driver's, wherever they stand in the chain or among what is to be written."""
    args = record.args.values() if isinstance(record.args, dict) else record.args or ()
    waiting = [arg for arg in args if isinstance(arg, BaseException)]
    if record.exc_info and record.exc_info[1] is not None:
        waiting.append(record.exc_info[1])
    seen: set[int] = set()
    while waiting:
        error = waiting.pop()
        if id(error) in seen:
            continue
        seen.add(id(error))
        waiting += [each for each in (error.__cause__, error.__context__) if each is not None]
        if isinstance(error, BaseExceptionGroup):
            waiting += error.exceptions
        # The driver's own class need not be known here: Django's error names it as its cause.
        if isinstance(error, Error):
            yield error
