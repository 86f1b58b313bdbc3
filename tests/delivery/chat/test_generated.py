"""Which files count as generated, as Prow's size plugin reads it from a repository's root."""

from __future__ import annotations

import pytest

from pilothouse.delivery.chat.generated import generated, named_lists

LISTED = """
# comment
file-prefix\tzz_generated.
file-name  generated.pb.go
path-prefix vendor/
prefix third/
path  api/openapi.json
paths-from-repo docs/.generated
nonsense
strange key
"""
ATTRIBUTES = """
*.min.js linguist-generated=true
/dist/** text linguist-generated
dist/keep.txt -linguist-generated
gen/[ab]?.py linguist-generated=true
**/mocks/*.go linguist-generated=true
docs/*.md linguist-documentation
*.lock linguist-generated=true
mine.lock linguist-generated=false
"""
TEXTS = {".generated_files": LISTED, ".gitattributes": ATTRIBUTES, "docs/.generated": "# list\ndocs/api.md\n"}


@pytest.mark.parametrize(
    ("path", "is_generated"),
    [
        ("a/zz_generated.deepcopy.go", True), ("a/zz.go", False), ("x/generated.pb.go", True), ("vendor/a/b.c", True),
        ("src/vendor/a.c", False), ("third/a", True), ("api/openapi.json", True), ("docs/api.md", True),
        ("docs/guide.md", False), ("web/app.min.js", True), ("app.min.jsx", False), ("dist/a/b.js", True),
        ("src/dist/a.js", False), ("dist/keep.txt", False), ("gen/a1.py", True), ("gen/c1.py", False),
        ("gen/deep/a1.py", False), ("pkg/mocks/a.go", True), ("mocks/a.go", True), ("pkg/mocks/deep/a.go", False),
        ("uv.lock", True), ("a/mine.lock", False), ("src/app.py", False), ("", False),
    ],
)  # fmt: skip
def test_what_is_generated(path: str, is_generated: bool) -> None:
    assert (path in generated(TEXTS)) is is_generated


def test_lists_in_other_files() -> None:
    assert named_lists(TEXTS) == {"docs/.generated"}
    assert "docs/api.md" not in generated({".generated_files": LISTED})
    assert "any" not in generated({})
