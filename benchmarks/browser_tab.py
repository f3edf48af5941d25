"""A browser tab without the browser: Streamlit's own protocol on its websocket, so that the server alone is timed."""

import time
from types import TracebackType
from typing import Self

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

ANSWERS_WITHIN_S = 60


class BrowserTab:
    """One session at `address`. It remembers what it was sent, as a browser does, and is sent that only once."""

    def __init__(self, address: str) -> None:
        url = address.replace("http", "ws", 1) + "/_stcore/stream"
        self._socket = connect(url, subprotocols=["streamlit"], max_size=None, compression=None)  # type: ignore[list-item]
        self._seen: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def run(self, page: str, query: str = "") -> tuple[float, list[ForwardMsg]]:
        """Runs `page` (its URL path) once more; the seconds until its script has ended, and what came."""
        ask = BackMsg()
        ask.rerun_script.page_name = page
        ask.rerun_script.query_string = query
        ask.rerun_script.cached_message_hashes.extend(self._seen)
        begun = time.perf_counter()
        self._socket.send(ask.SerializeToString())
        messages: list[ForwardMsg] = []
        while not (messages and _ends(messages[-1])):
            messages.append(ForwardMsg.FromString(self._socket.recv(ANSWERS_WITHIN_S)))  # type: ignore[arg-type]
        took = time.perf_counter() - begun
        self._seen.update(message.hash for message in messages if message.metadata.cacheable)
        return took, messages


def _ends(message: ForwardMsg) -> bool:
    """Whether the run is over. A run that ends early is one that another follows: st.rerun, st.switch_page."""
    return message.WhichOneof("type") == "script_finished" and message.script_finished in (
        ForwardMsg.FINISHED_SUCCESSFULLY,
        ForwardMsg.FINISHED_WITH_COMPILE_ERROR,
    )


def kinds(messages: list[ForwardMsg]) -> list[str]:
    """The kinds of element that a run sent: heading, arrow_data_frame, metric, …"""
    return [
        str(message.delta.new_element.WhichOneof("type"))
        for message in messages
        if message.delta.HasField("new_element")
    ]
