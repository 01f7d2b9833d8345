"""A text that is looked for, in every form in which a log may hold it."""

from __future__ import annotations

import json
import re


def forms_of(text: str) -> tuple[str, str]:
    """The text in lower case, and a pattern (RE2) of the other forms that a JSON payload gives it; empty for none.

    A payload is kept as it was written: a quote stands in it as `\\"`, and many writers put `é` as `\\u00e9`. Of such
    a letter the two cases are two escapes, so the text is looked for as it is, all small and all large.
    """
    plain = text.lower()
    written = {json.dumps(text, ensure_ascii=False)[1:-1].lower()}
    written |= {json.dumps(form)[1:-1].lower() for form in (text, plain, text.upper())}
    return plain, "|".join(re.escape(form) for form in sorted(written - {plain}))
