"""What a tool of an unknown name does, told from its arguments: a renamed tool still takes what it needs.

Two witnesses: arguments that only one class of action takes, and the shape of the arguments (the set of their names)
where the fleet's privileged tools alone had it before.
"""

from __future__ import annotations

from typing import Final

import msgspec

from baseline.capability_table import Capability
from detect.memory import remember
from detect.step import Step
from ingest.arguments import scalars_in

_TELLING: Final[tuple[tuple[Capability, frozenset[str], frozenset[str]], ...]] = (
    ("permission", frozenset({"policydocument", "policyarn", "rolebinding", "clusterrole", "assumerolepolicydocument"}),
     frozenset()),
    ("permission", frozenset({"policy", "permissions", "role", "grant"}),
     frozenset({"principal", "member", "grantee", "attachto", "rolename", "username"})),
    ("network_path", frozenset({"cidr", "cidrip", "cidrblock", "sourcecidr", "sourceranges"}), frozenset()),
    ("network_path", frozenset({"port", "ports", "fromport", "toport"}),
     frozenset({"protocol", "direction", "ruleid", "securitygroup", "groupid", "firewall"})),
    ("remote_execution", frozenset({"command", "commands", "script", "cmd", "commandline", "documentname"}),
     frozenset({"host", "hostname", "targethost", "instanceid", "instanceids", "target", "deviceid", "node", "pod"})),
    ("credential", frozenset({"rolearn", "rolesessionname", "secretid", "accesskeyid"}), frozenset()),
    ("defence_impairment", frozenset({"trailname", "detectorid", "logging", "auditlog", "sensor"}), frozenset()),
)  # fmt: skip
"""(class, any of these argument names, together with any of these)."""
_LEAST_KEYS: Final = 2


class Shapes(msgspec.Struct):
    """The shapes of arguments that the fleet's tools take."""

    of: dict[str, str] = {}
    """Shape -> the one class of the privileged tools that take it; "" where others take it as well."""

    def unmask(self, step: Step) -> Capability | None:
        """The class of a step whose name says nothing, or None; the shapes of known tools are learnt on the way."""
        if step.arguments is None or step.capability == "read":
            return None
        names = frozenset(key for key, value in scalars_in(step.arguments) if value != step.credential_id)
        if len(names) < _LEAST_KEYS:
            return None
        shape = ",".join(sorted(names))
        if step.capability is not None:
            said = step.capability if step.is_privileged else ""
            if self.of.setdefault(shape, said) != said:
                remember(self.of, shape, "")
            return None
        for capability, some, others in _TELLING:
            if names & some and (not others or names & others):
                return capability
        return self.of.get(shape) or None  # type: ignore[return-value]
