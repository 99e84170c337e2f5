"""The pages over a fake platform, for looking at them while they are made.

Run it with ``python packages/eldonia-ops/tests/dev_server.py [port]``; it prints tokens and passwords to sign in with.
New log records keep arriving, and the clock is the real one.
"""

import asyncio
import random
import sys
import time

import uvicorn
from fake_platform import FakePlatform
from fake_platform.platform import password_of

from eldonia_ops.model.access import Role
from eldonia_ops.web.app import create_app


def now() -> int:
    return time.time_ns() // 1_000_000


async def main(port: int) -> None:
    platform = FakePlatform(now=now).with_people()
    server = uvicorn.Server(uvicorn.Config(create_app(platform), host="127.0.0.1", port=port, log_level="warning"))
    print(f"http://127.0.0.1:{port}/", flush=True)
    for role in (Role.ADMIN, Role.RESPONDER, Role.VIEWER):
        print(f"{role.value:10} {platform.secrets[role]}", flush=True)
    for name in ("hana", "ken", "mio"):
        print(f"{name:10} {password_of(name)}", flush=True)

    async def write_logs() -> None:
        while not server.should_exit:
            await asyncio.sleep(random.uniform(0.5, 3))
            platform.telemetry.add_log(now())

    await asyncio.gather(server.serve(), write_logs())


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 9601))
