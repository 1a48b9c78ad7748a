"""FastAPI on uvicorn, one process. Prints its port, serves until it is ended."""

import socket
from typing import Optional

import uvicorn
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, Field

app = FastAPI()


class Order(BaseModel):
    customer_email: str = Field(regex=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
    quantity: int = Field(ge=1, le=1000)
    price: float = Field(gt=0)
    note: Optional[str] = Field(None, max_length=500)


@app.get("/plaintext", response_class=PlainTextResponse)
async def plaintext():
    return "Hello, World!"


@app.post("/orders", response_model=Order)
async def take_order(order: Order):
    return order


listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
print(listener.getsockname()[1], flush=True)
uvicorn.run(app, fd=listener.fileno(), log_level="error", access_log=False)
