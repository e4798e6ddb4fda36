"""The connector kit: what every tap and target shares, so that a connector says only what its API is.

Its modules are its public face: ``entry`` (the command), ``configuration`` (settings), ``redact`` (clean logs),
``records`` (Arrow to Singer lines), ``quarantine`` (refused rows), ``rest`` (taps over HTTP), ``files`` (taps over
files), and those of the SQL reader, the loader and the activation target.
"""
