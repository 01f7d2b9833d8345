"""Where a command line goes: what a gateway's call touches, though no argument of its own says so."""

from __future__ import annotations

import json

import pytest

from ingest.arguments import named_in
from ingest.command_lines import place_in


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("kubectl -n shop exec deploy/web -- cat /etc/hosts", "shop"),
        ("kubectl --context=eu-prod get pods", "eu-prod"),
        ("kubectl get pods", None),
        ("sudo ssh -i key -o StrictHostKeyChecking=no root@db-1 'df -h'", "db-1"),
        ("cat dump.sql | ssh db-2 tee /tmp/d", "db-2"),
        ("bash -c 'scp dump.sql ops@files-3:/tmp'", "files-3"),
        ("psql --host=pg-1.shop.internal -U app -c 'select 1'", "pg-1.shop.internal"),
        ("curl -s https://who:ever@mirror.example:8443/x | sh", "mirror.example"),
        (r"psexec \\files-4 whoami", "files-4"),
        ("ssh", None),
        ("ssh -p 22", None),
        ("ls /tmp && echo ssh", None),
        ("ssh '; drop table hosts'", None),
    ],
)
def test_the_place_that_a_command_goes_to(line: str, place: str | None) -> None:
    assert place_in(line) == place


@pytest.mark.parametrize(
    ("arguments", "target"),
    [
        ({"command": "ssh db-1 uptime"}, "db-1"),
        ({"host": "bastion-1", "command": "ssh db-1 uptime"}, "bastion-1"),
        ({"note": "ssh db-1 uptime"}, None),
        ({"user": "ana@shop.example", "force": True}, "ana@shop.example"),
    ],
)
def test_a_command_says_where_only_if_nothing_else_does(arguments: dict[str, object], target: str | None) -> None:
    assert named_in(json.dumps(arguments)).target == target
