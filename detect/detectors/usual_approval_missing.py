from __future__ import annotations

from baseline.history import History
from detect.containment import takes_away
from detect.detectors import Finding, detector
from detect.facts import Facts
from detect.step import Step
from detect.usual_yes import LEAST_SESSIONS


@detector(needs=("tool",), techniques=("AML.T0053", "T1078"), shows="novelty")
def usual_approval_missing(
    step: Step,
    facts: Facts,
    history: History,
    *,
    usual: float = 0.1,
    least_of_all: int = 50,
    usual_of_all: float = 0.03,
    impact: float = 0.7,
) -> Finding | None:
    """The agent did without a yes, or with one for other arguments, what a person had approved as a rule.

    Quiet: with less than ten approved sessions; where one session in ten went without; where the source cannot record
    approvals; for what takes access away. A yes for other arguments is judged by what all agents do, once fifty of
    their sessions had a yes: quiet where one in thirty-three was so. A privileged step with a yes for something else
    is `approval_stretched_over_another_action`.
    Misses: a tool for which nobody was ever asked.
    Method: the rate of approved sessions by Laplace's rule of succession; a control that is left out is a finding of
    its own (OWASP ASI09).
    """
    missing = facts.missing_yes
    if missing is None or facts.coverage.is_covered or takes_away(step):
        return None
    is_stretched = facts.coverage.cover == "other_arguments" and not step.is_privileged
    if facts.coverage.cover != "none" and not is_stretched:
        return None
    if is_stretched and missing.approved_by_all >= least_of_all:
        chance, most = (missing.stretched_by_all + 1) / (missing.approved_by_all + 2), usual_of_all
        said = (
            f"a yes was for just the call but in {missing.stretched_by_all:,} of {missing.approved_by_all:,} sessions"
        )
    else:
        chance, most = (missing.called - missing.approved + 1) / (missing.called + 2), usual
        said = f"a person approved it in {missing.approved:,} of {missing.called:,} sessions of the agent"
    if chance > most or (missing.approved < LEAST_SESSIONS and not is_stretched):
        return None
    return Finding(
        title="done without the usual approval",
        observed=f"{step.tool} on {step.target or 'no stated target'}, {facts.coverage}",
        expected=said,
        anomaly=1 - chance,
        path=(step,),
        impact=impact,
    )
