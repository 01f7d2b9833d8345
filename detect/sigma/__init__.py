"""Sigma rules over the event table: pySigma parses them, what is here turns them into DuckDB's SQL and runs them.

Our log source is `product: ai_agent`; its fields are in `fields.py`. Text from a rule reaches SQL as a quoted literal
and only so. The meaning follows the Sigma specification 2.1: matching ignores case, a field that is missing makes a
comparison false (and its negation true), `_` and `%` are plain characters, and a correlation keeps its order and its
time span.
"""
