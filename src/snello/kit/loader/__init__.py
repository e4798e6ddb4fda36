"""The loader: Singer messages into Delta tables, a column at a time.

``LakeTarget`` is the Singer target, ``Settings`` what it can be told. The path of a record: ``messages`` reads lines,
``run`` hands them to streams and lets state out, ``stream`` holds a stream's batch, ``decoding`` makes columns of it
and finds what does not fit, ``snello.lake`` commits it.
"""

from snello.kit.loader.target import LakeTarget, Settings

__all__ = ["LakeTarget", "Settings"]
