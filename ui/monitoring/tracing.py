"""Traces for OpenTelemetry, where its packages are installed (requirements-telemetry.txt) and a collector is named.

A span for each run of a page, and below it one for each request to Azure that it makes or begins in the background.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib.util import find_spec

from azure.core.settings import settings as azure_settings

from services.connection.version import VERSION

# OpenTelemetry's own settings; either names the collector.
ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_spans: list[Callable[[str], AbstractContextManager[object]]] = []


def span(name: str) -> AbstractContextManager[object]:
    """A span around what is done within, or nothing where there is no collector. Its name is never a person's
    or a registry's."""
    return _spans[0](name) if _spans else nullcontext()


@contextmanager
def tracing() -> Iterator[None]:
    """Sends spans to the collector that the environment names, and at the end those that are left.

    Raises ValueError where one is named and OpenTelemetry is not installed.
    """
    if not any(os.environ.get(name) for name in ENDPOINTS):
        yield
        return
    if not find_spec("opentelemetry.sdk"):
        raise ValueError("a collector of traces is named, and requirements-telemetry.txt is not installed")
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    service = {SERVICE_NAME: os.environ.get("OTEL_SERVICE_NAME", "acr-console"), SERVICE_VERSION: VERSION}
    provider = TracerProvider(resource=Resource.create(service))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    tracer = provider.get_tracer("acr_console", VERSION)

    def begin(name: str) -> AbstractContextManager[object]:
        # A page that runs again, or stops, ends by an exception: no failure.
        return tracer.start_as_current_span(name, record_exception=False, set_status_on_exception=False)

    azure_settings.tracing_enabled = True
    _spans.append(begin)
    try:
        yield
    finally:
        _spans.remove(begin)
        azure_settings.tracing_enabled = False
        provider.shutdown()
