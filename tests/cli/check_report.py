#!/usr/bin/env python3
"""report.html is whole, self-contained HTML that says what it has to.

    check_report.py REPORT.html PART...      every PART must be in its text
"""
import html.parser
import pathlib
import sys

VOID = {"meta", "line", "circle", "br"}


class Page(html.parser.HTMLParser):
    """Elements must be closed in order; scripts and addresses elsewhere must not be there."""

    def __init__(self):
        super().__init__()
        self.open, self.text, self.ids, self.targets = [], [], set(), set()

    def handle_starttag(self, tag, attributes):
        assert tag not in ("script", "img", "link", "iframe"), tag
        values = dict(attributes)
        self.ids.add(values.get("id"))
        target = values.get("href", "#")
        assert target.startswith("#"), target
        self.targets.add(target[1:])
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open and self.open[-1] == tag, (tag, self.open)
            self.open.pop()

    def handle_data(self, data):
        self.text.append(data)


page = Page()
source = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")
page.feed(source)
page.close()
assert not page.open, page.open
assert page.targets - {""} <= page.ids, page.targets - page.ids
assert "url(" not in source and "http" not in source.replace("http-equiv", ""), "an address elsewhere"
words = " ".join("".join(page.text).split())
for part in sys.argv[2:]:
    assert part in words, f"'{part}' is not in the report: {words[:2000]}"
