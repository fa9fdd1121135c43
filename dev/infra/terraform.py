"""Terraform's own checks without a registry: a stand-in for the provider serves nothing but its schema.

The schema (`tests/infra/data/azurerm-*.json`, with the provider's version) knows names, types and what is required; the
provider's own rules on values are not in it. A real `terraform init` and `plan` remain an admin's step.
"""

import concurrent.futures
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from tfplugin_proto import tfplugin5_5_pb2 as messages
from tfplugin_proto import tfplugin5_5_pb2_grpc as service

PROVIDER = "registry.terraform.io/hashicorp/azurerm"
_SINGLE, _LIST = messages.Schema.NestedBlock.SINGLE, messages.Schema.NestedBlock.LIST


def available() -> bool:
    """Whether Terraform is on the path."""
    return shutil.which("terraform") is not None


@contextmanager
def stand_in(schema: Path) -> Iterator[dict[str, str]]:
    """Serve the schema on 127.0.0.1; yields the environment that makes Terraform use it."""
    server = grpc.server(
        concurrent.futures.ThreadPoolExecutor(4), options=[("grpc.max_send_message_length", 64 * 1024 * 1024)]
    )
    service.add_ProviderServicer_to_server(_Provider(json.loads(schema.read_text())), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    address = {"Network": "tcp", "String": f"127.0.0.1:{port}"}
    how = {"Protocol": "grpc", "ProtocolVersion": 5, "Pid": os.getpid(), "Test": True, "Addr": address}
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    try:
        yield {
            **kept,
            "TF_REATTACH_PROVIDERS": json.dumps({PROVIDER: how}),
            "TF_CLI_CONFIG_FILE": os.devnull,
            "CHECKPOINT_DISABLE": "1",
            "TF_IN_AUTOMATION": "1",
        }
    finally:
        server.stop(None).wait()


def run(folder: Path, environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Terraform in a folder; its words are in `stdout`."""
    return subprocess.run(
        ["terraform", *arguments, "-no-color"],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )


class _Provider(service.ProviderServicer):
    """What Terraform asks of a provider before it plans; mocked providers plan by themselves."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = schema

    def GetSchema(self, request: Any, context: Any) -> Any:
        answer = messages.GetProviderSchema.Response(provider=messages.Schema(block=_block(self._schema["provider"])))
        for name, block in self._schema["schemas"].items():
            is_data = name.startswith("data.")
            schemas = answer.data_source_schemas if is_data else answer.resource_schemas
            schemas[name.removeprefix("data.")].CopyFrom(messages.Schema(block=_block(block)))
        return answer

    def PrepareProviderConfig(self, request: Any, context: Any) -> Any:
        return messages.PrepareProviderConfig.Response(prepared_config=request.config)

    def ValidateResourceTypeConfig(self, request: Any, context: Any) -> Any:
        return messages.ValidateResourceTypeConfig.Response()

    def ValidateDataSourceConfig(self, request: Any, context: Any) -> Any:
        return messages.ValidateDataSourceConfig.Response()

    def Configure(self, request: Any, context: Any) -> Any:
        return messages.Configure.Response()

    def Stop(self, request: Any, context: Any) -> Any:
        return messages.Stop.Response()


def _block(schema: Mapping[str, Any]) -> Any:
    block = messages.Schema.Block()
    for name, each in schema["attributes"].items():
        block.attributes.append(
            messages.Schema.Attribute(
                name=name,
                type=json.dumps(each["type"]).encode(),
                required=each["required"],
                optional=not each["required"] and not each.get("only_computed"),
                computed=bool(each.get("computed")) and not each["required"],
            )
        )
    for name, each in schema["blocks"].items():
        is_timeouts, is_single = name == "timeouts", each["nesting"] == "single"
        block.block_types.append(
            messages.Schema.NestedBlock(
                type_name=name,
                block=_block(each),
                nesting=_SINGLE if is_timeouts else _LIST,
                min_items=1 if each["required"] and not is_timeouts else 0,
                max_items=1 if is_single and not is_timeouts else 0,
            )
        )
    return block
