"""The hard rules: what no charter can allow."""

import re
from collections.abc import Iterator

from tactful.domain.charter import BASES, KINDS, Charter, Data
from tactful.domain.event import VERBS
from tactful.domain.item import AUDIENCES
from tactful.domain.receiver import WHAT, Receiver, bad_url
from tactful.domain.taxonomy import DATA_CATEGORIES, DATA_USES
from tactful.domain.type_rules import Problem, type_problems
from tactful.domain.view import SURFACES

NEVER_USES = ("third_party_sharing", "marketing.advertising.third_party", "sales")
"""Selling what is known about a person, under any of its names."""

NEVER_CATEGORIES = ("user.biometric.voice", "user.authorization", "user.government_id", "user.childrens")
"""Raw voice, secrets, and anything kept about children as children."""

SENSITIVE_CATEGORIES = (
    "user.health_and_medical",
    "user.biometric",
    "user.criminal_history",
    "user.demographic.political_opinion",
    "user.demographic.race_ethnicity",
    "user.demographic.religious_belief",
    "user.demographic.sexual_orientation",
    "user.financial",
)
"""Categories that must be tied to a [sensitive.*] entry, which each person turns on for themselves."""

GUARDS_ALWAYS = ("sensitive", "children")
"""Guards that no placement and no charter can do without."""

SENSITIVE_MOST = 31
"""Each category has a bit of 32 in the catalogue; the last one stands for categories that the charter does not know."""


def under(name: str, *roots: str) -> bool:
    """Whether a taxonomy name is one of these or lies below one of them."""
    return any(name == root or name.startswith(root + ".") for root in roots)


def problems(charter: Charter) -> Iterator[Problem]:
    """Everything wrong with a charter; it loads only when there is nothing."""
    yield from _purpose_problems(charter)
    yield from _data_problems(charter)
    yield from _ownership_problems(charter)
    for name, data in charter.data.items():
        yield from type_problems(name, data, bool(data.sensitive) or under(data.category, *SENSITIVE_CATEGORIES))
    if len(charter.sensitive) > SENSITIVE_MOST:
        yield (
            "sensitive",
            f"it has {len(charter.sensitive)} categories, the most is {SENSITIVE_MOST}",
            "Join some of them",
        )
    for guard in GUARDS_ALWAYS:
        if guard not in charter.guards_always:
            yield "guards_always", f"the guard {guard!r} is missing", f"Add {guard!r}; it cannot be switched off"
    if not 13 <= charter.children.age <= 18:
        yield (
            "children.age",
            f"{charter.children.age} is not between 13 and 18",
            "Choose the age of consent where you work",
        )
    for audience in charter.children.audiences:
        if audience not in ("children", "everyone"):
            yield "children.audiences", f"{audience!r} does not suit children", f"Use some of {AUDIENCES[:2]}"
    if not 1 <= charter.visit_minutes <= 24 * 60:
        yield "visit_minutes", f"{charter.visit_minutes} is not between 1 and 1440", "30 is usual"


def _purpose_problems(charter: Charter) -> Iterator[Problem]:
    for name, purpose in charter.purposes.items():
        at = f"purposes.{name}"
        if not purpose.words.strip():
            yield f"{at}.words", "it is empty", "Say what it is for, so that a ten-year-old understands"
        if purpose.use not in DATA_USES:
            yield f"{at}.use", f"{purpose.use!r} is not a use of the fideslang taxonomy", "Try 'personalize.content'"
        if under(purpose.use, *NEVER_USES):
            yield (
                f"{at}.use",
                f"{purpose.use!r} would sell or share what people trusted you with",
                "Delete this purpose; Tactful never does it",
            )
        if purpose.basis not in BASES:
            yield f"{at}.basis", f"{purpose.basis!r} is no legal basis", f"Use one of {', '.join(BASES)}"
        elif under(purpose.use, "personalize", "marketing") and purpose.basis != "consent":
            yield (
                f"{at}.basis",
                "choosing things for a person from their data needs their consent",
                'Write basis = "consent"',
            )


def _data_problems(charter: Charter) -> Iterator[Problem]:
    for name, data in charter.data.items():
        yield from _category_problems(f"data.{name}", data, charter)
        yield from _use_problems(f"data.{name}", data, charter)


