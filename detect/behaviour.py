"""What a call does by what goes in and what comes out, whatever its tool is called.

Three witnesses: what it carries (a command line, a statement, a request, the name of an operation), arguments that
only one class of action takes, and a result that hands out a credential.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Final

import msgspec

from baseline.capability import Capabilities
from baseline.capability_table import PRIVILEGED, Capability, name_set
from baseline.carried import carried
from baseline.told_to_do import lets_escape
from detect.handed_out import given
from detect.step import Step
from detect.toolnames import says

_HOSTS: Final = name_set("""
    host hosts hostname hostnames targethost server machine instanceid instanceids target targets deviceid
    deviceids device endpoint endpointid node nodename pod podname vm vmname computer computername address ip
    destination remotehost dst
""")
_STORES: Final = name_set("""
    database databases db dbname dbhost dbinstance dsn warehouse cluster
""")
_WHO: Final = name_set("""
    principal member grantee attachto rolename username user userid subject identity assignee serviceaccount
    principalid memberid useremail login account grantto recipientprincipal
""")
_COMMANDS: Final = name_set("""
    command commands script cmd commandline documentname scriptblock scriptname scriptid payload shell
    powershell bash binary executable oneliner
""")
_PROOFS: Final = name_set("""
    login credential credentialid credentials password passwd sshkey privatekey keyfile keypair accesskeyid
    keyid sessiontoken token accesstoken runas authkey identityfile
""")
_TELLING: Final[tuple[tuple[Capability, frozenset[str], frozenset[str]], ...]] = (
    ("permission", name_set("""
        policydocument policyarn rolebinding clusterrole assumerolepolicydocument policyname trustpolicy
        roledefinitionid managedpolicyarn permissionset permissionsetarn approleid delegatedpermissions
    """), frozenset()),
    ("permission", name_set("""
        policy permissions permission role roles grant grants privilege privileges accesslevel entitlement
        entitlements scopes rights adminrole
    """), _WHO),
    ("remote_execution", _COMMANDS, _HOSTS),
    ("remote_execution", _PROOFS, _HOSTS | _STORES),
    ("remote_execution", name_set("""
        package packages packagename bundle bundlename software softwarename installer msi rpm deb patchid
        kbid updateid
    """), _HOSTS),
    ("network_path", name_set("""
        cidr cidrip cidrblock sourcecidr sourceranges sourceiprange ippermissions
    """),
     frozenset()),
    ("network_path", name_set("""
        port ports fromport toport portrange destinationport dstport
    """),
     name_set("""
        protocol direction ruleid rulename securitygroup securitygroupid groupid firewall firewallid
        sourceaddress ruleaction
    """)),
    ("network_path", name_set("""
        firewall firewallid securitygroup securitygroupid nsg acl routetable
    """),
     name_set("""
        direction source sourceaddress destination ruleaction rule rules priority nexthop
    """)),
    ("credential", name_set("""
        rolearn rolesessionname secretid secretname secretarn secretpath accesskeyid secretversion
        durationseconds serialnumber tokenttl keyalgorithm webidentitytoken samlassertion assumerole
    """), frozenset()),
    ("defence_impairment", name_set("""
        trailname detectorid logging auditlog sensor sensorid trail muteuntil suppressuntil exclusionpath
        exclusions exclusion maintenancetoken
    """), frozenset()),
)  # fmt: skip
"""(class, any of these argument names, together with any of these): lower case, without separators."""
_STATEMENT_KEYS: Final = frozenset({"effect", "action", "resource"})
"""The parts of a policy's statement, wherever in the arguments it stands."""
_ANYWHERE: Final = frozenset({"0.0.0.0/0", "::/0"})
_GUARDS: Final = name_set("""
    sensor sensorid detector detectorid rule ruleid rulename trail policy policyid profile stream alertrule
    detection detectionid control controlid agentversion module feature monitor monitorid
""")
_GUARD: Final = re.compile(
    r"(?<![a-z])(?:edr|xdr|av|antivirus|sensor|siem|audit|logs?|logging|guard(?:rail|duty)?|detector|defender|monitor(?:ing)?"
    r"|alert(?:s|ing)?|firewall|waf|dlp)(?![a-z])",
    re.IGNORECASE,
)
"""A tool that governs what watches or guards, by its name."""
_OPENS: Final = re.compile(r"(?<![a-z])open(?![a-z])", re.IGNORECASE)
"""Opening is looking at a file and a case, and no looking at a way or a door."""
_OFF: Final = re.compile(
    r'"(?:enabled|active|logging|state|status|mode|protection|prevention|enforcement|desired_?state)"\s*:\s*'
    r'(?:false|"(?:off|disabled?|stopped|paused|permissive|detect[ _-]?only|audit[ _-]?only|suspended|inactive)")',
    re.IGNORECASE,
)
_SECRET: Final = re.compile(
    r"secret_?access_?key|session_?token|access_?token|client_?secret|password|private_?key|BEGIN [A-Z ]*PRIVATE KEY"
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{12}|\beyJ[\w-]{8,}\.|\b(?:gh[opsu]_|glpat-|xox[abps]-)[\w-]{16,}",
    re.IGNORECASE,
)
_MOST_HANDED: Final = 3
"""A result that names more credentials is a list of them."""


class Behaviour(msgspec.Struct, frozen=True):
    """What a call does, and how that shows."""

    capability: Capability
    shows: str
    """In words: `a command on a host`."""


def behaviour(step: Step, scalars: Sequence[tuple[str, str]]) -> Behaviour | None:
    """What an unknown call does above `write`; None where nothing shows it. `scalars` are the step's arguments.

    Of a call whose name begins like a read, arguments alone say little (a lookup by role or rule takes the same): it
    must carry something to do, or its result hand out a credential.
    """
    told = carried(scalars, _table())
    if told in PRIVILEGED:
        return Behaviour(told, "what its arguments tell it to do")
    names = frozenset(key for key, _ in scalars)
    if _hands_out(step, scalars):
        return Behaviour("credential", "a credential in its result")
    if step.capability == "read" and not says(_OPENS, step.tool):
        return None
    for capability, some, others in _TELLING:
        if names & some and (not others or names & others):
            shown = sorted(names & some)[:1] + sorted((names & others) - some)[:1]
            return Behaviour(capability, f"arguments {' and '.join(shown)}")
    if names >= _STATEMENT_KEYS:
        return Behaviour("permission", "a policy's statement in its arguments")
    if lets_escape(scalars):
        return Behaviour("remote_execution", "a manifest of a pod that may leave its node's bounds")
    if any(value in _ANYWHERE for _, value in scalars):
        return Behaviour("network_path", "any address in its arguments")
    if (names & _GUARDS or says(_GUARD, step.tool)) and _OFF.search(step.arguments or ""):
        return Behaviour("defence_impairment", "something that guards, set to off")
    return None


def _hands_out(step: Step, scalars: Sequence[tuple[str, str]]) -> bool:
    if not step.gives or not step.result or _SECRET.search(step.result) is None:
        return False
    asked = {value for _, value in scalars}
    handed = [value for value in given(step.result) if value not in asked]
    return 0 < len(handed) <= _MOST_HANDED


@cache
def _table() -> Capabilities:
    return Capabilities.load()
