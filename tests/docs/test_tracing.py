"""The recipe for OpenTelemetry, as it is printed, with the SDK's exporter in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from hatcher.api import BroodClient
from hatcher.errors import NotConnectedError, NotFoundError
from hatcher.testing import Answer, ScriptedServer

from ..examples import SERVER, Reader, examples_of, reading

PAGE = Path(__file__).parent.parent.parent / "docs" / "tracing.md"


@pytest.fixture(scope="module")
def exporter() -> InMemorySpanExporter:
    made, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(made))
    trace.set_tracer_provider(provider)  # can be set once in a process
    return made


@pytest.fixture
def reader(tmp_path: Path, exporter: InMemorySpanExporter) -> Iterator[Reader]:
    """Somebody who has typed in the recipe."""
    exporter.clear()
    with reading(tmp_path, furnished=True) as made:
        made.namespace["BroodClient"] = BroodClient
        made.run(example for example in examples_of(PAGE) if example.section == "OpenTelemetry")
        yield made


def attributes(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


def test_it_makes_a_span_for_each_request(reader, exporter):
    *requests, around = exporter.get_finished_spans()
    assert around.name == "nightly"
    upload = requests[-1]
    assert upload.name == "v1_upload_egg"
    assert upload.kind is SpanKind.CLIENT
    assert upload.parent is not None and around.context is not None
    assert upload.parent.span_id == around.context.span_id
    assert attributes(upload) == {
        "http.request.method": "POST",
        "url.full": f"{reader.addresses[SERVER]}/api/v1/json/data/acme/dev/rh8-x86_64/eggs/upload",
        "http.response.status_code": 201,
    }
    assert upload.status.status_code is StatusCode.UNSET


def test_it_sends_traceparent(reader, exporter):
    with ScriptedServer(Answer(200, {}, b'{"platforms": []}')) as server:
        client = BroodClient.from_url(
            server.url,
            on_request=reader.namespace["begin_span"],
            on_response=reader.namespace["end_span"],
        )
        client.list_platforms()
        sent = server.requests[0].headers["traceparent"]
    context = exporter.get_finished_spans()[-1].context
    assert context is not None
    assert sent.startswith(f"00-{context.trace_id:032x}-{context.span_id:016x}-")


def test_it_tells_errors(reader, exporter):
    with ScriptedServer(Answer(404)) as server:
        options = {
            "on_request": reader.namespace["begin_span"],
            "on_response": reader.namespace["end_span"],
        }
        client = BroodClient.from_url(server.url, retries=0, **options)
        with pytest.raises(NotFoundError):
            client.list_platforms()
    span = exporter.get_finished_spans()[-1]
    assert span.status.status_code is StatusCode.ERROR
    assert attributes(span)["http.response.status_code"] == 404

    client = BroodClient.from_url(server.url, retries=0, **options)
    with pytest.raises(NotConnectedError):
        client.list_platforms()
    span = exporter.get_finished_spans()[-1]
    assert span.status.status_code is StatusCode.ERROR
    assert "no connection" in (span.status.description or "")
    assert [event.name for event in span.events] == ["exception"]
    assert "http.response.status_code" not in attributes(span)
