"""A browser tab without the browser: Streamlit's own protocol on its websocket, so that the server alone is timed."""

import socket
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

ANSWERS_WITHIN_S = 60
BLOCK = 1024 * 1024


class BrowserTab:
    """One session at `address`. It remembers what it was sent, as a browser does, and is sent that only once.

    `cookie` is sent with the handshake.
    """

    def __init__(self, address: str, cookie: str = "") -> None:
        server = urlsplit(address)
        uri = parse_uri(f"ws://{server.netloc}/_stcore/stream")
        # The protocol alone: the library's connection would pass each message from thread to thread.
        self._protocol = ClientProtocol(uri, subprotocols=[Subprotocol("streamlit")], max_size=None)
        self._socket = socket.create_connection((server.hostname, server.port), ANSWERS_WITHIN_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._seen: set[str] = set()
        request = self._protocol.connect()
        if cookie:
            request.headers["Cookie"] = cookie
        self._protocol.send_request(request)
        self._flush()
        while not self._protocol.handshake_exc and self._protocol.state.name == "CONNECTING":
            self._protocol.receive_data(self._socket.recv(BLOCK))
        if self._protocol.handshake_exc:
            raise self._protocol.handshake_exc
        self._frames = self._arriving()

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
        self._protocol.send_binary(ask.SerializeToString())
        self._flush()
        messages: list[ForwardMsg] = []
        while not (messages and _ends(messages[-1])):
            messages.append(ForwardMsg.FromString(next(self._frames)))
        took = time.perf_counter() - begun
        self._seen.update(message.hash for message in messages if message.metadata.cacheable)
        return took, messages

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            self._socket.sendall(data)

    def _arriving(self) -> Iterator[bytes]:
        """The messages, as they come."""
        while True:
            for event in self._protocol.events_received():
                if isinstance(event, Frame) and event.opcode is Opcode.BINARY:
                    yield bytes(event.data)
            self._flush()
            data = self._socket.recv(BLOCK)
            if not data:
                raise ConnectionError("The console closed the session")
            self._protocol.receive_data(data)


def _ends(message: ForwardMsg) -> bool:
    """Whether the run is over. A run that ends early is one that another follows: st.rerun, st.switch_page."""
    return message.WhichOneof("type") == "script_finished" and message.script_finished in (
        ForwardMsg.FINISHED_SUCCESSFULLY,
        ForwardMsg.FINISHED_WITH_COMPILE_ERROR,
    )


def kinds(messages: list[ForwardMsg]) -> list[str]:
    """The kinds of element that a run sent: heading, dataframe, metric, …"""
    elements = [message.delta.new_element for message in messages if message.delta.HasField("new_element")]
    return [str(element.WhichOneof("type")) for element in elements]
