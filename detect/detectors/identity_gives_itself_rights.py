from __future__ import annotations

from baseline.history import History
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.step import Step


@detector(needs=("credential_id",), techniques=("T1098", "T1098.003", "T1548"), shows="movement")
def identity_gives_itself_rights(
    step: Step, facts: Facts, history: History, *, anomaly: float = 0.96
) -> Finding | None:
    """With a credential that somebody had just taken, rights were given to the very identity that it stands for.

    Quiet: where a person approved the step; where the agent gave rights to this one before.
    Misses: a log that does not say for whom a credential was made.
    Method: privilege escalation by self-grant, as Kubernetes' and the clouds' own documentation warns of (escalate and
    bind verbs, iam:PutUserPolicy on oneself).
    """
    took = facts.raises_own
    if took is None or facts.coverage.is_covered or not step.is_done:
        return None
    if not (facts.has_history or history.is_enough(took.agent_id)):
        return None
    return Finding(
        title="an identity gave itself rights",
        observed=f"{took.tool} by {took.agent_id} took a credential; with it {step.tool} gave rights to whom it is for",
        expected="rights are given by somebody who has them already, or with a person's yes",
        anomaly=anomaly,
        path=(took, step),
    )
