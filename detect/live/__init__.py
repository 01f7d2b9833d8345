"""Micro-batches: what is judged as it comes, while history and the causal pass stay warm.

1. `ingest/follow.py` says what is new in the followed files (`listen` writes such files), `ingest/open_traces.py`
   settles the traces that were touched.
2. `judge.py` judges each step twice: at once, with what is known then, and again in the order of time when what
   belongs to it has had time to come. The second verdict stands; it is the one that a batch would give.
3. `raising.py` makes cases of what changed, `beside.py` what rules and scores add and `bars.py` what the budget holds
   back; the pipeline raises them through the outbox within the same tick, and delivers beside it.
4. `publish.py` writes events, counts, findings and cases every half minute, as a batch does. Files and what is
   published are all that a restart needs.
"""
