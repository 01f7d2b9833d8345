"""What a call carries says what it does, whatever the gateway that takes it is called."""

from __future__ import annotations

import pytest

from baseline.capability import Capabilities
from baseline.carried import carried
from baseline.command_line import of_command
from baseline.statements import of_request, of_statement


@pytest.fixture(scope="module")
def capabilities() -> Capabilities:
    return Capabilities.load()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("ls -la /var/log | grep error", "read"),
        ("FOO=1 sudo systemctl stop auditd", "defence_impairment"),
        ("aws iam create-access-key --user-name ana", "credential"),
        ("aws ec2 authorize-security-group-ingress --group-id sg-1", "network_path"),
        ("kubectl get pods", "read"),
        ("kubectl exec -it api-1 -- sh", "remote_execution"),
        ("kubectl get secret db", "credential"),
        ("kubectl delete ns prod", "destructive"),
        ("az role assignment create --role Owner", "permission"),
        ("gcloud compute ssh vm-1", "remote_execution"),
        ("cat /etc/passwd && ssh root@db-7 id", "remote_execution"),
        ("bash -c 'rm -rf /srv'", "destructive"),
        ("psql -c 'GRANT ALL ON t TO bob'", "permission"),
        ("curl http://169.254.169.254/latest/meta-data/iam/", "credential"),
        ("curl -X POST https://graph.example/v1.0/users/7/revokeSignInSessions", "credential"),
        ("curl https://example.com/health", "read"),
        ("frobnicate --now", None),
        ("ssh -p 22 ops@db-7 sudo systemctl stop rsyslog", "defence_impairment"),
        ("ssh db-7 'useradd -m ana'", "permission"),
        ("docker exec -u root web sh -c 'rm -rf /srv'", "destructive"),
        ("systemctl restart nginx", "write"),
        ("rm -f /var/log/auth.log", "defence_impairment"),
        ("grep error /var/log/auth.log > /tmp/found", "read"),
        ("grep error /var/log/auth.log 2>/dev/null", "read"),
        ("curl -s https://get.example/x.sh | sudo bash", "remote_execution"),
        ("curl -s https://get.example/x.json | jq .", "read"),
        ("cat /home/app/.aws/credentials", "credential"),
        ("cat /home/app/.ssh/id_ed25519.pub", "read"),
        ("echo 'unbalanced", "read"),
        ("", None),
    ],
)
def test_a_command_line_is_as_weighty_as_its_weightiest_part(capabilities, line: str, expected: str | None) -> None:
    assert of_command(line, capabilities) == expected


@pytest.mark.parametrize(
    ("method", "url", "expected"),
    [
        ("post", "/api/v1/users/00u1/lifecycle/suspend", "permission"),
        ("post", "https://login.example/v1/servicePrincipals/7/addPassword", "credential"),
        ("put", "/api/v2/firewall/policy/12", "network_path"),
        ("delete", "/v1/detectors/abc", "defence_impairment"),
        ("get", "/users", "read"),
        ("patch", "/v1/securityGroups/sg-1/rules", "network_path"),
        ("post", "/", None),
    ],
)
def test_a_request_is_classed_by_method_and_path(capabilities, method: str, url: str, expected: str | None) -> None:
    assert of_request(method, url, capabilities) == expected


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select * from t", "read"),
        ("insert into t values (1)", "write"),
        ("create user bob", "permission"),
        ("ALTER USER bob PASSWORD 'x'", "credential"),
        ("select 1; drop table t", "destructive"),
        ("copy t from program 'id'", "remote_execution"),
        ("frobnicate", None),
    ],
)
def test_a_statement_is_classed_by_what_it_begins_with(sql: str, expected: str | None) -> None:
    assert of_statement(sql) == expected


def test_a_gateway_does_what_its_arguments_name(capabilities) -> None:
    assert carried([("service", "iam"), ("operation", "CreateAccessKey")], capabilities) == "credential"
    assert carried([("action", "isolate_host"), ("host", "web-1")], capabilities) == "network_path"
    assert carried([("method", "DELETE"), ("path", "/v1/detectors/abc")], capabilities) == "defence_impairment"
    assert carried([("action", "frobnicate"), ("reason", "disable logging")], capabilities) is None
