"""What can be made to go wrong in the shop, on request and only when started with ``--allow-faults``."""

import os
import signal
import threading
from dataclasses import dataclass
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field


@dataclass(slots=True)
class Faults:
    """What is wrong at the moment. ``slow_database``: seconds that every catalogue query takes longer."""

    slow_database: float = 0.0


class FaultRequest(BaseModel):
    """``seconds`` belongs to ``slow_database``."""

    fault: Literal["slow_database", "crash", "reset"]
    seconds: float = Field(2.5, gt=0, le=30)


def router(faults: Faults) -> APIRouter:
    """``GET /faults`` and ``POST /faults``."""
    routes = APIRouter()

    @routes.get("/faults")
    def show() -> dict[str, float]:
        return {"slow_database": faults.slow_database}

    @routes.post("/faults", status_code=202)
    def switch(wanted: FaultRequest) -> dict[str, str | float]:
        if wanted.fault == "slow_database":
            faults.slow_database = wanted.seconds
        elif wanted.fault == "reset":
            faults.slow_database = 0.0
        else:  # the answer gets out first; then the process is gone as if by the kernel's hand
            threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGKILL)).start()
        return {"fault": wanted.fault, "slow_database": faults.slow_database}

    return routes
