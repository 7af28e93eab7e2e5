"""Hostile text in every text field of every act: what was typed is kept as typed or refused by name, and a page executes none of it."""

import html
import re

import stories

MARKUP = "=HYPERLINK(\"x\")<script>alert(1)</script>'&"
OVERRIDE = "发票\u202egpj.exe"
# Words of lists, days and ids stand in texts too: what a list or a day is, another text is not.
WORDS = re.compile(r"[a-z_]+|\d{4}-\d{2}-\d{2}|[0-9a-f-]{32,36}")


def fields(body, path=()):
    """Where a body holds free text."""
    entries = body.items() if isinstance(body, dict) else enumerate(body)
    for name, value in entries:
        if isinstance(value, (dict, list)):
            yield from fields(value, (*path, name))
        elif isinstance(value, str) and not WORDS.fullmatch(value):
            yield (*path, name)


def put(body, path, text):
    """The same body with another text at a place."""
    name, *rest = path
    copy = dict(body) if isinstance(body, dict) else list(body)
    copy[name] = put(copy[name], rest, text) if rest else text
    return copy


def typed(node, failures):
    """Asks each act with hostile text in each of its fields, and looks at the case and at its page."""
    asked = 0
    for story in stories.ACTS:
        act, body = story[-1]
        for path in fields(body):
            asked += 1
            where = f"{act} {'.'.join(map(str, path))}"
            case = prepared(node, story)
            refused = node.patient("POST", f"/api/v1/cases/{case}/{act}", put(body, path, OVERRIDE))
            if refused.status_code != 422 or not refused.json().get("errors"):
                failures.append(f"{where}: a text that turns its direction is taken: {refused.status_code}")
            taken = node.patient("POST", f"/api/v1/cases/{case}/{act}", put(body, path, MARKUP))
            if taken.status_code not in (200, 422):
                failures.append(f"{where}: {taken.status_code} {taken.text[:200]}")
            # A reason stands in the audit, and no case shows it.
            if taken.status_code == 200 and act not in ("reveal", "attachments/ticket", "erase"):
                look(node, case, where, failures)
    return asked


def prepared(node, story):
    case = node.file()
    for act, body in story[:-1]:
        node.must("POST", f"/api/v1/cases/{case}/{act}", body)
    return case


def look(node, case, where, failures):
    """What was typed is there, and the page shows it as text."""
    page = node.page(f"/cases/{case}")
    if "<script>alert" in page:
        failures.append(f"{where}: the page would execute it")
    shown = html.unescape(re.sub(r"<[^>]*>", "", page))
    told = node.must("POST", f"/api/v1/cases/{case}/reveal", {"reason": "核对录入内容"})
    if MARKUP not in flat(told) and MARKUP not in shown:
        failures.append(f"{where}: what was typed is nowhere to be seen")


def flat(value):
    """All texts of an answer."""
    if isinstance(value, dict):
        return "\n".join(flat(one) for one in value.values())
    if isinstance(value, list):
        return "\n".join(flat(one) for one in value)
    return str(value)
