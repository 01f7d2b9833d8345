"""Credentials that change hands: role chains, minted keys, secrets, tokens and consents."""

from __future__ import annotations

from typing import Final

from bench.fleet.cast import external_ip
from bench.fleet.chains.story import Story
from bench.fleet.steps import Session

KINDS: Final = (
    "role_chain_to_another_account",
    "minted_key_used_elsewhere",
    "secret_used_by_another_agent",
    "token_or_consent_theft",
    "dormant_key_wakes",
)


def role_chain_to_another_account(story: Story) -> None:
    """T1078.004, T1550.001: a role, from it a role elsewhere, and there what the role is good for."""
    agent = story.agent(
        "remediation",
        "forensic",
        "deploy",
        "vulnerability",
        aws=True,
        asks=story.covered_by_approval,
        can=("role.assume",),
    )
    story.declare_incident()
    session = story.session(agent)
    roles = [story.thing("role", agent) for _ in range(story.who.choice((2, 2, 3)))]
    if story.malicious and story.rng.random() < 0.5:
        story.do(session, "role.list")
    identity = session.identity
    for place, role in enumerate(roles):
        if place == 1 and story.pace in ("hours", "days"):
            story.pass_time()
            session = story.session(agent)
        identity = story.assume(session, role, identity, cover=place > 0)
    end = story.one_of(agent, "secret.read", "data.export", "role.attach", "snapshot.share")
    if story.malicious and story.chain.variant in ("2", "3") and identity is not None:
        # The chained session is taken away and used by itself.
        story.pass_time()
        outside = story.outsider(identity)
        session = story.session(outside, warm=0)
        for action in ("role.list", end):
            story.do(session, action, identity=identity)
        return
    account = roles[-1].split(":")[4]
    story.do(session, end, identity=identity, cover=True, account=account, secret=story.thing("secret", agent))


def minted_key_used_elsewhere(story: Story) -> None:
    """T1098.001: a key is made for somebody, and then works where it never did."""
    asks = story.covered_by_approval
    maker = story.agent("rotation", "remediation", "identity", asks=asks, can=("key.create",))
    story.declare_incident()
    user = story.thing("service_user", maker)
    session = story.session(maker)
    made = story.do(session, "key.create", cover=True, service_user=user)
    key = str(next(iter(made.result.values())))
    if not story.malicious:
        story.do(session, "vault.write", told=False)
    story.pass_time()
    if story.chain.variant in ("0", "2") and (story.malicious or maker.uses_aws):
        host = external_ip(story.rng) if story.malicious else "runner-17"
        identity = story.key_of(user, maker.account, key, host)
        outside = story.session(story.outsider(identity), warm=0)
        actions = ("key.list", "secret.read", "role.attach") if story.malicious else ("secret.list", "secret.read")
        for action in actions[: story.who.choice((2, 3))]:
            story.do(outside, action, identity=identity, service_user=user)
        return
    user_agent = story.agent("deploy", "backup", "forensic", "triage", logs=True, asks=asks, can=("net.connect",))
    later = story.session(user_agent)
    if not story.malicious:
        story.do(later, "vault.checkout", told=False, keyid=key)
    _use(story, later, key)


def secret_used_by_another_agent(story: Story) -> None:
    """T1552, T1078: one reads a secret, another one logs in with it."""
    asks = story.covered_by_approval
    reader = story.agent("triage", "deploy", "rotation", "forensic", logs=True, can=("secret.read",))
    story.declare_incident()
    session = story.session(reader)
    read = story.do(session, "secret.read", cover=True, secret=story.thing("secret", reader))
    key = str(next(iter(read.result.values())))
    for _ in range(story.who.choice((1, 1, 2))):
        story.pass_time()
        other = story.agent("edr", "vulnerability", "backup", "remediation", logs=True, asks=asks, can=("net.connect",))
        _use(story, story.session(other), key)


