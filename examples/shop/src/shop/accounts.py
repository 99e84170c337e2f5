"""Signing up, signing in, and who a request comes from."""

import secrets
import time
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Header, HTTPException, Request
from pydantic import BaseModel, Field
from sqlalchemy.exc import IntegrityError

import eldonia_telemetry as telemetry
from shop import database, passwords

log = telemetry.get_logger(component="accounts")
SESSION_MS = 24 * 3600 * 1000

routes = APIRouter()


class SignUp(BaseModel):
    """A new account."""

    email: str = Field(pattern=r"^[^@\s]{1,64}@[^@\s]{1,180}$")
    name: str = Field(min_length=1, max_length=100)
    password: str = Field(min_length=8, max_length=200)


class SignIn(BaseModel):
    """Credentials."""

    email: str = Field(max_length=254)
    password: str = Field(max_length=200)


def signed_in(request: Request, authorization: Annotated[str, Header()] = "") -> int:
    """The account that the session token belongs to; 401 without one."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise HTTPException(401, "Sign in first.", {"WWW-Authenticate": "Bearer"})
    query = sa.select(database.sessions.c.account_id).where(
        database.sessions.c.digest == database.digest(token), database.sessions.c.expires_at > int(time.time() * 1000)
    )
    with request.app.state.engine.connect() as connection:
        account_id = connection.scalar(query)
    if account_id is None:
        raise HTTPException(401, "The session has ended.", {"WWW-Authenticate": "Bearer"})
    telemetry.bind(user_id=account_id)
    return account_id


Account = Annotated[int, Depends(signed_in)]


@routes.post("/accounts", status_code=201)
def sign_up(request: Request, wanted: SignUp) -> dict[str, int]:
    """Create an account; 409 when the address has one."""
    row = {
        "email": wanted.email.lower(),
        "name": wanted.name,
        "password": passwords.derive(wanted.password),
        "created_at": int(time.time() * 1000),
    }
    try:
        with request.app.state.engine.begin() as connection:
            result = connection.execute(database.accounts.insert().values(row))
            account_id = result.inserted_primary_key[0]
    except IntegrityError:
        raise HTTPException(409, "This address has an account.") from None
    telemetry.business.signup(account_id)
    return {"id": account_id}


@routes.post("/session")
def sign_in(request: Request, given: SignIn) -> dict[str, str]:
    """Exchange credentials for a session token; 401 when they do not fit, whichever part is wrong."""
    engine = request.app.state.engine
    email = given.email.lower()
    with engine.connect() as connection:
        account = connection.execute(
            sa.select(database.accounts.c.id, database.accounts.c.password).where(database.accounts.c.email == email)
        ).one_or_none()
    fits = passwords.matches(given.password, account.password if account else passwords.NO_ACCOUNT)
    if account is None or not fits:
        telemetry.auth.failed_login(email, reason="wrong password" if account else "unknown account")
        raise HTTPException(401, "Address or password is wrong.")
    token = secrets.token_urlsafe(24)
    with engine.begin() as connection:
        connection.execute(
            database.sessions.insert().values(
                digest=database.digest(token),
                account_id=account.id,
                expires_at=int(time.time() * 1000) + SESSION_MS,
            )
        )
    telemetry.bind(user_id=account.id)
    log.info("signed in")
    return {"token": token}
