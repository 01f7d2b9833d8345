"""An alert as OCSF 1.8.0 Detection Finding (class 2004), with the baselines that it deviates from.

A finding is mutable: Create, Update and Close go under one `finding_info.uid`. `metadata.uid` is the alert's own id.
"""

from __future__ import annotations

from datetime import datetime
from importlib.metadata import version
from typing import Any, Final

from detect.sinks import Alert

SCHEMA_VERSION: Final = "1.8.0"
_CLASS: Final = 2004
_ACTIVITIES: Final = {"created": (1, "Create"), "updated": (2, "Update"), "closed": (3, "Close")}
_STATUSES: Final = {"created": (1, "New"), "updated": (2, "In Progress"), "closed": (4, "Resolved")}
_SEVERITIES: Final = {
    "info": (1, "Informational"), "low": (2, "Low"), "medium": (3, "Medium"), "high": (4, "High"),
    "critical": (5, "Critical"),
}  # fmt: skip
_CONFIDENCES: Final = ((0.75, 3, "High"), (0.4, 2, "Medium"), (0.0, 1, "Low"))
_IMPACTS: Final = ((0.9, 4, "Critical"), (0.65, 3, "High"), (0.4, 2, "Medium"), (0.0, 1, "Low"))
_BEHAVIORAL: Final = 2


def detection_finding(alert: Alert) -> dict[str, Any]:
    """The finding as a dict of the class's names. Times are milliseconds since 1970."""
    content = alert.content
    activity_id, activity = _ACTIVITIES.get(alert.kind, (99, alert.kind))
    status_id, status = _STATUSES.get(alert.kind, (1, "New"))
    severity_id, severity = _SEVERITIES[alert.severity]
    raised_ms = int(alert.raised_at * 1000)
    finding: dict[str, Any] = {
        "activity_id": activity_id,
        "activity_name": activity,
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": _CLASS,
        "class_name": "Detection Finding",
        "type_uid": _CLASS * 100 + activity_id,
        "type_name": f"Detection Finding: {activity}",
        "severity_id": severity_id,
        "severity": severity,
        "status_id": status_id,
        "status": status,
        "time": raised_ms,
        "message": content["title"],
        "is_alert": alert.kind != "closed",
        "metadata": {
            "version": SCHEMA_VERSION,
            "uid": alert.alert_id,
            "correlation_uid": alert.case_id,
            "logged_time": raised_ms,
            "product": {"name": "custodiet", "vendor_name": "custodiet", "version": version("custodiet")},
        },
        "finding_info": _finding_info(alert, raised_ms),
        "unmapped": {
            "revision": alert.revision,
            **{name: content[name] for name in ("sessions", "steps", "closed_why", "grouped", "cases", "is_shortened")
               if name in content},
        },
    }  # fmt: skip
    if "anomaly" in content:
        finding |= _graded("confidence", content["anomaly"], _CONFIDENCES)
        finding |= _graded("impact", content["impact"], _IMPACTS)
    if path := content.get("path"):
        finding["evidences"] = [_evidence(step) for step in path]
    if targets := list(dict.fromkeys(step["target"] for step in content.get("path", []) if step["target"])):
        finding["resources"] = [{"name": target} for target in targets]
    if reasons := content.get("reasons"):
        finding["anomaly_analyses"] = [_analysis(reason) for reason in reasons]
    return finding


def _finding_info(alert: Alert, raised_ms: int) -> dict[str, Any]:
    content = alert.content
    info = {
        "uid": alert.case_id,
        "title": content["title"],
        "desc": content["why"],
        "modified_time": raised_ms,
        "first_seen_time": _ms(content.get("first_at")),
        "last_seen_time": _ms(content.get("last_at")),
        "src_url": content.get("link"),
        "analytic": _analytic(content["detectors"][0]) if content.get("detectors") else None,
        "related_analytics": [_analytic(name) for name in content.get("detectors", [])[1:]] or None,
        "attacks": [_attack(technique) for technique in content.get("techniques", [])] or None,
        "related_events": [{"uid": step["event_id"]} for step in content.get("path", [])] or None,
    }
    return {name: value for name, value in info.items() if value is not None}


def _analytic(detector: str) -> dict[str, Any]:
    return {"name": detector, "uid": detector, "type_id": _BEHAVIORAL, "type": "Behavioral"}


def _attack(technique: str) -> dict[str, Any]:
    """ATT&CK writes a sub-technique as `T1098.001`, ATLAS as `AML.T0053.000`."""
    whole, dot, _ = technique.rpartition(".")
    if dot and whole not in ("", "AML"):
        return {"technique": {"uid": whole}, "sub_technique": {"uid": technique}}
    return {"technique": {"uid": technique}}


def _evidence(step: dict[str, Any]) -> dict[str, Any]:
    return {"api": {"operation": step["tool"]}, "data": step} if step["tool"] else {"data": step}


def _analysis(reason: dict[str, Any]) -> dict[str, Any]:
    return {
        "analysis_targets": [{"name": reason["agent_id"], "type": "AI agent"}],
        "anomalies": [{"observation_parameter": reason["detector"], "observations": [{"value": reason["observed"]}]}],
        "baselines": [{"observation_parameter": reason["detector"], "observations": [{"value": reason["expected"]}]}],
    }


def _graded(name: str, share: float, grades: tuple[tuple[float, int, str], ...]) -> dict[str, Any]:
    _, grade_id, grade = next(g for g in grades if share >= g[0])
    return {f"{name}_score": round(share * 100), f"{name}_id": grade_id, name: grade}


def _ms(iso: str | None) -> int | None:
    return None if iso is None else int(datetime.fromisoformat(iso[:23].rstrip("Z") + "+00:00").timestamp() * 1000)
