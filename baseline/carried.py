"""What a call carries: a command line, an HTTP request, an SQL statement or the name of an operation in its arguments.

A gateway's own name (`run`, `http_request`, `call_api`) says nothing; what it is told to do has the class.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from baseline.capability import Capabilities
from baseline.capability_table import Capability, name_set
from baseline.command_line import of_command
from baseline.statements import HTTP, of_request, of_statement, weightiest
from ingest import command_lines

OPERATION_KEYS: Final = name_set("""
    operation operationname action actionname api apicall apiname apimethod endpoint eventname tool toolname
    function functionname subcommand method methodname procedure rpc playbook playbookname runbook job jobname
    task taskname workflow step verb intent capability
""")
"""Argument names (lower case, without separators) under which a gateway is told what to do."""
SERVICE_KEYS: Final = frozenset(
    ("service", "servicename", "api", "provider", "product", "resource", "resourcetype", "server")
)
COMMAND_KEYS: Final = command_lines.COMMAND_KEYS | name_set("scriptblock scriptcontent run input code payload oneliner")
STATEMENT_KEYS: Final = name_set("""
    sql query statement statements sqltext sqlquery
""")
PATH_KEYS: Final = name_set("""
    path url uri endpoint route requestpath href
""")
HTTP_KEYS: Final = name_set("""
    method httpmethod verb requestmethod
""")

_NAME: Final = re.compile(r"[A-Za-z][\w.:/ -]{1,120}")
_TELLING: Final = COMMAND_KEYS | STATEMENT_KEYS | PATH_KEYS | OPERATION_KEYS
"""Argument names without any of which nothing says what to do."""


def carried(scalars: Sequence[tuple[str, str]], capabilities: Capabilities) -> Capability | None:
    """The weightiest class that anything in the arguments says; None where nothing in them says what to do.

    `scalars` are the arguments as `ingest.arguments.scalars_in` gives them.
    """
    if _TELLING.isdisjoint([key for key, _ in scalars]):
        return None
    found: list[Capability | None] = []
    service = next((value for key, value in scalars if key in SERVICE_KEYS), "")
    method = next((value.lower() for key, value in scalars if key in HTTP_KEYS), "")
    for key, value in scalars:
        if key in COMMAND_KEYS:
            found.append(of_command(value, capabilities))
        if key in STATEMENT_KEYS:
            found.append(of_statement(value))
        if key in PATH_KEYS and method in HTTP:
            found.append(of_request(method, value, capabilities))
        if key in OPERATION_KEYS and value.lower() not in HTTP and _NAME.fullmatch(value):
            classed = capabilities.classify(value, service)
            found.append(classed.capability if classed.is_sure else None)
    return weightiest(found)
