"""Requests that are to succeed: each operation in the state of a case that allows it, as its users would come to it.

A story is a list of acts on a case of its own; the last is the one that is asked about. Everything goes through the API.
"""

import os
import time

AGREEMENT = {"form": "oral", "parties": [1, 2], "terms": "乙方三日内修好水管", "plan": [
    {"by": 2, "due": "2099-01-31", "amount_fen": 50_000}]}
FILE = ("file", {})
ASSIGN = ("assign", {"unit": 1})
PROGRESS = ("progress", {"note": "已上门了解情况"})
RESOLVE = ("resolve", {"outcome": "successful", "terms": "双方和解"})
FEED_BACK = ("feed-back", {"note": "已告知", "by": "phone"})
ASSESS = ("assess", {"score": 5})
OPEN = ("open-mediation", {"source": "application", "committee": 1, "mediators": ["王秀兰"]})
CONSENT = ("consent", {"parties": [1, 2], "agree": True})
DRAW = ("draw", AGREEMENT)
TASK = ("give-task", {"unit": 3, "title": "核实现场", "due": "2099-01-01"})
REPORT_TASK = ("report-task", {"task": 1, "note": "已核实"})
SEEK = ("seek-confirmation", {"agreement": 1, "court": "越城区人民法院"})
HANDLED = [FILE, ASSIGN, PROGRESS]
AGREED = [*HANDLED, OPEN, CONSENT, DRAW]

# What leads to an act, with the act at its end.
ACTS = [
    [FILE],
    [("return", {"note": "请补充地址"})],
    [FILE, ASSIGN],
    HANDLED,
    [*HANDLED, RESOLVE],
    [*HANDLED, RESOLVE, FEED_BACK],
    [*HANDLED, RESOLVE, FEED_BACK, ASSESS],
    [*HANDLED, RESOLVE, FEED_BACK, ASSESS, ("archive", {})],
    [FILE, ("pause", {"ground": "hearing"})],
    [FILE, ("pause", {"ground": "hearing"}), ("resume", {})],
    [*HANDLED, ("ask-extension", {"days": 5, "reason": "等待鉴定"})],
    [*HANDLED, ("extend", {"days": 5, "reason": "等待鉴定"})],
    [*HANDLED, ("ask-extension", {"days": 5, "reason": "等待鉴定"}), ("refuse-extension", {"reason": "可按期办结"})],
    [("reject", {"ground": "unfounded", "note": "未提出可办理的事项"})],
    [FILE, ("withdraw", {"note": "当事人不再要求"})],
    [FILE, ("refer", {"channel": "court", "note": "移送法院"})],
    [*HANDLED, RESOLVE, ("reopen", {"reason": "一方反悔"})],
    [("join", {"people": [{"side": "respondent", "name": "王五"}]})],
    [("amend-party", {"party": 1, "entry": {"side": "applicant", "name": "周慧敏"}})],
    [("leave", {"party": 2})],
    [("amend", {"head_count": 3, "reason": "核实"})],
    [("link", {"to": "019e0000000070008000000000000001"})],
    [*HANDLED, OPEN],
    [*HANDLED, OPEN, CONSENT],
    [*HANDLED, ("hold", {"kind": "visit", "record": "当事人在家，情绪平稳"})],
    AGREED,
    [*HANDLED, OPEN, CONSENT, ("draw", {**AGREEMENT, "form": "written"}), (
        "sign", {"agreement": 1, "parties": [1, 2], "mediator": True, "committee": True, "mark": "signature"})],
    [*AGREED, ("drop-agreement", {"agreement": 1, "note": "重拟"})],
    [*AGREED, ("perform", {"agreement": 1, "instalment": 1})],
    [*AGREED, ("visit-again", {"agreement": 1, "kept": "fully"})],
    [*AGREED, SEEK],
    [*AGREED, SEEK, ("note-confirmation", {"agreement": 1, "result": "confirmed"})],
    [*HANDLED, OPEN, ("end-mediation", {"ground": "no_agreement"})],
    [*HANDLED, TASK],
    [*HANDLED, TASK, ("accept-task", {"task": 1})],
    [*HANDLED, TASK, REPORT_TASK],
    [*HANDLED, TASK, REPORT_TASK, ("send-back-task", {"task": 1, "note": "请补充照片"})],
    [*HANDLED, TASK, REPORT_TASK, ("close-task", {"task": 1})],
    [*HANDLED, TASK, ("cancel-task", {"task": 1, "note": "不再需要"})],
    [("sponsor", {"name": "周建国", "office": "副镇长"})],
    [*HANDLED, ("object", {"reason": "不属本单位职责", "proposed": 3})],
    [*HANDLED, ("object", {"reason": "不属本单位职责"}), ("refuse-objection", {"reason": "属职责范围"})],
    [*HANDLED, ("object", {"reason": "不属本单位职责"}), ("rule", {"unit": 3, "reason": "由其牵头"})],
    [("restrict", {"ground": "minors", "note": "涉及未成年人"})],
    [("restrict", {"ground": "minors", "note": "涉及未成年人"}), ("lift-restriction", {"reason": "核实后不涉及"})],
    [("take-measure", {"measure": 1, "note": "已联系报告人"})],
    [*HANDLED, ("excuse-slot", {"slot": "evidence", "reason": "当事人未提交证据"})],
    [("void", {"reason": "误录"})],
    [("regrade", {"level": "orange", "reason": "人数增加", "answers": {
        "signs": 1, "violence": "no", "petition_talk": "no", "people": 20, "disturbs": "yes", "effort": "yes"}})],
    [*HANDLED, RESOLVE, FEED_BACK, ASSESS, ("archive", {}), ("erase", {"reason": "当事人申请删除"})],
    [("reveal", {"reason": "核实情况"})],
    [("attachments/ticket", {"reason": "核实情况"})],
]


def case_id():
    """An id as a client makes it: UUIDv7."""
    moment = int(time.time() * 1_000).to_bytes(6, "big")
    rest = bytearray(os.urandom(10))
    rest[0] = 0x70 | rest[0] & 0x0F
    rest[2] = 0x80 | rest[2] & 0x3F
    return (moment + bytes(rest)).hex()


def report(case, place, **changes):
    """A report of two neighbours at a place."""
    return {
        "case": case, "matter": "dispute", "source": "window", "category": 201, "place": place, "grid_kind": "basic",
        "title": "楼上漏水", "narrative": "楼上水管漏水，双方争执。", "ending": "settle_here",
        "parties": [{"side": "applicant", "name": "周慧敏", "phone": "13857512345"},
                    {"side": "respondent", "name": "鲍德海"}],
        "answers": {"signs": 0, "violence": "no", "petition_talk": "no", "people": 2, "disturbs": "yes",
                    "effort": "unknown"},
        **changes,
    }
