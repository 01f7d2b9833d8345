"""An alert as OCSF 1.8.0 Detection Finding: the shape that the schema lays down, also against the documents of OCSF."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alerting import HOSTILE, Clock, alert, case, published, webhook

from detect.outbox_raise import raise_alerts
from detect.people import people
from detect.sinks._ocsf import detection_finding

SCHEMA = Path(__file__).parents[3] / "shared/samples/ocsf/openshell.ocsf-1.8.0.api_activity.schema.json"
"""An OCSF 1.8.0 class as its server renders it: what the base event asks for is the same in every class."""

# name -> (type, is required); what class 2004 and the objects in it allow, of what we use.
SHAPES: dict[str, dict[str, tuple[Any, bool]]] = {
    "detection_finding": {
        "activity_id": (int, True), "activity_name": (str, False), "category_uid": (int, True),
        "category_name": (str, False), "class_uid": (int, True), "class_name": (str, False), "type_uid": (int, True),
        "type_name": (str, False), "severity_id": (int, True), "severity": (str, False), "status_id": (int, False),
        "status": (str, False), "time": (int, True), "message": (str, False), "is_alert": (bool, False),
        "metadata": ("metadata", True), "finding_info": ("finding_info", True), "unmapped": (dict, False),
        "confidence_score": (int, False), "confidence_id": (int, False), "confidence": (str, False),
        "impact_score": (int, False), "impact_id": (int, False), "impact": (str, False),
        "evidences": (["evidences"], False), "resources": (["resource_details"], False),
        "anomaly_analyses": (["anomaly_analysis"], False),
    },
    "metadata": {"version": (str, True), "product": ("product", True), "uid": (str, False),
                 "correlation_uid": (str, False), "logged_time": (int, False)},
    "product": {"name": (str, False), "vendor_name": (str, True), "version": (str, False)},
    "finding_info": {
        "uid": (str, True), "title": (str, False), "desc": (str, False), "modified_time": (int, False),
        "first_seen_time": (int, False), "last_seen_time": (int, False), "src_url": (str, False),
        "analytic": ("analytic", False), "related_analytics": (["analytic"], False), "attacks": (["attack"], False),
        "related_events": (["related_event"], False),
    },
    "analytic": {"name": (str, False), "uid": (str, False), "type_id": (int, True), "type": (str, False)},
    "attack": {"technique": ("technique", False), "sub_technique": ("technique", False)},
    "technique": {"uid": (str, False), "name": (str, False)},
    "related_event": {"uid": (str, True)},
    "evidences": {"api": ("api", False), "data": (dict, False)},
    "api": {"operation": (str, True)},
    "resource_details": {"name": (str, False)},
    "anomaly_analysis": {"analysis_targets": (["analysis_target"], True), "anomalies": (["anomaly"], True),
                         "baselines": (["anomaly"], False)},
    "analysis_target": {"name": (str, True), "type": (str, False)},
    "anomaly": {"observation_parameter": (str, True), "observations": (["observation"], True)},
    "observation": {"value": (str, True)},
}  # fmt: skip


def wrong(value: Any, shape: Any, at: str = "") -> Iterator[str]:
    """What in a value is not as its shape says."""
    if isinstance(shape, list):
        if not isinstance(value, list) or not value:
            yield f"{at}: not a filled list"
            return
        for number, each in enumerate(value):
            yield from wrong(each, shape[0], f"{at}[{number}]")
    elif isinstance(shape, str):
        fields = SHAPES[shape]
        yield from (f"{at}.{name}: not in {shape}" for name in value.keys() - fields.keys())
        yield from (f"{at}.{name}: missing" for name, (_, required) in fields.items() if required and name not in value)
        for name in value.keys() & fields.keys():
            yield from wrong(value[name], fields[name][0], f"{at}.{name}")
    elif type(value) is not shape:
        yield f"{at}: {type(value).__name__}, not {shape.__name__}"


@pytest.mark.parametrize(
    ("kind", "activity", "status", "is_alert"),
    [("created", 1, 1, True), ("updated", 2, 2, True), ("closed", 3, 4, False), ("summary", 99, 1, True)],
)
def test_every_kind_of_alert_is_a_detection_finding(kind: str, activity: int, status: int, is_alert: bool) -> None:
    finding = detection_finding(alert(kind))
    assert list(wrong(finding, "detection_finding")) == []
    assert (finding["class_uid"], finding["activity_id"], finding["type_uid"]) == (2004, activity, 200_400 + activity)
    assert (finding["status_id"], finding["severity_id"], finding["is_alert"]) == (status, 4, is_alert)
    assert finding["finding_info"]["uid"] == "c1"
    assert finding["metadata"]["uid"] == "5f0e9d0c-0001"


def test_what_was_observed_stands_beside_its_baseline() -> None:
    analyses = detection_finding(alert())["anomaly_analyses"]
    assert len(analyses) == 3
    (observed,), (expected,) = analyses[0]["anomalies"][0]["observations"], analyses[0]["baselines"][0]["observations"]
    assert (observed, expected) == ({"value": "delete_bucket on b1"}, {"value": "0 of 40 sessions"})
    assert analyses[0]["analysis_targets"] == [{"name": "triage", "type": "AI agent"}]


def test_techniques_of_attack_and_atlas_are_told_apart_from_their_sub_techniques() -> None:
    attacks = detection_finding(alert())["finding_info"]["attacks"]
    assert attacks == [
        {"technique": {"uid": "T1098"}, "sub_technique": {"uid": "T1098.001"}},
        {"technique": {"uid": "AML.T0053"}},
    ]


def test_times_are_milliseconds() -> None:
    info = detection_finding(alert())["finding_info"]
    assert (info["first_seen_time"], info["last_seen_time"]) == (1_772_452_800_000, 1_772_452_801_000)
    undated = detection_finding(alert(first_at=None, last_at=None))["finding_info"]
    assert not {"first_seen_time", "last_seen_time"} & set(undated)


def test_hostile_content_changes_no_shape() -> None:
    assert list(wrong(detection_finding(alert(text=HOSTILE)), "detection_finding")) == []


def test_the_biggest_case_stays_under_twenty_kilobytes_in_every_body(tmp_path: Path) -> None:
    from detect.outbox import alert_of
    from detect.sinks._bodies import encoded

    huge = case(
        "huge", agents=[f"agent-{n}-" + "€" * 400 for n in range(40)], detectors=tuple("abcdefgh"), steps=500,
        tool="x" * 3000, title="\x01" * 3000, target="\U0001f600" * 3000,
    )  # fmt: skip
    raise_alerts(tmp_path, published(huge), webhook("https://192.0.2.1/"), Clock())
    with people(tmp_path) as outbox:
        whole = alert_of(outbox.execute("select * from alerts").fetchone())
    assert whole.content["is_shortened"] is True
    assert (whole.content["steps"], whole.content["findings"]) == (500, 8)
    assert list(wrong(detection_finding(whole), "detection_finding")) == []
    for format in ("custodiet", "ocsf"):
        assert len(encoded(whole, format, "cloudevents")) < 20_000  # type: ignore[arg-type]


def test_the_base_event_is_as_the_documents_of_ocsf_say() -> None:
    if not SCHEMA.exists():
        pytest.skip("the documents of OCSF are not here")
    attributes = json.loads(SCHEMA.read_text())["attributes"]
    of_profiles = {"cloud", "osint"}  # required where those profiles are applied
    of_class = {"actor", "api", "src_endpoint"}
    finding = detection_finding(alert())
    required = {name for name, said in attributes.items() if said["requirement"] == "required"} - of_profiles - of_class
    assert required <= set(finding)
    types = {"integer_t": int, "long_t": int, "string_t": str, "timestamp_t": int, "boolean_t": bool, "object_t": dict}
    for name, value in finding.items():
        if (said := attributes.get(name)) is None:
            continue
        if said.get("is_array"):
            assert isinstance(value, list), name
        else:
            assert isinstance(value, types[said["type"]]), name
        if name in ("severity_id", "confidence_id"):
            assert said["enum"][str(value)]["caption"] == finding[name.removesuffix("_id")], name
