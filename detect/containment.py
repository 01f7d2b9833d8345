"""What takes access away: blocking, isolating, revoking, disabling. It is how an incident is answered, all day long.

Such a step is privileged and may be wrong; but nobody comes further by it. It is no move of a path and no phase of one
(MITRE D3FEND counts these under Evict and Isolate).
"""

from __future__ import annotations

import re
from typing import Final

from detect.opened import closes
from detect.step import Step
from detect.toolnames import says

_TAKES_AWAY: Final = re.compile(
    r"revoke|(?<!un)block|\bban|deny|(?<!un)quarantin|(?<!un)isolat|(?<!un)contain(?!er)|sinkhole|suspend"
    r"|(?:disable|deactivate|(?<![a-z])lock|expire|invalidate)[\W_]*(?:\w+[\W_]*)?(?:user|account|identity|principal|key|token"
    r"|credential|certificate|session|login|sign)"
    r"|(?:user|account|identity|key|token|credential|session)[\W_]*(?:disable|deactivate|lock\b|revoke|suspend)"
    r"|(?:sign|log)[\W_]?out|kill[\W_]*session|terminate[\W_]*session|clear[\W_]*session",
    re.IGNORECASE,
)
_LOOSENS: Final = re.compile(
    r"boundar|guardrail|deny[\W_]*(?:polic|rule|assign)|block[\W_]*(?:rule|public)|access[\W_]*block|un(?:ban|lock|suspend)",
    re.IGNORECASE,
)
"""What holds others back: to take that away gives."""
_MAIL: Final = re.compile(
    r"(?:purge|delete|remove|pull|trap|retract|recall)[\W_]*(?:\w+[\W_]*)?(?:messages?|e?mails?|phish\w*)(?![a-z])"
    r"|(?:messages?|e?mails?|phish\w*)[\W_]*(?:purge|pull|trap|retract|recall)$",
    re.IGNORECASE,
)
"""Taking a message out of mailboxes (D3FEND, Email Removal)."""
_CLASSES: Final = frozenset({"network_path", "permission", "credential"})


def takes_away(step: Step) -> bool:
    """Whether a privileged step takes access from somebody instead of giving it."""
    if step.capability == "destructive":
        return says(_MAIL, step.tool)
    if step.capability not in _CLASSES:
        return False
    if step.capability == "network_path" and closes(step):
        return True
    return says(_TAKES_AWAY, step.tool) and not says(_LOOSENS, step.tool)
