"""OTLP/HTTP in, files out: a request is on disk before it is answered, or it is refused.

What was sent is kept as OTLP/JSON lines, a request a line, which the ordinary readers read. So evidence leads to
`file:line` here as everywhere, and nothing but these files carries what was accepted over a crash.
"""
