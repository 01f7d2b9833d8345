"""What `deploy/` holds is well formed, hardened, and asks for commands and options that there are."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

import custodiet
from detect.every import seconds_of

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))
CLI = typer.main.get_command(custodiet.app)


def is_a_command(arguments: list[str]) -> None:
    """Parses it as the command itself would; raises where an option or a command is not known."""
    name, *rest = arguments
    command = CLI.commands[name]  # type: ignore[attr-defined]
    context = command.make_context(name, rest, resilient_parsing=False)
    if every := context.params.get("every"):
        seconds_of(every)


def test_a_wrong_option_would_be_noticed() -> None:
    is_a_command(["run", "/logs", "--every", "15m"])
    for wrong in (["run", "/logs", "--evry", "15m"], ["walk", "/logs"], ["run"]):
        with pytest.raises((Exception, SystemExit)):
            is_a_command(wrong)


def unit(path: Path) -> configparser.ConfigParser:
    parsed = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",), comment_prefixes=("#",))
    parsed.optionxform = str  # type: ignore[assignment, method-assign]
    parsed.read_string(path.read_text())
    return parsed


@pytest.mark.parametrize("path", UNITS, ids=lambda p: p.name)
def test_a_unit_is_hardened_and_starts_a_command_that_there_is(path: Path) -> None:
    service = unit(path)["Service"]
    program, *arguments = shlex.split(service["ExecStart"])
    assert program == "/opt/custodiet/bin/custodiet"
    is_a_command(arguments)
    for key, value in {
        "DynamicUser": "yes", "ProtectSystem": "strict", "NoNewPrivileges": "yes", "PrivateTmp": "yes",
        "CapabilityBoundingSet": "", "ProtectHome": "yes", "RestrictNamespaces": "yes",
    }.items():  # fmt: skip
        assert service[key] == value, key
    data = re.search(r"CUSTODIET_DATA=(\S+)", service["Environment"])
    assert data is not None
    assert data[1] == f"/var/lib/{service['StateDirectory']}"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("path", [*UNITS, DEPLOY / "custodiet.timer"], ids=lambda p: p.name)
def test_systemd_finds_nothing_wrong_with_a_unit(path: Path, tmp_path: Path) -> None:
    for other in DEPLOY.glob("custodiet*.*"):
        (tmp_path / other.name).write_text(other.read_text().replace("/opt/custodiet/bin/custodiet", sys.executable))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", tmp_path / path.name], capture_output=True, text=True, check=False
    )
    mine = [line for line in done.stderr.splitlines() if path.name in line or path.stem in line]
    assert mine == []


def test_the_timer_starts_the_service_and_makes_up_for_what_was_missed() -> None:
    timer = unit(DEPLOY / "custodiet.timer")
    assert (DEPLOY / "custodiet.service").exists()
    assert (timer["Timer"]["OnCalendar"], timer["Timer"]["Persistent"]) == ("*:0/15", "yes")
    assert timer["Install"]["WantedBy"] == "timers.target"


def test_the_crontab_has_five_times_a_user_and_a_command_that_there_is() -> None:
    lines = [line for line in (DEPLOY / "crontab").read_text().splitlines() if line and not line.startswith("#")]
    variables, jobs = [x for x in lines if re.match(r"\w+=", x)], [x for x in lines if not re.match(r"\w+=", x)]
    assert {v.split("=")[0] for v in variables} == {"CUSTODIET_DATA", "CUSTODIET_CONFIG"}
    (job,) = jobs
    *times, user, command = job.split(None, 6)
    assert [bool(re.fullmatch(r"\*(/\d+)?|\d+", time)) for time in times] == [True] * 5
    assert user == "custodiet"
    program, *arguments = shlex.split(command.split(">")[0])
    assert program == "/opt/custodiet/bin/custodiet"
    is_a_command(arguments)
    assert subprocess.run(["sh", "-n", "-c", command], check=False).returncode == 0
    for code, left in ((0, 0), (75, 0), (4, 1)):
        tried = command.replace(shlex.join([program, *arguments]), f"sh -c 'exit {code}'")
        assert subprocess.run(["sh", "-c", tried], check=False).returncode == left


def containers() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    for document in yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text()):
        spec = document["spec"]
        pod = spec.get("jobTemplate", document)["spec"].get("template", {}).get("spec")
        for container in (pod or {}).get("containers", ()):
            yield document["kind"], pod, container


def test_kubernetes_runs_commands_that_there_are_as_nobody_on_a_root_it_cannot_write_to() -> None:
    assert {kind for kind, _, _ in containers()} == {"CronJob", "Deployment"}
    for _, pod, container in containers():
        is_a_command(container["args"])
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert {"requests", "limits"} == set(container["resources"])
        mounted = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
        assert set(mounted) == {volume["name"] for volume in pod["volumes"]}
        written = container["args"][container["args"].index("--data") + 1]
        assert written == mounted["data"]


def test_kubernetes_claims_and_ports_fit_together() -> None:
    documents = list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text()))
    claims = {d["metadata"]["name"] for d in documents if d["kind"] == "PersistentVolumeClaim"}
    used = {
        v["persistentVolumeClaim"]["claimName"]
        for _, pod, _ in containers()
        for v in pod["volumes"]
        if "persistentVolumeClaim" in v
    }
    assert used - claims == {"agent-logs"}
    (job,) = (d["spec"] for d in documents if d["kind"] == "CronJob")
    assert (job["concurrencyPolicy"], job["jobTemplate"]["spec"]["backoffLimit"]) == ("Forbid", 0)
    (service,) = (d["spec"] for d in documents if d["kind"] == "Service")
    (listen,) = (d["spec"] for d in documents if d["kind"] == "Deployment")
    assert service["selector"] == listen["selector"]["matchLabels"] == listen["template"]["metadata"]["labels"]
    (container,) = listen["template"]["spec"]["containers"]
    port = container["args"][container["args"].index("--port") + 1]
    assert container["ports"][0]["containerPort"] == service["ports"][0]["port"] == int(port)


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"\\\n\s*", " ", (DEPLOY / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines)]


def test_the_image_copies_what_is_there_and_runs_as_nobody_a_command_that_there_is() -> None:
    told = instructions()
    assert {name for name, _ in told} <= {
        "FROM", "RUN", "COPY", "ENV", "USER", "VOLUME", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD",
    }  # fmt: skip
    stages = [rest for name, rest in told if name == "FROM"]
    assert len(stages) == 2
    assert all("slim" in stage for stage in stages)
    for sources in (rest.split()[:-1] for name, rest in told if name == "COPY" and "--from" not in rest):
        for source in sources:
            assert (ROOT / source).exists(), source
    (user,) = (rest for name, rest in told if name == "USER")
    assert user.split(":")[0] not in ("root", "0")
    said = dict(told)
    entry, default = json.loads(said["ENTRYPOINT"]), json.loads(said["CMD"])
    health = json.loads(said["HEALTHCHECK"].split("CMD", 1)[1])
    assert entry == health[:1] == ["custodiet"]
    is_a_command(default)
    is_a_command(health[1:])


def test_the_image_is_sent_everything_that_it_copies() -> None:
    sent = {line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if line.startswith("!")}
    for sources in (rest.split()[:-1] for name, rest in instructions() if name == "COPY" and "--from" not in rest):
        for source in sources:
            assert source in sent or source.startswith("deploy/"), source


@pytest.mark.parametrize("name", ["run.lock", "build.lock"])
def test_an_images_lock_is_a_part_of_the_projects_own(name: str) -> None:
    def pinned(path: Path) -> dict[str, frozenset[str]]:
        text = path.read_text().replace("\\\n", " ")
        return {
            line.split()[0]: frozenset(re.findall(r"sha256:\w+", line)) for line in text.splitlines() if "==" in line
        }

    whole, part = pinned(ROOT / "requirements.lock"), pinned(DEPLOY / name)
    assert part
    assert {package: hashes for package, hashes in part.items() if whole.get(package) != hashes} == {}
    assert all(part.values())
