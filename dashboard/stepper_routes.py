"""What the stepping component fetches, apart from Streamlit's own socket: a step costs no script run.

All answers are JSON for this origin only, and hold text that `visible` has already passed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dashboard.card import ALL
from dashboard.queries_of_session import raw
from dashboard.stepper_blocks import BLOCK, block, matches, overview
from dashboard.stepper_session import Opened, opened
from ingest.errors import Trouble
from ingest.visible import payload, visible

PREFIX: Final = "/replay-data"
LONGEST_TEXT: Final = 200
_encoder: Final = msgspec.json.Encoder()
_HEADERS: Final = {"cache-control": "no-store"}


def _overview(session: Opened, _: Request) -> Any:
    return overview(session)


def _block(session: Opened, request: Request) -> Any:
    return block(session, _number(request, "block", (session.last - 1) // BLOCK))


def _matching(session: Opened, request: Request) -> Any:
    return {"matches": matches(session, request.query_params.get("text", "")[:LONGEST_TEXT])}


def _payload(session: Opened, request: Request) -> Any:
    stored = _raw_of(session, request)
    field = request.query_params.get("field")
    text = stored["result"] if field == "result" else stored["arguments"]
    return {"text": payload(text or "", ALL)}


def _raw(session: Opened, request: Request) -> Any:
    fields = _raw_of(session, request)
    return {
        "fields": [
            (name, visible(value, ALL if name in ("arguments", "result") else 4_000, lines=True))
            for name, value in fields.items()
            if value is not None
        ],
        "empty": [name for name, value in fields.items() if value is None],
    }


def _raw_of(session: Opened, request: Request) -> dict[str, Any]:
    step = _number(request, "step", session.last, first=1)
    return raw(session.connect(), session.files, session.steps.row(step - 1, named=True))


def _number(request: Request, name: str, last: int, first: int = 0) -> int:
    try:
        return min(max(int(request.query_params.get(name, "")), first), last)
    except ValueError:
        return first


def _answering(answer: Callable[[Opened, Request], Any]) -> Callable[[Request], Response]:
    def answering(request: Request) -> Response:
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return _json({"trouble": "Only this dashboard's own pages may ask."}, 403)
        try:
            generation = request.query_params.get("generation", "")
            wanted = int(generation) if generation.isdecimal() and len(generation) < 19 else None
            session = opened(request.query_params.get("session", ""), wanted)
            if session is None:
                return _json({"trouble": "This session is not in the published data any more."}, 404)
            return _json(answer(session, request))
        except Trouble as trouble:
            return _json({"trouble": visible(trouble, 2_000)}, 503)

    return answering


def _json(body: Any, status: int = 200) -> Response:
    return Response(_encoder.encode(body), status, _HEADERS, "application/json")


ROUTES: Final = [
    Route(f"{PREFIX}/{name}", _answering(answer), methods=["GET"])
    for name, answer in (
        ("overview", _overview), ("block", _block), ("matching", _matching), ("payload", _payload), ("raw", _raw),
    )
]  # fmt: skip
