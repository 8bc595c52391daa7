"""A provider plugin that knows schemas and nothing else, for terraform's validation and mocks.

Terraform starts no process for a provider named in TF_REATTACH_PROVIDERS but connects to the given
socket. `terraform validate` then checks names, types and required arguments against the schemas;
`terraform test` with a mock_provider plans and applies without any further call.
"""

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc

NESTING = {"single": 1, "list": 2, "set": 3}


class _Provider(grpc.GenericRpcHandler):
    """Answers GetSchema; any other call of the protocol gets an empty message: no diagnostics."""

    def __init__(self, schema: bytes) -> None:
        self.schema = schema

    def service(self, call: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        if not call.method.startswith("/tfplugin5.Provider/"):
            return None
        answer = self.schema if call.method.endswith("/GetSchema") else b""
        return grpc.unary_unary_rpc_method_handler(lambda request, context: answer)


@contextmanager
def serve(schema_file: Path, socket: Path) -> Iterator[dict[str, str]]:
    """Yield the environment that makes terraform take this for the provider hashicorp/google."""
    schemas = json.loads(schema_file.read_text(encoding="utf-8"))
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers([_Provider(_provider_schema(schemas))])
    server.add_insecure_port(f"unix:{socket}")
    server.start()
    provider = {
        "Protocol": "grpc",
        "ProtocolVersion": 5,
        "Pid": os.getpid(),
        "Test": True,
        "Addr": {"Network": "unix", "String": str(socket)},
    }
    try:
        yield {"TF_REATTACH_PROVIDERS": json.dumps({"hashicorp/google": provider})}
    finally:
        server.stop(None).wait()


# Messages of Terraform's plugin protocol 5 (tfplugin5.proto), written field by field.


def _field(number: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    content = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])


def _provider_schema(schemas: dict[str, Any]) -> bytes:
    settings = {name: {"type": "string"} for name in ("project", "region", "billing_project")}
    settings["user_project_override"] = {"type": "bool"}
    answer = _field(1, _schema({"attributes": settings, "blocks": {}}))
    for number, kind in ((2, "resource"), (3, "data")):
        for name, block in schemas[kind].items():
            answer += _field(number, _field(1, name) + _field(2, _schema(block)))
    return answer


def _schema(block: dict[str, Any]) -> bytes:
    return _field(2, _block(block))


def _block(block: dict[str, Any]) -> bytes:
    answer = b""
    for name, attribute in block["attributes"].items():
        answer += _field(2, _attribute(name, attribute))
    for name, nested in block["blocks"].items():
        answer += _field(3, _nested(name, nested))
    return answer


def _attribute(name: str, attribute: dict[str, Any]) -> bytes:
    mode = 4 if attribute.get("required") else 6 if attribute.get("computed") else 5
    answer = _field(1, name) + _field(2, json.dumps(attribute["type"])) + _field(mode, 1)
    # Terraform's own id is optional and computed in every resource.
    return answer + _field(6, 1) if name == "id" else answer


def _nested(name: str, nested: dict[str, Any]) -> bytes:
    answer = _field(1, name) + _field(2, _block(nested["block"]))
    answer += _field(3, NESTING[nested["nesting"]])
    if nested["nesting"] == "single":
        return answer
    return answer + _field(4, int(nested["required"])) + _field(5, int(nested["single"]))
