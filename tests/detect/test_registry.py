"""Registries of four forms, read to one table; and what is said of one that cannot be read."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from detect.registry import load
from ingest.errors import Trouble

TOML = """
[[agent]]
id = "fixer"
tools = ["fw_*", "siem_search"]
targets = "prod-*"
capabilities = ["network_path"]
principals = ["arn:aws:iam::123456789012:role/fixer-role"]
human = "ana@example.com"
owner = "team-net"
expires = 2026-06-30

[[human]]
id = "ana@example.com"
capabilities = ["network_path", "credential"]
"""


def written(folder: Path, content: object, name: str = "agents.json") -> Path:
    file = folder / name
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


def at(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp()) * 1_000_000_000  # type: ignore[misc, arg-type]


def test_a_registry_by_hand_is_read_with_every_part_and_an_expiry_at_the_end_of_its_day(tmp_path: Path) -> None:
    registry = load([written(tmp_path, TOML, "agents.toml")])
    (fixer,) = registry.agents
    assert (fixer.tools, fixer.targets, fixer.humans) == (("fw_*", "siem_search"), ("prod-*",), ("ana@example.com",))
    assert fixer.ended_ns == at(2026, 6, 30, 23, 59, 59)
    ana = registry.human("Ana@Example.com")
    assert ana is not None and ana.capabilities == ("network_path", "credential")


def test_an_agent_is_found_by_name_by_service_and_name_and_by_the_principal_that_a_log_names_it_after(
    tmp_path: Path,
) -> None:
    registry = load([written(tmp_path, TOML, "agents.toml")])
    session = "arn:aws:sts::123456789012:assumed-role/fixer-role/run-7"
    for agent, principal in (("FIXER", None), ("netops/fixer", None), ("123456789012/fixer-role", session)):
        found = registry.agent(agent, principal)
        assert found is not None and found.id == "fixer"
    assert registry.agent("intruder", session) is None, "who only borrows the principal is not the agent"


AGENTCORE = {
    "registryRecords": [
        {"recordArn": "arn:aws:bedrock-agentcore:eu-west-1:123456789012:registry/aaaabbbbcccc/record/ddddeeeeffff",
         "recordId": "ddddeeeeffff", "name": "triage", "descriptorType": "A2A", "status": "APPROVED",
         "descriptors": {"a2a": {"agentCard": {"inlineContent": json.dumps({"name": "Triage Agent"})}}}},
        {"recordArn": "arn:x:record/old", "recordId": "000011112222", "name": "old", "descriptorType": "CUSTOM",
         "status": "DEPRECATED", "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-02-01T00:00:00Z"},
        {"recordArn": "arn:x:record/mcp", "recordId": "333344445555", "name": "siem", "descriptorType": "MCP"},
    ]
}  # fmt: skip


def test_agentcore_records_are_agents_but_for_servers_and_skills_and_deprecation_ends_them(tmp_path: Path) -> None:
    registry = load([written(tmp_path, AGENTCORE)])
    assert [(a.id, a.ended_ns, a.ended_how) for a in registry.agents] == [
        ("old", at(2026, 2, 1), "deprecated"), ("triage", None, "deprecated"),
    ]  # fmt: skip
    assert registry.agent("Triage Agent") is registry.agent("ddddeeeeffff") is not None


def test_entra_identities_have_their_ids_as_names_and_end_where_they_were_deleted(tmp_path: Path) -> None:
    said = {
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#servicePrincipals",
        "value": [
            {"id": "11111111-0000-0000-0000-000000000001", "displayName": "helper", "agentIdentityBlueprintId": "b",
             "appId": "a-1", "accountEnabled": False, "sponsors": [{"id": "u", "userPrincipalName": "bo@example.com"}]},
            {"@odata.type": "#microsoft.graph.agentIdentity", "id": "2", "displayName": "gone",
             "deletedDateTime": "2026-03-01T12:00:00Z"},
            {"id": "3", "displayName": "an ordinary service principal"},
        ],
    }  # fmt: skip
    registry = load([written(tmp_path, said)])
    assert [(a.id, a.owner, a.ended_ns) for a in registry.agents] == [
        ("gone", None, at(2026, 3, 1, 12)), ("helper", "bo@example.com", None),
    ]  # fmt: skip
    assert registry.agent("11111111-0000-0000-0000-000000000001") is not None


@pytest.mark.parametrize(
    "identity",
    [{"principal": "principal://agents.global.org-1.system.id.goog/x"}, "principal://agents.global.org-1.system.id.goog/x"],
    ids=["an object", "text"],
)  # fmt: skip
def test_google_agents_are_known_by_their_runtime_identity_too(tmp_path: Path, identity: object) -> None:
    attributes = {"agentregistry.googleapis.com/system/RuntimeIdentity": identity}
    name = "projects/p/locations/us-central1/agents/a-1"
    pages = [{"agents": [{"name": name, "displayName": "planner", "agentId": "urn:agent:x", "attributes": attributes}]}]
    registry = load([written(tmp_path, pages)])
    for known in ("planner", "urn:agent:x", name, "principal://agents.global.org-1.system.id.goog/x"):
        assert registry.agent(known) is not None


def test_of_two_identities_of_one_name_the_name_means_the_one_that_lives(tmp_path: Path) -> None:
    kind = {"agentIdentityBlueprintId": "b", "displayName": "helper"}
    lives, gone = kind | {"id": "2"}, kind | {"id": "1", "deletedDateTime": "2026-03-01T12:00:00Z"}
    for value in ([lives, gone], [gone, lives]):
        registry = load([written(tmp_path, {"value": value})])
        ends = [one.ended_ns for name in ("helper", "1", "2") if (one := registry.agent(name)) is not None]
        assert ends == [None, at(2026, 3, 1, 12), None]


def test_a_later_registry_adds_to_an_earlier_one_part_by_part(tmp_path: Path) -> None:
    own = '[[agent]]\nid = "Triage Agent"\ntools = ["siem_*"]\nexpires = "2026-05-01T08:00:00+02:00"\n'
    registry = load([written(tmp_path, AGENTCORE), written(tmp_path, own, "own.toml")])
    triage = registry.agent("ddddeeeeffff")
    assert triage is not None
    assert (triage.id, triage.tools, triage.ended_ns) == ("triage", ("siem_*",), at(2026, 5, 1, 6))
    assert len(registry.agents) == 2


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('[[agnet]]\nid = "x"', "agents.toml: 'agnet' is not known; did you mean 'agent'?"),
        ('[[agent]]\nid = "x"\ntolls = []', "agents.toml: [[agent]] 1 (x): 'tolls' is not known; did you mean 'tools'?"),
        ('[[agent]]\ntools = []', "agents.toml: [[agent]] 1: `id` is missing"),
        ('[[agent]]\nid = "x"\ncapabilities = ["credentials"]', "capabilities: 'credentials' is not known; did you mean 'credential'?"),
        ('[[agent]]\nid = "x"\nexpires = "soon"', "`expires` is a day or a time"),
        ('[[agent]]\nid = "x"\ntargets = [3]', "`targets` is a name or a list of names"),
        ('[[human]]\nid = "x"\nexpires = 2026-01-01', "[[human]] 1 (x): 'expires' is not known"),
        ('[agent]\nid = "x"', "write [[agent]], one for each"),
        ('[[agent]]\nid = "x"\n[[agent]]\nid = "y"\nnames = ["X"]', "[[agent]] 2 (y): 'X' stands in "),
        ("[[agent]\n", "not a TOML or JSON file"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named_with_its_file_its_key_and_the_nearest_one(
    tmp_path: Path, content: str, told: str
) -> None:
    with pytest.raises(Trouble) as trouble:
        load([written(tmp_path, content, "agents.toml")])
    assert told in str(trouble.value) and str(tmp_path) in str(trouble.value)


@pytest.mark.parametrize("content", ["{}", "[1, 2]", '{"value": [{"id": "x"}]}', "null", '"text"'])
def test_a_json_file_that_is_no_registry_is_refused_with_what_is_known(tmp_path: Path, content: str) -> None:
    with pytest.raises(Trouble, match=r"no registry in a form that is known .*Entra.*Google"):
        load([written(tmp_path, content)])


def test_a_missing_file_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match=r"none.toml.*`registries` in \[detect\]"):
        load([tmp_path / "none.toml"])


def test_another_content_is_another_digest_and_none_is_none(tmp_path: Path) -> None:
    one = load([written(tmp_path, TOML, "a.toml")])
    assert one and one.digest != load([written(tmp_path, TOML + " ", "a.toml")]).digest
    assert not load([]) and load([]).digest == ""
