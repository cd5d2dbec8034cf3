"""Budgets as a client sees them: told, degraded, never cut off unless somebody chose that."""

from __future__ import annotations

import asyncio

import anthropic
import httpx
import openai
import pytest
from harness import api, clients, load
from harness.processes import Stack
from harness.prompts import WEATHER_SCHEMA
from harness.receivers import Mail, Webhook

SECRET = "a-secret-of-the-tests-0123456789"
WEATHER = {"name": "get_weather", "description": "The weather", "input_schema": WEATHER_SCHEMA}
DEFAULT_WINDOW = {"calendar": "year"}
# Who calls at once under one ceiling.
CLIENTS = 256


@pytest.fixture(scope="module")
def receivers():
    return Mail(), Webhook(SECRET)


@pytest.fixture(scope="module")
def told_stack(tmp_path_factory, receivers):
    """A Tally that tells by mail and webhook, and whose company has no budgets yet."""
    mail, webhook = receivers
    stack = Stack(tmp_path_factory.mktemp("told"))
    config = stack.folder / "tally.toml"
    config.write_text(f"""
[notify]
base_url = "{stack.tally_url}"
[notify.smtp]
host = "127.0.0.1"
port = {mail.port}
security = "none"
from = "Tally <tally@acme.test>"
[[notify.webhooks]]
name = "ops"
url = "{webhook.url}"
secret_env = "OPS_WEBHOOK_SECRET"
""")
    stack.environment = {"TALLY_CONFIG": str(config), "OPS_WEBHOOK_SECRET": SECRET}
    without = stack.company.read_text().split("---\nkind: Budget")
    stack.company.write_text(without[0])
    try:
        yield stack.start()
    finally:
        stack.stop()


def admin(stack: Stack) -> httpx.Client:
    return httpx.Client(
        base_url=stack.tally_url,
        headers={"authorization": f"Bearer {stack.admin_key}"},
        timeout=60,
        trust_env=False,
    )


def only_budget(stack: Stack, name: str, **spec) -> None:
    """Leaves nothing but one budget, over the calls of one test."""
    with admin(stack) as http:
        for old in http.get("/api/v1/budgets").json()["items"]:
            path = f"/api/v1/budgets/{old['name']}"
            http.delete(path, params={"version": old["version"]}).raise_for_status()
        scope = {"task_type": name}
        spec = {"owner": "grace", "scope": scope, "window": DEFAULT_WINDOW} | spec
        made = http.post("/api/v1/budgets", json={"name": name, "spec": spec})
        assert made.status_code == 201, made.text
        api.wait_until(
            lambda: http.get(f"/api/v1/budgets/{name}/use").status_code,
            lambda status: status == 200,
            "the budget does not count",
        )


def use(stack: Stack, name: str) -> dict:
    with admin(stack) as http:
        return http.get(f"/api/v1/budgets/{name}/use").raise_for_status().json()


def share(stack: Stack, name: str) -> float:
    stands = use(stack, name)
    (unit,) = stands["limit"]
    return float(stands["settled"][unit]) / float(stands["limit"][unit])


def of(marker: str) -> dict[str, str]:
    """The headers of calls that count against a test's budget."""
    return {"x-tally-task-type": marker.split()[0]}


class Conversation:
    """A client that calls tools, turn after turn, with the vendor's own SDK."""

    def __init__(self, stack: Stack, marker: str):
        url, key = stack.tally_url, stack.person_key
        self.client = clients.client("anthropic", "sync", url, key, default_headers=of(marker))
        self.marker = marker
        self.messages: list[dict] = []
        self.turn = 0

    def ask(self, **options):
        self.turn += 1
        text = f"{self.marker}: what is the weather on day {self.turn}?"
        self.messages.append({"role": "user", "content": text})
        reply = self.send(**options)
        while reply.stop_reason == "tool_use":
            self.messages.append({"role": "assistant", "content": reply.content})
            results = [
                {"type": "tool_result", "tool_use_id": part.id, "content": "Sunny, 21 C."}
                for part in reply.content
                if part.type == "tool_use"
            ]
            self.messages.append({"role": "user", "content": results})
            reply = self.send(with_tools=False, **options)
        self.messages.append({"role": "assistant", "content": reply.content})
        return self.headers

    def send(self, with_tools: bool = True, **options):
        tools = {"tools": [WEATHER]} if with_tools else {"tools": [WEATHER], "tool_choice": {"type": "none"}}
        raw = self.client.messages.with_raw_response.create(
            model="claude-opus-4-8", max_tokens=64, messages=self.messages, **tools, **options
        )
        self.headers = raw.headers
        return raw.parse()


