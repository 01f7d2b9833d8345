"""Sessions of the phishing agent, kept as conversations."""

from __future__ import annotations

from datetime import datetime
from random import Random

from _calls import Call, Log
from _cast import PHISHING, STAFF, asking
from _chat import conversation

SENDERS = ("billing", "hr-portal", "parcel-notice", "it-helpdesk", "invoice", "voicemail")
SYSTEM = "You look at reported mail. Quarantine it only when a detonation or the headers show that it is phishing."


def phishing(rng: Random, at: datetime) -> Log:
    """One reported mail: read, its link opened in a sandbox, and quarantined where it is bad."""
    mail, person = f"MSG-{rng.randrange(100000, 999999)}", rng.choice(STAFF)
    domain = f"{rng.choice(SENDERS)}-{rng.randrange(10, 99)}.example.net"
    is_bad = rng.random() < 0.6
    mailbox = f"{person}@corp.example"
    turns = [[Call("get_email", {"message_id": mail, "mailbox": mailbox},
                   {"from": f"notice@{domain}", "links": [f"https://{domain}/open"]})]]  # fmt: skip
    sandbox = Call("detonate_url", {"url": f"https://{domain}/open"}, {"verdict": "phishing" if is_bad else "benign"})
    if rng.random() < 0.07:
        turns.append([Call("detonate_url", sandbox.arguments, error="sandbox timed out after 120 s")])
    turns.append([sandbox])
    if is_bad:
        found = {"mailboxes": [f"{name}@corp.example" for name in rng.sample(STAFF, rng.randrange(1, 4))]}
        turns.append([Call("search_mailboxes", {"query": f"from:notice@{domain}"}, found)])
        turns.append([Call("quarantine_email", {"message_id": mail, "mailbox": mailbox}, {"quarantined": 1})])
    text = "Thank you, it was phishing." if is_bad else "Thank you, the mail is harmless."
    turns.append([Call("notify_user", {"recipient": mailbox, "text": text}, {"sent": True})])
    asked = f"{asking(rng, at)} forwards mail {mail}, reported by {mailbox}"
    return Log("chat", PHISHING, at, [conversation(rng, PHISHING, at, SYSTEM, asked, turns, text)])
