"""Pins what the development host uses of azure-functions-runtime, whose native seam is internal to the package.

When an upgrade breaks one of these, read the new version and adapt `dev/host/worker.py`.
"""

import inspect
from importlib.metadata import version

import azure_functions_runtime as runtime
from azure.functions.queue import QueueMessageInConverter, QueueMessageOutConverter
from azure_functions_runtime import handle_event, native_invocation
from azure_functions_runtime.bindings.datumdef import Datum


def test_the_version_is_the_one_that_was_read() -> None:
    assert version("azure-functions-runtime") == "1.3.0"


def test_the_public_requests_are_coroutines_of_one_argument() -> None:
    for call in (runtime.worker_init_request, runtime.functions_metadata_request):
        assert inspect.iscoroutinefunction(call)
        assert list(inspect.signature(call).parameters) == ["request"]


def test_the_thread_pool_is_started_and_stopped_by_its_owner() -> None:
    assert not inspect.signature(runtime.start_threadpool_executor).parameters
    assert not inspect.signature(runtime.stop_threadpool_executor).parameters


def test_the_native_invocation_takes_ids_inputs_and_metadata() -> None:
    call = native_invocation.invocation_request_native
    assert inspect.iscoroutinefunction(call)
    parameters = list(inspect.signature(call).parameters.values())
    assert [each.name for each in parameters[:4]] == ["invocation_id", "function_id", "inputs", "trigger_metadata"]
    assert all(each.default is not inspect.Parameter.empty for each in parameters[4:])


def test_the_native_invocation_finds_functions_in_the_registry_of_the_indexer() -> None:
    assert native_invocation._functions is handle_event._functions


def test_a_datum_is_a_value_with_the_name_of_its_type() -> None:
    datum = Datum("x", "string")
    assert (datum.value, datum.type) == ("x", "string")


def test_queue_metadata_becomes_the_messages_properties() -> None:
    moment = Datum('"2026-11-23T10:00:00+00:00"', "json")
    message = QueueMessageInConverter.decode(
        Datum("text", "string"),
        trigger_metadata={
            "Id": Datum("7", "string"),
            "PopReceipt": Datum("r", "string"),
            "DequeueCount": Datum("3", "json"),
            "InsertionTime": moment,
            "ExpirationTime": moment,
            "NextVisibleTime": moment,
        },
    )
    assert (message.id, message.pop_receipt, message.dequeue_count) == ("7", "r", 3)
    assert message.insertion_time.isoformat() == "2026-11-23T10:00:00+00:00"


def test_queue_outputs_are_a_string_or_a_json_array() -> None:
    one = QueueMessageOutConverter.encode("a", expected_type=None)
    many = QueueMessageOutConverter.encode(["a", "b"], expected_type=None)
    assert (one.type, one.value) == ("string", "a")
    assert (many.type, many.value) == ("json", '["a", "b"]')
