"""The capability table: names whose class is beyond dispute, and the ways a table can be wrong."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from baseline.aws_levels import aws_levels
from baseline.capability import Capabilities
from baseline.capability_table import CAPABILITIES, IMPACT, PRIVILEGED
from ingest.errors import Trouble

STRATUS = Path(__file__).parents[2] / "../shared/datasets/cloudtrail/stratus.jsonl.gz"

NAMES = {
    "read": """
        get_alert|list_hosts|search_logs|lookup_ip|describe_instance|query_siem|enrich_indicator
        list_secrets|describe_secret|getAlertDetails|check_firewall_status|get_host_isolation_status
        list_blocked_ips|web_search|list_access_keys|get_password_policy|run_query|run_vulnerability_scan
        get_audit_logs|iam:ListUsers|sts.amazonaws.com/GetCallerIdentity|DescribeInstances|s3:GetObject
        kms:Decrypt|get_firewall_rules|v1.compute.firewalls.list
        Microsoft.Network/networkSecurityGroups/read|list pods|mcp__siem__search_events
        MCP:siem:search_events|count_tokens|list_disabled_users|get_api_key_usage|dry_run_delete_bucket
        get_detection_rule|ssm:GetCommandInvocation|GenerateCredentialReport|read_file|get_user
    """,
    "write": """
        send_email|post_message|create_ticket|close_alert|resolve_incident|add_comment|quarantine_email
        delete_email|restart_service|stop_instance|RunInstances|run_instances|s3:PutObject
        logs:CreateLogStream|cloudtrail:StartLogging|tag_instance|tickets/create_ticket
        functions.send_message|request_approval|lambda:Invoke|transfer_money|delete_ticket
        securityhub:BatchUpdateFindings|delete pods|create_session|write_log|enable_audit_logging
        upload_file|elasticloadbalancing:DeleteRule|application-autoscaling:PutScalingPolicy|iam:TagUser
    """,
    "network_path": """
        modify_firewall_rule|updateFirewallPolicy|edit-security-group|open_port|isolate_host
        contain_endpoint|block_ip|unblock_domain|quarantine_device|add_ip_to_allowlist
        firewall.rules.update|AuthorizeSecurityGroupIngress|authorize_security_group_ingress
        ec2:CreateRoute|ec2:ModifyNetworkAclEntry|CreateVpcPeeringConnection|v1.compute.firewalls.insert
        beta.compute.firewalls.patch|compute.routes.insert|mcp__firewall__add_rule
        Microsoft.Network/networkSecurityGroups/securityRules/write|create networkpolicies|change_fw_rule
        patch networkpolicies.networking.k8s.io|fw___modify_firewall_rule|get_or_create_security_group
        create_route_table|io.k8s.networking.v1.networkpolicies.create|update_dns_record|close_port
    """,
    "credential": """
        rotate_credentials|assume_role|AssumeRoleWithSAML|create_access_key|get_secret_value|read_secret
        cycle_api_keys|resetUserPassword|issue_token|impersonate_user|retrieve_api_key|revoke_session
        renew_certificate|fetchSecret|iam:CreateAccessKey|sts:AssumeRole
        secretsmanager.amazonaws.com/GetSecretValue|BatchGetSecretValue|ssm:GetParameters
        ec2:GetPasswordData|GetFederationToken|CreateLoginProfile|signin:ConsoleLogin|request_credentials
        export_secrets|google.iam.admin.v1.CreateServiceAccountKey
        google.cloud.secretmanager.v1.SecretManagerService.AccessSecretVersion
        google.iam.credentials.v1.IAMCredentials.GenerateAccessToken
        Microsoft.Storage/storageAccounts/listKeys/action|get secrets|create serviceaccounts/token
        mcp__vault__read|kubectl_get_secrets|mcp__aws__assume_role|secrets.rotate
    """,
    "permission": """
        attach_policy|add_user_to_group|create_user|grant_access|disable_user|share_file
        promote_user_to_admin|delete_role|remove_user_from_group|setBucketPolicy|elevate_privileges
        iam:PassRole|iam:PutUserPolicy|AttachRolePolicy|UpdateAssumeRolePolicy|s3:PutBucketPolicy
        ModifySnapshotAttribute|lambda:AddPermission20150331v2|assign_role|SetIamPolicy
        storage.setIamPermissions|google.iam.admin.v1.CreateServiceAccount|create clusterrolebindings
        Microsoft.Authorization/roleAssignments/write|Add member to role|rolesanywhere:CreateTrustAnchor
        get_or_create_user|iam__create_user
    """,
    "remote_execution": """
        run_ssh_command|ssh_exec|execute_command|run_powershell_script|exec_on_host|ssh_to_host|bash
        connect_to_host|sendCommand|open_live_response|host.run_command|psexec|start_ssh_session
        ssm:SendCommand|ssm:StartSession|StartSession|SendSSHPublicKey|ecs:ExecuteCommand
        UpdateFunctionCode20150331v2|v1.compute.instances.setMetadata|mcp__edr__run_script
        Microsoft.Compute/virtualMachines/runCommand/action|create pods/exec
        io.k8s.core.v1.pods.exec.create|get pods/exec
    """,
    "defence_impairment": """
        disable_logging|turn_off_audit_log|release_isolation|unisolate_host|remove_host_from_isolation
        lift_containment|release_host|pause_detection|suppress_alerts|mute_alerts|add_exclusion
        delete_logs|disable_firewall|disableMfa|delete_detection_rule|stop_edr_sensor
        cloudtrail:StopLogging|DeleteTrail|PutEventSelectors|ec2:DeleteFlowLogs|guardduty:DeleteDetector
        LeaveOrganization|events:DisableRule|google.logging.v2.ConfigServiceV2.DeleteSink
        Microsoft.Insights/diagnosticSettings/delete|delete validatingwebhookconfigurations
        tamper_with_sensor
    """,
    "destructive": """
        delete_bucket|drop_table|wipe_device|purge_emails|terminate_instance|delete_snapshot|nukeVolume
        delete_database|ec2:TerminateInstances|TerminateInstances|s3:DeleteBucket|kms:ScheduleKeyDeletion
        rds:DeleteDBCluster|dynamodb:DeleteTable|storage.buckets.delete|v1.compute.instances.delete
        Microsoft.Compute/virtualMachines/delete|delete namespaces|delete_file|search_and_purge
        kill_process|files/delete_file
    """,
}
CASES = [(n.strip(), c) for c, block in NAMES.items() for line in block.splitlines() for n in line.split("|")]
CASES = [(name, capability) for name, capability in CASES if name]


@pytest.fixture(scope="module")
def capabilities() -> Capabilities:
    return Capabilities.load()


@pytest.mark.parametrize(("name", "expected"), CASES)
def test_a_name_has_the_class_that_its_documentation_gives_it(capabilities, name, expected):
    classed = capabilities.classify(name)
    assert (classed.capability, classed.reason) == (expected, classed.reason)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("modify_firewall_rule modifyFirewallRule ModifyFirewallRule modify-firewall-rules", "network_path"),
        ("change_fw_policy edit_nsg tweak_security_group updateWafRule firewall_rule_edit", "network_path"),
        ("renew_tokens regenerateApiKey reset-password rotate_root_key recycle_pat", "credential"),
        ("become_admin switch_role impersonate act_as_user", "credential"),
        ("switch_off_logging deactivate_sensor bypass_guardrails silence_alarm", "defence_impairment"),
    ],
)
def test_another_spelling_of_the_same_step_has_the_same_class(capabilities, written, expected):
    found = {name: capabilities.classify(name).capability for name in written.split()}
    assert found == dict.fromkeys(written.split(), expected)


@pytest.mark.parametrize(
    "name", [None, "", "   ", "frobnicate", "firewall_rule", "1234", "…", "x" * 10_000, "/", "___"]
)
def test_what_no_rule_matches_is_said_to_be_unmatched(capabilities, name):
    assert capabilities.classify(name) == capabilities.classify(None)
    assert capabilities.classify(name).reason == "no rule matches"


def test_the_reason_names_the_rule(capabilities):
    assert capabilities.classify("iam:CreateAccessKey").reason == "exact: iam:CreateAccessKey"
    assert capabilities.classify("rotate_credentials").reason == "verb rotate + noun credential"
    assert capabilities.classify("create pods/exec").reason == "kubernetes: any pods/exec"


def test_the_service_settles_a_name_that_many_share(capabilities):
    assert capabilities.classify("StartSession", "ssm.amazonaws.com").capability == "remote_execution"
    assert capabilities.classify("start_session", "support-chat").capability == "write"
    assert capabilities.classify("DeleteRule", "events").capability == "defence_impairment"
    assert capabilities.classify("DeleteRule", "elasticloadbalancing.amazonaws.com").capability == "write"
    assert capabilities.classify("read", "vault").capability == "credential"
    key = capabilities.classify("google.iam.admin.v1.CreateServiceAccountKey", "iam.googleapis.com")
    assert key.capability == "credential"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("api_key.created", "credential"),
        ("ip_allowlist.deleted", "network_path"),
        ("system.mfa.factor.deactivated", "defence_impairment"),
        ("list_disabled_users", "read"),
        ("s3:PutBucketEncryption", "write"),
        ("s3:DeleteBucketEncryption", "defence_impairment"),
        ("remove_host_from_group", "permission"),
        ("rds:RemoveRoleFromDBInstance", "permission"),
        ("kubectl_delete_pod", "write"),
        ("update_lambda_code", "remote_execution"),
        ("whitelist_ip", "network_path"),
        ("make_bucket_public", "permission"),
    ],
)
def test_what_was_done_or_only_described_is_told_apart(capabilities, name, expected):
    assert capabilities.classify(name).capability == expected


def test_every_class_has_an_impact_and_only_read_and_write_are_unprivileged():
    assert set(IMPACT) == set(CAPABILITIES)
    assert set(CAPABILITIES) - PRIVILEGED == {"read", "write"}
    assert max(IMPACT["read"], IMPACT["write"]) < min(IMPACT[c] for c in PRIVILEGED)


def table(folder: Path, text: str, name: str = "own.toml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_later_table_wins_entry_by_entry(tmp_path):
    first = table(tmp_path, '[exact]\nnetwork_path = ["acme_gate"]\nwrite = ["isolate_host"]\n', "1.toml")
    second = table(tmp_path, '[exact]\ncredential = ["AcmeGate"]\n', "2.toml")
    capabilities = Capabilities.load(first, second)
    assert capabilities.classify("mcp__acme__acme_gate").capability == "credential"
    assert capabilities.classify("isolate_host").capability == "write"
    assert capabilities.classify("isolate_device").capability == "network_path"
    assert Capabilities.load(second, first).classify("acme_gate").capability == "network_path"


def test_a_table_may_add_words_and_overrule_cells_and_cloud_actions(tmp_path):
    own = table(
        tmp_path,
        '[verbs]\nisolate = ["icebox"]\n[nouns]\nhost = ["gizmo"]\n[rules.message]\nisolate = "destructive"\n'
        '[aws.write]\nssm = ["Get*"]\n[gcp]\nread = ["firewalls.*"]\n[azure]\nread = ["*/listKeys/action"]\n'
        '[kubernetes]\nwrite = ["any pods/exec"]\n',
    )
    capabilities = Capabilities.load(own)
    assert capabilities.classify("icebox_gizmo").capability == "network_path"
    assert capabilities.classify("quarantine_email").capability == "destructive"
    assert capabilities.classify("ssm:GetParameter").capability == "write"
    assert capabilities.classify("v1.compute.firewalls.insert").capability == "read"
    assert capabilities.classify("Microsoft.Storage/storageAccounts/listKeys/action").capability == "read"
    assert capabilities.classify("create pods/exec").capability == "write"


def test_the_version_tells_tables_apart(tmp_path):
    own = table(tmp_path, '[exact]\nread = ["acme_gate"]\n')
    assert Capabilities.load().version == Capabilities.load().version != Capabilities.load(own).version


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[exakt]\nread = ["a"]\n', ["[exakt]", "'exact'"]),
        ('[exact]\nnetwork = ["a"]\n', ["[exact.network]", "'network_path'"]),
        ('[aws.credentials]\nsts = ["A"]\n', ["[aws.credentials]", "'credential'"]),
        ('[aws.write]\nsts = ["*Role"]\n', ["[aws.write.sts]", "may only end"]),
        ('[verbs]\nroll = ["spin"]\n', ["[verbs.roll]", "did you mean"]),
        ('[rules.secrets]\nfetch = "read"\n', ["[rules.secrets]", "'secret'"]),
        ('[rules.secret]\nfetched = "read"\n', ["[rules.secret.fetched]", "'fetch'"]),
        ('[rules.secret]\nfetch = "credentials"\n', ["[rules.secret.fetch]", "'credential'"]),
        ('[exact]\nread = "a"\n', ["[exact.read]", "list of names"]),
        ('[exact]\nread = ["a_b"]\nwrite = ["aB"]\n', ["[exact.write]", "stands in [exact.read] too"]),
        ("exact = 1\n", ["[exact]", "must be a table"]),
        ("[exact\n", ["not a TOML file"]),
    ],
)
def test_a_wrong_table_is_refused_by_file_and_key(tmp_path, text, told):
    path = table(tmp_path, text)
    with pytest.raises(Trouble) as trouble:
        Capabilities.load(path)
    assert str(path) in str(trouble.value)
    assert all(word in str(trouble.value) for word in told), str(trouble.value)


def test_an_absent_table_is_refused_by_its_path(tmp_path):
    with pytest.raises(Trouble, match=r"absent\.toml"):
        Capabilities.load(tmp_path / "absent.toml")


def test_a_name_never_seen_twice_does_not_grow_the_memory_without_end(capabilities, monkeypatch):
    monkeypatch.setattr("baseline.capability._LARGEST_CACHE", 100)
    fresh = Capabilities.load()
    assert {fresh.classify(f"delete_bucket_{n}").capability for n in range(1_000)} == {"destructive"}
    assert len(fresh._cache) <= 100


def test_every_recorded_attack_technique_shows_an_event_above_write(capabilities):
    if not STRATUS.exists():
        pytest.skip(f"{STRATUS} is absent: third-party data that is not part of the repository")
    with gzip.open(STRATUS, "rt") as file:
        lines = [json.loads(line) for line in file]
    above = set()
    for line in lines:
        event = line["event"]
        if capabilities.classify(event["eventName"], event["eventSource"]).capability in PRIVILEGED:
            above.add(line["technique"])
    assert {line["technique"] for line in lines} - above == set()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("open_session", "remote_execution"),
        ("open_browser_session", "read"),
        ("keyvault_get", "credential"),
        ("list_key_vaults", "read"),
        ("panos_create_rule", "network_path"),
        ("panos_list_rules", "read"),
        ("delegate_to_agent", "write"),
        ("grant_access_to_user", "permission"),
    ],
)
def test_what_defenders_tools_are_called(capabilities: Capabilities, name: str, expected: str) -> None:
    assert capabilities.classify(name).capability == expected


@pytest.mark.parametrize(
    ("service", "action", "expected"),
    [
        ("aoss", "CreateSecurityPolicy", "permission"),
        ("sqs", "AddPermission", "permission"),
        ("lakeformation", "GrantPermissions", "permission"),
        ("glue", "BatchGetStageFiles", "permission"),
        ("polly", "SynthesizeSpeech", "read"),
        ("s3", "DeleteObjectTagging", "write"),
        ("workspaces", "Stream", "write"),
    ],
)
def test_aws_levels_class_what_our_own_table_does_not_name(
    capabilities: Capabilities, service: str, action: str, expected: str
) -> None:
    assert capabilities.classify(action, f"{service}.amazonaws.com").capability == expected
    assert capabilities.classify(f"{service}:{action}").capability == expected or expected == "write"


def test_every_aws_action_with_a_level_has_a_class_and_none_that_manages_permissions_is_a_read(
    capabilities: Capabilities,
) -> None:
    for service, actions in aws_levels().items():
        for action, level in actions.items():
            found = capabilities.classify(action, f"{service}.amazonaws.com")
            assert found.capability is not None, (service, action)
            assert level != "permission" or found.capability != "read", (service, action, found)


def test_a_name_that_only_looks_like_an_aws_action_is_none(capabilities: Capabilities) -> None:
    assert not capabilities.classify("connect.send_message").reason.startswith("aws level")
    assert not capabilities.classify("health.frobnicate").reason.startswith("aws level")


@pytest.mark.parametrize(
    ("capability", "names"),
    [
        ("defence_impairment", "s1_disable_agent|uninstall_sensor|stop_agent|deactivate_agents|wazuh_stop_agent|disable_backups"),
        ("defence_impairment", "pause_backup_schedule|stop_monitoring_agent|disable_telemetry|stop_log_forwarder|uninstall_av"),
        ("write", "stop_ai_agent|disable_coding_agent|restart_agent|create_agent|create_backup|enable_telemetry|uninstall_package"),
        ("destructive", "delete_agent|delete_backup|purge_recovery_points"),
        ("read", "edr_list_processes|list_detections|s1_list_agents|get_sensor_status|list_backups|get_external_ip|export_report"),
        ("write", "copy_out|export|bulk_download|export_database|dump_database|copy_snapshot|upload_file|s3_cp|exfiltrate_data"),
        ("permission", "share_snapshot|make_bucket_public|put_bucket_policy|copy_snapshot_to_account|upload_to_external"),
        ("permission", "replicate_backup_to_another_account|sync_bucket_to_third_party|create_public_link|make_public_bucket"),
        ("read", "get_backup_from_account|download_file_from_external|list_buckets_in_account"),
        ("credential", "export_secrets|dump_credentials|get_secret_from_account"),
    ],
)  # fmt: skip
def test_agents_of_defence_and_data_that_leaves_are_told_by_verb_and_noun(
    capabilities: Capabilities, capability: str, names: str
) -> None:
    wrong = {n: c for n in names.split("|") if (c := capabilities.classify(n).capability) != capability}
    assert not wrong


@pytest.mark.parametrize(
    ("capability", "names"),
    [
        ("network_path", "pan-os-edit-address-group|fortigate-move-policy|check_point_delete_policy|kubectl_port_forward"),
        ("permission", "move_policy|edit_group|update_policy|create_profile_policy"),
        ("defence_impairment", "az_monitor_diagnostic_settings_delete|secret_scanning.disable|stop_splunk_forwarder"),
        ("destructive", "kms_schedule_key_deletion|aws-ec2-terminate-instances|schedule_bucket_deletion|permanently_delete_mailbox"),
        ("credential", "aws_iam_create_access_key|initiate_key_rotation|vend_credentials|lease_secret|GenerateAccessToken"),
        ("remote_execution", "python_executor|bash_tool|remote_shell|adhoc_command|exec_into_pod"),
        ("read", "git_status|pods_log|domain_reputation|microsoft-atp-advanced-hunting|key_rotation_status|list_policies"),
        ("write", "log_progress|file_writer|create_merge_request"),
    ],
)  # fmt: skip
def test_what_a_name_says_beside_its_verb_and_noun(capabilities: Capabilities, capability: str, names: str) -> None:
    """Products, nouns of doing, agent nouns, and names that end in what they are about."""
    wrong = {n: c for n in names.split("|") if (c := capabilities.classify(n).capability) != capability}
    assert not wrong


def test_a_verb_on_an_unknown_thing_says_only_how_a_name_begins(capabilities: Capabilities) -> None:
    assert not capabilities.classify("get_frobnicator").is_sure
    assert not capabilities.classify("frobnicate").is_sure
    assert capabilities.classify("get_firewall_rule").is_sure
    assert capabilities.classify("kill_frobnicator").is_sure
