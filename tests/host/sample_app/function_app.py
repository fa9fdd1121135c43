"""A function app with one function per behaviour of the development host. It reports to the test's witness."""

import asyncio
import json
import os
import threading
import urllib.request
from typing import List  # noqa: UP035 - the worker refuses list[str] in func.Out

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


def report(event: str, **facts: object) -> None:
    """Tell the test that something happened."""
    body = json.dumps({"event": event, **facts}).encode()
    urllib.request.urlopen(f"{os.environ['WITNESS']}/events", body).close()  # noqa: S310


def wait_at(gate: str) -> None:
    """Wait until the test opens a gate."""
    urllib.request.urlopen(f"{os.environ['WITNESS']}/gates/{gate}").close()  # noqa: S310


@app.route("items/{id}", methods=["GET", "POST"])
def echo(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Answer with everything that arrived."""
    seen = {
        "method": req.method,
        "url": req.url,
        "headers": dict(req.headers),
        "query": dict(req.params),
        "route": dict(req.route_params),
        "body": req.get_body().decode(),
        "function": context.function_name,
    }
    return func.HttpResponse(json.dumps(seen), status_code=201, mimetype="application/json", headers={"x-answer": "42"})


@app.route("optional/{id?}", methods=["GET"])
def optional(req: func.HttpRequest) -> str:
    """Answer with the route values."""
    return json.dumps(dict(req.route_params))


@app.route("numbers/{id:int}", methods=["GET"])
def numbers(req: func.HttpRequest) -> str:
    """Answer with the route values."""
    return json.dumps(dict(req.route_params))


@app.route("files/{*rest}", methods=["GET"])
def files(req: func.HttpRequest) -> str:
    """Answer with the route values."""
    return json.dumps(dict(req.route_params))


@app.route("setting/{name}", methods=["GET"])
def setting(req: func.HttpRequest) -> str:
    """Answer with a setting."""
    return os.environ.get(req.route_params["name"], "")


@app.route("guarded", auth_level=func.AuthLevel.FUNCTION)
def guarded(req: func.HttpRequest) -> str:
    """Answer when the key is right."""
    return "opened"


@app.route("guarded-too", auth_level=func.AuthLevel.FUNCTION)
def guarded_too(req: func.HttpRequest) -> str:
    """Answer when the other key is right."""
    return "opened"


@app.route("fails")
def fails(req: func.HttpRequest) -> str:
    """Fail."""
    raise ValueError("this function always fails")


@app.route("no-content")
def no_content(req: func.HttpRequest) -> func.HttpResponse:
    """Answer without a body, with two cookies."""
    headers = {"Set-Cookie": "a=1; Path=/"}
    return func.HttpResponse(status_code=204, headers=headers)


@app.route("waits/{gate}")
def waits(req: func.HttpRequest) -> str:
    """Hold a thread of the worker until the gate opens."""
    report("waiting", thread=threading.current_thread().name)
    wait_at(req.route_params["gate"])
    return "done"


@app.route("waits-async/{gate}")
async def waits_async(req: func.HttpRequest) -> str:
    """Hold nothing until the gate opens."""
    report("waiting", thread=threading.current_thread().name)
    await asyncio.to_thread(wait_at, req.route_params["gate"])
    return "done"


@app.route("send-one", methods=["POST"])
@app.queue_output(arg_name="job", queue_name="%OUT_QUEUE%", connection="AzureWebJobsStorage")
def send_one(req: func.HttpRequest, job: func.Out[str]) -> str:
    """Put the body into a queue."""
    job.set(req.get_body().decode())
    return "sent"


@app.route("send-many", methods=["POST"])
@app.queue_output(arg_name="jobs", queue_name="%OUT_QUEUE%", connection="AzureWebJobsStorage")
def send_many(req: func.HttpRequest, jobs: func.Out[List[str]]) -> str:  # noqa: UP006
    """Put each line of the body into a queue."""
    jobs.set(req.get_body().decode().splitlines())
    return "sent"


@app.route("send-and-fail", methods=["POST"])
@app.queue_output(arg_name="job", queue_name="%OUT_QUEUE%", connection="AzureWebJobsStorage")
def send_and_fail(req: func.HttpRequest, job: func.Out[str]) -> str:
    """Set an output, then fail."""
    job.set("never")
    raise ValueError("after the output was set")


@app.timer_trigger(schedule="%TICK_SCHEDULE%", arg_name="timer", run_on_startup=False)
def tick(timer: func.TimerRequest) -> None:
    """Report, then wait if the test wants overlapping occurrences."""
    report("tick", past_due=timer.past_due)
    wait_at(os.environ.get("TICK_GATE", "open"))


@app.timer_trigger(schedule="0 0 0 1 1 *", arg_name="timer", run_on_startup=True)
def at_start(timer: func.TimerRequest) -> None:
    """Report the start."""
    report("at_start")


@app.queue_trigger(arg_name="message", queue_name="%WORK_QUEUE%", connection="AzureWebJobsStorage")
def work(message: func.QueueMessage) -> None:
    """Report the message; its first word says what to do."""
    text = message.get_body().decode()
    facts = {"attempt": message.dequeue_count, "id": message.id, "inserted": str(message.insertion_time)}
    report("work", text=text, pid=os.getpid(), **facts)
    order, _, gate = text.partition(":")
    if gate:
        wait_at(gate)
    if order == "fail":
        raise ValueError("told to fail")
    report("worked", text=text)


@app.queue_trigger(arg_name="message", queue_name="%WORK_QUEUE%-poison", connection="AzureWebJobsStorage")
def given_up(message: func.QueueMessage) -> None:
    """Report a message that was given up."""
    report("given_up", text=message.get_body().decode())
