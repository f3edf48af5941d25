"""What a collector of OpenTelemetry gets of a page that is opened."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import streamlit as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.support.app_test import Open
from ui.monitoring import tracing


class Collector(HTTPServer):
    """It keeps the spans that are sent to it."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        sent = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["content-length"])))
        for resource in sent.resource_spans:
            for scope in resource.scope_spans:
                self.server.spans.extend(scope.spans)
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def attributes(span: Span) -> dict[str, str]:
    return {one.key: one.value.string_value or str(one.value.int_value) for one in span.attributes}


def test_a_page_is_a_span_and_its_requests_to_azure_are_below_it(
    open_view: Open, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{collector.server_port}")
    open_view("overview.py")  # Nothing is sent before.
    st.cache_resource.clear()
    with tracing.tracing():
        for script in ("repositories.py", "tokens.py"):
            assert not open_view(script, registry="contosoci").exception
    pages = {span.trace_id: span for span in collector.spans if span.name.startswith("page ")}
    assert {span.name for span in pages.values()} == {"page Repositories and tags", "page Tokens"}
    assert all(span.status.code == 0 for span in pages.values())
    # Below a page's: within one of the SDK's for its method, or alone.
    below = [span for span in collector.spans if span.trace_id in pages and span.kind == Span.SPAN_KIND_CLIENT]
    requests = [attributes(span) for span in below]
    assert any("/subscriptions/" in one["url.full"] for one in requests)
    assert any("/acr/v1/_catalog" in one["url.full"] for one in requests)
    for one in requests:
        assert one["http.response.status_code"] == "200"
        assert not [part for part in one["url.full"].partition("?")[2].split("&") if "REDACTED" not in part.upper()
                    and part and not part.startswith("api-version=")]  # fmt: skip
    collector.spans.clear()
    open_view("inventory.py")
    assert not collector.spans


def test_a_collector_without_the_packages_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setattr(tracing, "find_spec", lambda _name: None)
    with pytest.raises(ValueError, match=r"requirements-telemetry\.txt"), tracing.tracing():
        pass
