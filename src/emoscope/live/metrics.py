"""What the server counts and times, for Prometheus; nothing in it is of a person or of a recording."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.responses import Response

from .jobs import Job

SHORT_S = (0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0)
"""Upper ends of the classes of seconds for a picture: at 15 a second there is one every 0.067."""
LONG_S = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)


class Metrics:
    """The counters of one server.

    Args:
        streams: says how many are open.
        analyses: says how many are under way.
        queued: says how many wait.
    """

    def __init__(self, streams: Callable[[], int], analyses: Callable[[], int], queued: Callable[[], int]) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)  # memory, descriptors, CPU seconds; on Linux alone
        for name, text, count in (
            ("emoscope_streams", "live streams that are open", streams),
            ("emoscope_analyses", "analyses under way", analyses),
            ("emoscope_queue", "analyses that wait", queued),
        ):
            Gauge(name, text, registry=registry).set_function(count)
        self.requests = Counter(
            "emoscope_requests", "requests answered", ["method", "route", "status"], registry=registry
        )
        self.request_s = Histogram(
            "emoscope_request_seconds", "from a request to the end of its answer", ["route"],
            buckets=LONG_S, registry=registry,
        )  # fmt: skip
        self.jobs = Counter("emoscope_jobs", "analyses under /v1 that ended", ["state"], registry=registry)
        self.stage_s = Histogram(
            "emoscope_job_seconds", "of an analysis under /v1, by stage: waiting, looking, drawing", ["stage"],
            buckets=LONG_S, registry=registry,
        )  # fmt: skip
        self.pictures = Counter("emoscope_pictures", "pictures of streams that were scored", registry=registry)
        self.dropped = Counter("emoscope_pictures_dropped", "that newer ones replaced", registry=registry)
        self.picture_s = Histogram(
            "emoscope_picture_seconds", "of a picture of a stream, by stage: waiting, scoring", ["stage"],
            buckets=SHORT_S, registry=registry,
        )  # fmt: skip

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request."""
        self.requests.labels(method, route, str(status)).inc()
        self.request_s.labels(route).observe(seconds)

    def ended(self, job: Job) -> None:
        """Count a job that is over."""
        record = job.record
        self.jobs.labels(record.state).inc()
        stages = {"waiting": (record.began or record.created) - record.created, **job.stages}
        for stage, seconds in stages.items():
            self.stage_s.labels(stage).observe(max(0.0, seconds))

    def scored(self, waited_s: float, scored_s: float, dropped: int) -> None:
        """Count a picture, and those that were dropped since the last one."""
        self.pictures.inc()
        self.dropped.inc(dropped)
        self.picture_s.labels("waiting").observe(waited_s)
        self.picture_s.labels("scoring").observe(scored_s)

    def page(self) -> Response:
        """As Prometheus reads it."""
        return Response(generate_latest(self.registry), media_type=CONTENT_TYPE_LATEST)