def _category_problems(at: str, data: Data, charter: Charter) -> Iterator[Problem]:
    """What kind of data it is, and whether people turn it on for themselves where it is sensitive."""
    if data.kind not in KINDS:
        yield f"{at}.kind", f"{data.kind!r} is not a kind of data", f"Use one of {', '.join(KINDS)}"
    if data.category not in DATA_CATEGORIES:
        yield (
            f"{at}.category",
            f"{data.category!r} is not in the fideslang taxonomy",
            "Try 'user.behavior.browsing_history'",
        )
    if under(data.category, *NEVER_CATEGORIES):
        yield f"{at}.category", f"{data.category!r} is never kept", "Delete this entry"
    if under(data.category, *SENSITIVE_CATEGORIES) and data.sensitive not in charter.sensitive:
        yield (
            f"{at}.sensitive",
            f"{data.category!r} is sensitive",
            "Name the [sensitive.*] entry that people turn on for it",
        )
    if data.sensitive and data.sensitive not in charter.sensitive:
        yield f"{at}.sensitive", f"there is no [sensitive.{data.sensitive}]", "Declare it, or correct the name"


def _use_problems(at: str, data: Data, charter: Charter) -> Iterator[Problem]:
    """What is kept in it, for how long, for what, and where it may show."""
    if data.verbs and data.kind != "observed":
        yield (
            f"{at}.verbs",
            f"an entry of kind {data.kind!r} keeps no verbs",
            'Keep them in one with kind = "observed"',
        )
    if data.traits and data.kind == "observed":
        yield f"{at}.traits", "an entry of kind 'observed' keeps no traits", 'Keep them in one with kind = "told"'
    if data.retention_days < 1:
        yield (
            f"{at}.retention_days",
            f"{data.retention_days} is not a time",
            "Say after how many days it is deleted, at least 1",
        )
    for purpose in data.purposes:
        if purpose not in charter.purposes:
            yield f"{at}.purposes", f"there is no [purposes.{purpose}]", "Declare it, or correct the name"
    if not data.purposes:
        yield (
            f"{at}.purposes",
            "it is empty",
            "Data that is for nothing is not kept: name a purpose, or delete the entry",
        )
    for surface in data.surfaces:
        if surface not in SURFACES:
            yield f"{at}.surfaces", f"{surface!r} is no surface", f"Use some of {', '.join(SURFACES)}"


def _ownership_problems(charter: Charter) -> Iterator[Problem]:
    """Each verb and each trait is kept under exactly one entry, or nobody could say what it may be used for."""
    owners: dict[tuple[str, str], str] = {}
    for name, data in charter.data.items():
        for verb in data.verbs:
            if verb not in VERBS:
                yield f"data.{name}.verbs", f"{verb!r} is not a verb", f"Use some of {', '.join(VERBS)}"
        claimed = [("observed", verb) for verb in data.verbs] + [(data.kind, trait) for trait in data.traits]
        for claim in claimed:
            if claim in owners:
                yield (
                    f"data.{name}",
                    f"{claim[1]!r} is already kept under [data.{owners[claim]}]",
                    "Name it in one entry only",
                )
            owners[claim] = name


def receiver_problems(name: str, receiver: Receiver, charter: Charter) -> Iterator[Problem]:
    """Everything wrong with a receiver: nobody is passed anything without a declared purpose, nor over an open line."""
    at = f"receivers.{name}"
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", name):
        yield at, f"{name!r} is no name for a receiver", "Use small letters, digits, - and _"
    if receiver.purpose not in charter.purposes:
        known = ", ".join(charter.purposes) or "none"
        yield (
            f"{at}.purpose",
            f"there is no [purposes.{receiver.purpose}]",
            f"Declare it in the charter, or use one of {known}",
        )
    if not receiver.words.strip():
        yield f"{at}.words", "it is empty", "Say who it is, so that a ten-year-old understands"
    if not receiver.what:
        yield f"{at}.what", "it is empty", f"Use some of {', '.join(WHAT)}"
    for what in receiver.what:
        if what not in WHAT:
            yield f"{at}.what", f"{what!r} is nothing that is passed on", f"Use some of {', '.join(WHAT)}"
    why = bad_url(receiver.url, receiver.allow_http) if receiver.url else None
    if why is not None:
        yield (
            f"{at}.url",
            why,
            "Use an https address, or http to this machine; or leave it out, and let the receiver fetch",
        )
    for field, value, least, most in (
        ("attempts", receiver.attempts, 1, 100), ("pause_ms", receiver.pause_ms, 1, 3_600_000),
        ("timeout_s", receiver.timeout_s, 0.05, 300), ("batch", receiver.batch, 1, 1000),
    ):  # fmt: skip
        if not least <= value <= most:
            yield f"{at}.{field}", f"{value} is out of range", f"Choose {least} to {most:,}"
