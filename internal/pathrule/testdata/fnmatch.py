"""What Python's own fnmatch says about patterns and names.

    python3 fnmatch.py > fnmatch.txt    the table of the tests
    python3 fnmatch.py --serve          answers 0 or 1 to each line of two hexadecimal
                                        words, pattern and name, until its input ends

Bytes that are not UTF-8 are read as os.fsdecode does.
"""
import sys

# The script has the module's name: keep it from importing itself.
sys.path.pop(0)

import fnmatch
import warnings

warnings.simplefilter("ignore")

# case number, patterns, names: each pattern is asked about each name of its group.
GROUPS = [
    (54, ["{a,b}.md", "{a}.md", "a,b", "{", "}", "a{", "{*", "{a,*}", "{{a,b},c}"],
     ["{a,b}.md", "a.md", "b.md", "{a}.md", "a,b", "{", "}", "a{", "{x", "{a,x}", "{{a,b},c}"]),
    (55, ["\\*.md", "\\x", "a\\", "\\\\", "\\[a]", "\\?", "*\\"],
     ["\\x.md", "*.md", "x", "\\x", "a\\", "a", "\\\\", "\\", "\\a", "[a]", "?"]),
    (56, ["[a", "a[", "[]", "[!]", "[!", "[", "]", "a[]b", "a[!]b", "*[", "[a-", "[[", "[?", "[*", "a[b/c"],
     ["[a", "a[", "[]", "[!]", "[!", "[", "]", "a[]b", "a[!]b", "x[", "[a-", "[[", "[x", "a[b/c", "ab", "a"]),
    (57, ["[]a].md", "[!]]x", "[]]", "[!]a]", "[]", "[]-a]", "[!]-a]x", "[]]]", "[]!]", "[[]"],
     ["].md", "a.md", "b.md", "ax", "]x", "]", "a", "b", "^", "]]", "!", "[", "[]"]),
    (58, ["[a-]x", "[-a]x", "[a-c-e]x", "[ab-d]x", "[abc-e]x", "[a-cx-z]x", "[!a-cx-z]x", "[!a-]x", "[!-a]x",
          "[-]x", "[--]x", "[---]x", "[!-]x", "[--a]x", "[!--a]x", "[a-b-c-d]x", "[+--]x", "[a-a]x"],
     ["ax", "bx", "cx", "dx", "ex", "yx", "-x", ",x", "\nx"]),
    (59, ["[c-a]x", "[!c-a]x", "[c-ae]x", "[!c-ae]x", "[c-a-b]x", "[z-a-c]x", "[a--]x", "[c-af-d]x", "[c-ab-]x",
          "[c-a!x]x", "[c-a!]x", "[c-a!-z]x", "[c-a!-zb-d]x", "[c-a^]x", "[c-a!!]x", "[!c-a!x]x", "[]-A!a]x"],
     ["ax", "bx", "cx", "ex", "zx", "-x", "!x", "xx", "^x", "x"]),
    (60, ["[\\]]x", "[\\]x", "[a\\]x", "[\\a]x", "[!\\]x", "[\\-a]x", "[a\\-c]x", "[\\\\]x", "[\\!a]x"],
     ["\\]x", "]x", "\\x", "ax", "bx", "-x", "!x", "^x", "_x"]),
    (61, ["[^a].md", "[^].md", "[!^].md", "[^^]", "[^-a].md", "[a^].md", "[!^a].md"],
     ["^.md", "a.md", "b.md", "^", "_.md", "-.md"]),
    (62, ["*", "**", "***", "?", "??", "a*c", "a**c", "a?c", "*.md", "**/x", "*?", "?*?", "a*b*c", "*a*b", "[!a]", "", "a*a", "*x*x*"],
     ["", "a", "ac", "abc", "a/c", "a\nc", "a\n", "\n", "d/x.md", "x", "d/x", "d/e/x", "abcbc", "é", "日本", "e\u0301", "aéc", "\U0001f600", "axbx"]),
    (63, [b"\xff", b"\xff*", b"?", b"??", b"???", b"*\xff", b"[\xff]", b"[!\xff]", b"[\x80-\xff]", b"[a-\xff]", b"\xc3*", b"\xc3\xa9", b"*\xa9", "[\ufffd]", "[é]",
          "[\ue000-\uffff]", b"[\xf0-\xf5]*", b"\xe2\x82?"],
     [b"\xff", b"\xff.md", b"a\xff", b"\xc3", b"\xc3\xa9", b"\xc3\xc3\xa9", b"\xe2\x82", b"\xe2\x82\xac", b"\xed\xa0\x80", b"\xf5", b"\xc0\x80", "\ufffd", "z", "é"]),
    (64, ["project_*/*.md", "notes/*", "*/*", "*/notes/*"],
     ["project_1/readme.md", "project_1/sub/readme.md", "project_/x.md", "project/x.md", "notes/a", "notes/a/b", "a/notes/b", "notes"]),
    (65, ["*.md", "docs/*.md", "Docs/*.md", "*.[mM][dD]", ".*", "*.tar.gz"],
     ["a.md", ".md", "docs/a.md", "docs/b/c.md", "x/docs/a.md", "a.MD", ".hidden", "a.tar.gz", "tar.gz"]),
    (70, ["*a*a*a*a*a*b", "*?a?*b", "*[a-c]*[!a]*"],
     ["a" * 200, "a" * 200 + "b", "aab", "ab", "b"]),
]


def as_bytes(text):
    return text if isinstance(text, bytes) else text.encode()


def matches(pattern, name):
    decode = lambda raw: raw.decode("utf-8", "surrogateescape")
    return fnmatch.fnmatchcase(decode(name), decode(pattern))


def quoted(raw):
    """A string literal that Go's strconv.Unquote reads back to the same bytes."""
    plain = lambda b: 0x20 <= b < 0x7F and b not in b'"\\'
    return '"' + "".join(chr(b) if plain(b) else "\\x%02x" % b for b in raw) + '"'


def table():
    for case, patterns, names in GROUPS:
        for pattern in map(as_bytes, patterns):
            for name in map(as_bytes, names):
                answer = "yes" if matches(pattern, name) else "no"
                print(case, answer, quoted(pattern), quoted(name), sep="\t")


def serve():
    for line in sys.stdin:
        pattern, name = line.rstrip("\n").split(" ")
        print(int(matches(bytes.fromhex(pattern), bytes.fromhex(name))), flush=True)


serve() if sys.argv[1:] == ["--serve"] else table()
