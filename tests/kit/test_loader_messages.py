"""Lines come whole, however the pipe cuts them."""

from __future__ import annotations

import io
import os

from hypothesis import given, settings
from hypothesis import strategies as st

from snello.kit.loader import messages as module
from snello.kit.loader.messages import BrokenLine, Message, chunks, messages

CALM = settings(deadline=None)  # a busy machine is no fault


class Trickle(io.BytesIO):
    """Gives what is asked for in pieces of the sizes told."""

    def __init__(self, content: bytes, sizes: list[int]) -> None:
        super().__init__(content)
        self.sizes = sizes

    def read(self, size: int | None = -1) -> bytes:
        return super().read(self.sizes.pop() if self.sizes else size)


@CALM
@given(
    st.lists(st.binary(max_size=9).map(lambda line: line.replace(b"\n", b""))),
    st.lists(st.integers(1, 5)),
    st.booleans(),
)
def test_chunks_put_together_are_the_input_and_end_with_a_line(
    lines: list[bytes], sizes: list[int], ended: bool
) -> None:
    content = b"\n".join(lines) + (b"\n" if ended and lines else b"")
    found = list(chunks(Trickle(content, sizes), patience=1))
    assert b"".join(found) == content
    assert all(chunk.endswith(b"\n") for chunk in found[:-1])


def test_silence_on_a_pipe_yields_an_empty_chunk_so_that_waiting_rows_may_be_committed() -> None:
    reading, writing = os.pipe()
    with open(reading, "rb") as source:
        os.write(writing, b"one\ntw")
        found = chunks(source, patience=0.01)
        assert [next(found), next(found)] == [b"one\n", b""]
        os.write(writing, b"o\n")
        os.close(writing)
        assert [chunk for chunk in found if chunk] == [b"two\n"]


def test_a_line_longer_than_a_read_is_one_chunk() -> None:
    line = b"x" * (3 * module._CHUNK) + b"\n"
    assert list(chunks(io.BytesIO(line), patience=1)) == [line]


def test_one_broken_line_leaves_the_messages_around_it_whole() -> None:
    found = messages(b'{"type": "STATE", "value": 1}\n\n{"type":\n  {"type": "RECORD", "stream": "s"}\r\n')
    assert [type(message) for message in found] == [Message, BrokenLine, Message]
    assert [message.type for message in found if isinstance(message, Message)] == ["STATE", "RECORD"]
