"""A second, independent generator of a fleet's logs: agents, chains and look-alikes of which the first knows nothing.

`python -m bench.second_fleet OUT --seed N` writes `OUT/logs/` and `OUT/truth.jsonl` for
`python -m bench.lateral --events OUT/logs --truth OUT/truth.jsonl`. It shares with the first generator only the form
of the truth. It was written from what is publicly known of agents, incidents and attackers, and apart from detectors,
baselines and their tests, so that what it shows was not fitted to either side. Keep it so: nothing here is to be
changed in answer to what the product finds or misses in it.
"""
