"""Too many calls at once: those that have waited too long are told so at once, so that the others are answered in time.

The queue is what the kernel holds for gunicorn: connections that no worker has taken yet, and calls on kept connections
that no thread has read yet. How long a call has waited in it the kernel knows, too: since it came in nothing more was
received on its connection. So the queue is bounded in time, and it needs no counting between processes.
"""

import socket
import struct
from collections.abc import Mapping
from typing import Any

# tcpi_last_data_recv in struct tcp_info of Linux, milliseconds.
LAST_DATA_RECEIVED = 52


def waited_ms(environ: Mapping[str, Any]) -> int:
    """How long the call that is being answered has waited for a worker; 0 where that cannot be known (a Unix socket,
    another system than Linux, a test)."""
    connection = environ.get("gunicorn.socket")
    if connection is None or connection.family not in (socket.AF_INET, socket.AF_INET6):
        return 0
    try:
        found = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, LAST_DATA_RECEIVED + 4)
    except (AttributeError, OSError):
        return 0
    if len(found) < LAST_DATA_RECEIVED + 4:
        return 0
    return int(struct.unpack_from("=I", found, LAST_DATA_RECEIVED)[0])
