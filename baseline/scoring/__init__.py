"""How surprising a session is for its agent: voices, each a probability against benign history.

`sessions_of` makes sessions of the store's events, `fit` learns from benign ones, `Model.score_all` scores:

    model = fit(sessions_of(events))
    for score in model.score_all(sessions_of(later)):
        score.p, score.p_by_voice, score.steps, score.reasons, score.explain(bar), score.why

`Score.p` is None where the agent has too little history (`why` says how little). A model is fitted on sessions that
nobody flagged; fitting again on the same sessions gives the same model, whatever their order.
"""

from baseline.scoring.reasons import Explanation, Reason
from baseline.scoring.score import Model, fit
from baseline.scoring.scored import Score, StepScore
from baseline.scoring.sessions import Session, Step, Value, session_of, sessions_of

__all__ = [
    "Explanation", "Model", "Reason", "Score", "Session", "Step", "StepScore", "Value", "fit", "session_of",
    "sessions_of",
]  # fmt: skip
