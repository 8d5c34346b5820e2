"""Whether programs that others wrote, long ago, settle against the gateway unmodified: `python -m conformance`.

What is checked is the interface as its text and real programs have it, from the answers alone; nothing here is a part
of the portal.
"""