def _use(story: Story, session: Session, key: str) -> None:
    """Log in somewhere with a key and do something there."""
    agent = session.agent
    host, database = story.thing("host", agent), story.thing("database", agent)
    first = story.one_of(agent, "net.connect", "ssh.exec", "db.query")
    command = story.rng.choice(("id; cat /etc/shadow", "net group 'Domain Admins' /domain", "env | grep -i key"))
    benign = story.rng.choice(("systemctl reload app", "ls -la /opt/app", "df -h"))
    story.do(
        session, first, credential=key, cover=True, host=host, database=database,
        benign_command=command if story.malicious else benign,
    )  # fmt: skip
    if story.who.random() < 0.6:
        last = story.one_of(agent, "data.export", "db.query", "object.get", "log.tail")
        story.do(session, last, credential=key, database=database)


def token_or_consent_theft(story: Story) -> None:
    """T1528, T1550.001: an app is let in with wide scopes, and its token reads what no agent had read."""
    asks = story.covered_by_approval
    first = "app.consent" if story.chain.variant in ("0", "1") else "app.credential"
    agent = story.agent("identity", "phishing", "triage", aws=False, logs=True, asks=asks, can=(first,))
    story.declare_incident()
    app = story.thing("app", agent)
    wide = (
        "Mail.ReadWrite offline_access",
        "Directory.ReadWrite.All",
        "full_access_as_app",
        "RoleManagement.ReadWrite.Directory",
    )
    scopes = story.who.choice(wide if story.malicious or story.who.random() < 0.5 else ("User.Read", "Calendars.Read"))
    session = story.session(agent)
    made = story.do(session, first, cover=True, app=app, scopes=scopes)
    token = str(next(iter(made.result.values())))
    if story.chain.variant == "3":
        story.do(session, "mail.rule" if story.malicious else "app.assign", cover=True, app=app)
    story.pass_time()
    user = story.agent("triage", "phishing", "identity", aws=False, logs=True, asks=asks, can=("api.call",))
    later = story.session(user, warm=0 if story.malicious else None)
    places = ("users/cfo/messages", "directoryRoles", "sites/board/drive", "applications")
    for place in story.who.sample(places, 2):
        url = f"https://graph.example.com/v1.0/{place}"
        story.do(
            later,
            "api.call",
            credential=token,
            cover=True,
            api_url=url,
            verb="GET" if story.rng.random() < 0.6 else "POST",
        )


def dormant_key_wakes(story: Story) -> None:
    """T1078.004: a key that nothing has used for weeks acts again, and not as it did."""
    agent = story.agent(
        "backup",
        "deploy",
        "remediation",
        aws=True,
        asks=story.covered_by_approval,
        can=("vault.checkout",) if not story.malicious else (),
    )
    host = f"runner-{story.who.randrange(300, 400)}"
    age, use = story.who.choice(("legacy", "old", "fy25", "poc")), story.who.choice(("etl", "backup", "import", "sync"))
    user = f"svc-{age}-{use}-{story.who.randrange(90)}"
    old = story.key_of(user, agent.account, host=host)
    habit = story.who.choice(
        (("snapshot.list", "snapshot.create"), ("object.get", "object.put"), ("log.tail", "object.put"))
    )
    story.before(range(0, story.who.randrange(2, 4)), story.outsider(old), habit, identity=old)
    story.declare_incident()
    if not story.malicious:
        # The yearly job: announced, with the key's own habit, from its own place.
        session = story.session(agent)
        story.do(session, "vault.checkout", cover=True, keyid=old.key)
        story.pass_time("minutes")
        awake, actions = old, (*habit, habit[0], "secret.read")
    else:
        awake = story.key_of(user, agent.account, old.key)
        actions = story.who.choice(
            (
                ("key.list", "secret.list", "secret.read", "role.attach"),
                ("role.list", "user.create", "key.create"),
                ("role.list", "role.assume", "secret.read", "snapshot.share"),
                ("asset.list", "ssm.send", "firewall.allow"),
            )
        )
    session = story.session(story.outsider(awake), warm=0)
    for place, action in enumerate(actions):
        if place and story.pace in ("hours", "days") and story.rng.random() < 0.5:
            story.pass_time()
            session = story.session(story.outsider(awake), warm=0)
        story.do(session, action, identity=awake)
