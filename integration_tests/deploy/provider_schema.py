"""Extracts the schemas of what deploy/terraform uses of the Google provider.

The provider itself comes from Terraform's registry. Its schemas are also published, generated from
the same source, as TypeScript in the npm package @cdktf/provider-google. This module reads that
package and writes integration_tests/deploy/google_schema.json:

    npm pack @cdktf/provider-google@16.12.1 && tar xzf cdktf-provider-google-16.12.1.tgz
    python -m integration_tests.deploy.provider_schema package

The extract holds names and types; the package is under MPL-2.0. What it does not hold: which
optional arguments are also computed, and the rules that the provider checks in code, such as
allowed values and conflicts.
"""

import json
import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
TERRAFORM = HERE.parents[1] / "deploy/terraform"
SCHEMA = HERE / "google_schema.json"

ENTRY = re.compile(
    r"^\s+(\w+): \{\n\s+value: (.+),\n\s+isBlock: (true|false),\n\s+type: \"(\w+)\",\n"
    r"\s+storageClassType: \"(\w+)\"",
    re.MULTILINE,
)
SCALARS = {"string": "string", "number": "number", "boolean": "bool"}


def used_types(kind: str) -> list[str]:
    """Return the types of resources, or of data sources, that the configuration names."""
    text = "".join(path.read_text(encoding="utf-8") for path in TERRAFORM.glob("*.tf"))
    return sorted(set(re.findall(rf'^{kind} "(google_\w+)"', text, re.MULTILINE)))


def extract(package: Path, kind: str, type_name: str) -> dict[str, object]:
    """Return the block schema of a resource or a data source."""
    name = type_name if kind == "resource" else f"data_{type_name}"
    name = name.removeprefix("google_")
    folder = package / "lib" / name.replace("_", "-")
    script = (folder / "index.js").read_text(encoding="utf-8")
    types = (folder / "index.d.ts").read_text(encoding="utf-8")
    _, _, body = script.partition("synthesizeHclAttributes() {")
    return _block(script, types, body, f"{_pascal(name)}Config", _pascal(name))


def _block(script: str, types: str, body: str, interface: str, reader: str) -> dict[str, object]:
    optional = _members(types, rf"interface {interface}\b", r"readonly (\w+)(\??):")
    attributes: dict[str, object] = {}
    blocks: dict[str, object] = {}
    for name, value, is_block, kind, storage in ENTRY.findall(body):
        required = optional[_camel(name)] == ""
        if is_block == "false":
            attributes[name] = {"type": _type(kind, storage), "required": required}
            continue
        function = re.findall(r"(\w+)ToHclTerraform", value)[-1]
        _, _, rest = script.partition(f"function {function}ToHclTerraform(struct) {{")
        nested, _, _ = rest.partition("\n}\n")
        pascal = function[0].upper() + function[1:]
        blocks[name] = {
            "nesting": {"struct": "single"}.get(kind, kind),
            "required": required,
            "single": "listMapper" not in value,
            "block": _block(script, types, nested, pascal, f"{pascal}OutputReference"),
        }
    getters = _members(types, rf"class {reader} extends", r"^\s+get (\w+)\(\): (\w+);")
    for camel, type_ in getters.items():
        name = _snake(camel)
        if type_ in SCALARS and f"{camel}Input" not in getters and name not in attributes:
            attributes[name] = {"type": SCALARS[type_], "computed": True}
    return {"attributes": attributes, "blocks": blocks}


def _members(types: str, opening: str, member: str) -> dict[str, str]:
    found = re.search(rf"export (?:declare )?{opening}.*?\{{\n(.*?)\n\}}\n", types, re.DOTALL)
    return dict(re.findall(member, found[1], re.MULTILINE)) if found else {}


def _type(kind: str, storage: str) -> object:
    if kind == "simple":
        return SCALARS[storage]
    element = re.sub(r"(List|Map)$", "", storage)
    return [kind, SCALARS[element]]


def _pascal(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def main(package: Path) -> None:
    """Write the extract."""
    declaration = (package / "lib/provider/index.d.ts").read_text(encoding="utf-8")
    found = re.search(r"providers/hashicorp/google/([\d.]+)/", declaration)
    content: dict[str, object] = {"provider_version": found and found[1]}
    for kind in ("resource", "data"):
        content[kind] = {name: extract(package, kind, name) for name in used_types(kind)}
    text = re.sub(r"(?<=\}), (?=\"google_)", ",\n", json.dumps(content, sort_keys=True))
    SCHEMA.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