def test_the_walk_from_0_to_120_percent(told_stack, receivers):
    mail, webhook = receivers
    only_budget(told_stack, "walk", limit={"usd": "0.25"})
    talk = Conversation(told_stack, "walk")
    stages, models = [], []
    for _ in range(200):
        headers = talk.ask()
        if headers.get("x-tally-stage") and headers["x-tally-stage"] not in stages:
            stages.append(headers["x-tally-stage"])
        if headers["x-tally-model"] not in models:
            models.append(headers["x-tally-model"])
        del talk.messages[:-8]
        while talk.messages and not isinstance(talk.messages[0]["content"], str):
            del talk.messages[0]
        if share(told_stack, "walk") > 1.2:
            break
    assert share(told_stack, "walk") > 1.2, "the walk did not come to its end"
    assert stages == ["70", "80", "90", "100"]
    assert models == ["claude-opus-4-8", "claude-haiku-4-5"]
    assert headers["x-tally-decision"].startswith(("degrade", "approval"))
    stands = use(told_stack, "walk")
    assert float(stands["overage"]["usd"]) > 0
    assert stands["state"] == "degraded"

    # Each is told once, to whom it concerns, whatever is restarted meanwhile.
    def of_stages() -> list[str]:
        return [post["id"] for post in webhook.posts if post.get("type") == "budget.stage"]

    api.wait_until(of_stages, lambda posts: len(posts) >= 4, "stages are not told")
    told_stack.tally.kill()
    told_stack.start_tally()
    talk.ask()
    api.wait_until(
        lambda: httpx.get(f"{told_stack.tally_url}/readyz", trust_env=False).status_code,
        lambda status: status == 200,
        "Tally is not back",
    )
    assert len(of_stages()) == len(set(of_stages()))
    assert webhook.forged == []
    subjects = mail.subjects("grace@acme.test")
    assert len(subjects) == len(set(subjects)), subjects
    assert any("70" in subject for subject in subjects), subjects


def test_the_same_walk_with_a_smaller_context(told_stack):
    stages = [{"at": 50, "degrade": {"max_context_tokens": 1024}}]
    only_budget(told_stack, "small", limit={"tokens": 30_000}, stages=stages)
    talk = Conversation(told_stack, "small " + "and a long story about it " * 60)
    changed = set()
    for _ in range(40):
        changed.add(talk.ask().get("x-tally-degraded"))
        if share(told_stack, "small") > 1.2:
            break
    assert "context" in changed, changed


def test_a_ceiling_answers_with_an_error_that_sdks_understand(told_stack):
    stages = [{"at": 100, "deny": True}]
    only_budget(told_stack, "cap", limit={"requests": 2}, stages=stages)
    url, key = told_stack.tally_url, told_stack.person_key
    claude = clients.client("anthropic", "sync", url, key, max_retries=2, default_headers=of("cap"))
    gpt = clients.client("openai", "sync", url, key, max_retries=2, default_headers=of("cap"))
    hello = [{"role": "user", "content": "hello"}]
    for _ in range(2):
        claude.messages.create(model="claude-haiku-4-5", max_tokens=16, messages=hello)
    with pytest.raises(anthropic.RateLimitError) as refused:
        claude.messages.create(model="claude-haiku-4-5", max_tokens=16, messages=hello)
    body = refused.value.response.json()
    assert body["tally"]["code"] == "budget_exceeded"
    assert body["tally"]["budget"] == "cap"
    assert "tally grant request" in body["tally"]["next_step"]
    assert int(refused.value.response.headers["retry-after"]) > 60
    with pytest.raises(openai.RateLimitError) as refused:
        gpt.chat.completions.create(model="gpt-5-mini", messages=hello)
    assert refused.value.code == "budget_exceeded"
    assert float(use(told_stack, "cap")["settled"]["requests"]) == 2


async def test_kill_9_in_the_middle_neither_passes_a_ceiling_nor_blocks_it(told_stack):
    stages = [{"at": 100, "deny": True}]
    only_budget(told_stack, "hard", limit={"usd": "0.5"}, stages=stages)
    for round_number in range(3):
        async with load.http_client(CLIENTS) as http:
            tasks = [
                asyncio.create_task(spend(told_stack, http, f"hard-{round_number}-{number}"))
                for number in range(CLIENTS)
            ]
            await asyncio.sleep(1.0)
            if round_number == 0:
                assert not any(task.done() for task in tasks), "the kill has to come in the middle"
            if round_number < 2:
                await asyncio.to_thread(told_stack.tally.kill)
            await asyncio.wait_for(asyncio.gather(*tasks), timeout=240)
        if round_number < 2:
            told_stack.start_tally()
    stands = api.wait_until(
        lambda: use(told_stack, "hard"),
        lambda stands: float(stands["reserved"]["usd"]) == 0,
        "reservations outlive their calls",
    )
    settled, limit = float(stands["settled"]["usd"]), float(stands["limit"]["usd"])
    assert settled <= limit, stands
    assert settled >= 0.95 * limit, stands


async def spend(stack: Stack, http: httpx.AsyncClient, marker: str) -> None:
    """Calls until the budget says no twice, or the server is gone."""
    refused = 0
    body = {
        "model": "claude-opus-4-8",
        "max_tokens": 64,
        "messages": [{"role": "user", "content": marker}],
    }
    headers = {"x-api-key": stack.person_key, "anthropic-version": "2023-06-01"} | of("hard")
    while refused < 2:
        try:
            reply = await http.post(f"{stack.tally_url}/v1/messages", json=body, headers=headers)
        except httpx.TransportError:
            return
        if reply.status_code == 429:
            refused += 1
        else:
            assert reply.status_code == 200, reply.text
