class ServiceError(Exception):
    """A house service cannot be had; the text is one line for the person at the terminal: what, and what to do."""
