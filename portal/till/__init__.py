"""The till: plays a pharmacy and a clinic of the demo through the real interface, over HTTP and with the institution's key.

`views` -> `steps` (what follows what, what is sent) -> `calling` (the line) -> `visit` (what is so far, in the session).
"""
