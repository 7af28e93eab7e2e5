"""On which day a term ends, worked out once more: by the calendar table and the standard library alone.

Reads lines `kind length first [from..until]*` and writes for each the day, or `provisional` where the table ends before the
term does. A time from..until is one that the term stood still; its first day does not count, its last one does again.
"""

import datetime
import json
import pathlib
import sys

TABLE = json.loads((pathlib.Path(__file__).parents[3] / "data" / "calendar.json").read_text(encoding="utf-8"))
DAY = datetime.timedelta(days=1)


def date(text):
    return datetime.date.fromisoformat(text)


FIRST, LAST = date(TABLE["from"]), date(TABLE["until"])
EXCEPTIONS = {date(entry["day"]): entry["works"] for entry in TABLE["exceptions"]}


def stands_still(day, times):
    return any(begins <= day < ends for begins, ends in times)


def months(first, count):
    month = first.month - 1 + count
    year, month = first.year + month // 12, month % 12 + 1
    following = datetime.date(year + month // 12, month % 12 + 1, 1)
    return datetime.date(year, month, min(first.day, (following - DAY).day))


def after(day, count, counts):
    while count:
        day += DAY
        count -= counts(day)
    return day


def due(kind, length, first, times):
    if kind == "days":
        return after(first, length, lambda day: not stands_still(day, times))
    if kind == "months":
        end = months(first, length)
        lost = sum(stands_still(first + DAY * n, times) for n in range(1, (end - first).days + 1))
        return after(end, lost, lambda day: not stands_still(day, times))
    day = first
    while length:
        day += DAY
        if stands_still(day, times):
            continue
        if not FIRST <= day <= LAST:
            return "provisional"
        length -= EXCEPTIONS.get(day, day.weekday() < 5)
    return day


for line in sys.stdin:
    kind, length, first, *times = line.split()
    still = [tuple(date(end) for end in time.split("..")) for time in times]
    print(due(kind, int(length), date(first), still))
