"""Ordering a work and paying for it."""

import time
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, Field
from sqlalchemy.exc import IntegrityError

import eldonia_telemetry as telemetry
from shop.accounts import Account
from shop.database import orders, payments, works
from shop.payment import CardDeclinedError, Gateway, GatewayError

log = telemetry.get_logger(component="orders")
routes = APIRouter()


class OrderRequest(BaseModel):
    """What to buy."""

    work_id: int
    quantity: int = Field(1, ge=1, le=20)


class CardRequest(BaseModel):
    """What to pay with."""

    card_number: str = Field(pattern=r"^\d{13,19}$")
    expiry: str = Field("12/30", pattern=r"^\d{2}/\d{2}$")


@routes.post("/orders", status_code=201)
def place(request: Request, wanted: OrderRequest, account_id: Account) -> dict[str, Any]:
    """Reserve stock and create the order in one transaction; 404 unknown work, 409 sold out."""
    with request.app.state.engine.begin() as connection:
        # Take from the stock first: the row stays locked, so two customers cannot both get the last one.
        taken = connection.execute(
            works.update()
            .where(works.c.id == wanted.work_id, sa.or_(works.c.stock.is_(None), works.c.stock >= wanted.quantity))
            .values(stock=works.c.stock - wanted.quantity)
        )
        price = connection.scalar(sa.select(works.c.price_yen).where(works.c.id == wanted.work_id))
        if price is None:
            raise HTTPException(404, "There is no such work.")
        if taken.rowcount == 0:
            raise HTTPException(409, "Sold out.")
        amount = price * wanted.quantity
        row = {
            "account_id": account_id,
            "work_id": wanted.work_id,
            "quantity": wanted.quantity,
            "amount_yen": amount,
            "status": "pending",
            "created_at": int(time.time() * 1000),
        }
        order_id = connection.execute(orders.insert().values(row)).inserted_primary_key[0]
    telemetry.business.order(order_id, amount=amount, workId=wanted.work_id)
    return {"id": order_id, "amount_yen": amount, "status": "pending"}


@routes.get("/orders/{order_id}")
def show(request: Request, order_id: int, account_id: Account) -> dict[str, Any]:
    """One of the account's own orders."""
    with request.app.state.engine.connect() as connection:
        return dict(_own(connection, order_id, account_id))


@routes.post("/orders/{order_id}/pay")
def pay(request: Request, order_id: int, card: CardRequest, account_id: Account) -> dict[str, Any]:
    """Charge the card; 402 when it is declined, 409 when paid before, 502 when the gateway fails."""
    engine: sa.Engine = request.app.state.engine
    gateway: Gateway = request.app.state.gateway
    with engine.connect() as connection:
        order = _own(connection, order_id, account_id)
    if order["status"] == "paid":
        raise HTTPException(409, "The order is paid.")
    # No transaction is open during the call: a hanging gateway must not hold rows of the database.
    try:
        charge_id = gateway.charge(order_id, order["amount_yen"], card.card_number)
    except CardDeclinedError:
        telemetry.payments.succeeded()
        log.info("card declined", order_id=order_id)
        raise HTTPException(402, "The card was declined.") from None
    except GatewayError as error:
        telemetry.payments.failed()
        log.error("payment failed", exception=error, operation="pay", code=error.code, order_id=order_id)
        raise HTTPException(502, "Payment is not possible at the moment. You have not been charged.") from None
    telemetry.payments.succeeded()
    try:
        with engine.begin() as connection:
            connection.execute(
                payments.insert().values(
                    order_id=order_id,
                    charge_id=charge_id,
                    amount_yen=order["amount_yen"],
                    created_at=int(time.time() * 1000),
                )
            )
            connection.execute(orders.update().where(orders.c.id == order_id).values(status="paid"))
    except IntegrityError:  # paid by a second click; the gateway charged once (idempotency key)
        raise HTTPException(409, "The order is paid.") from None
    telemetry.business.revenue(order["amount_yen"], "JPY", orderId=order_id)
    return {"id": order_id, "status": "paid", "charge_id": charge_id}


def _own(connection: sa.Connection, order_id: int, account_id: int) -> sa.RowMapping:
    order = connection.execute(sa.select(orders).where(orders.c.id == order_id)).mappings().one_or_none()
    if order is not None and order["account_id"] != account_id:
        telemetry.security.record("unauthorized_access", "high", details={"orderId": order_id})
        order = None
    if order is None:
        raise HTTPException(404, "There is no such order.")
    return order
