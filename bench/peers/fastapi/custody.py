"""Three routes of the custody sandbox on FastAPI, SQLAlchemy and SQLite, one process, as their manuals write them:
a check that is kept, a page of authorizations, a new authorization with its event. Prints its port, serves until it is
ended. custody.py SECRET"""

import hashlib
import socket
import sys
import tempfile
from datetime import datetime, timedelta, timezone
from typing import Optional

import jwt
import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Path, Query
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, Field
from sqlalchemy import Column, ForeignKey, Integer, String, create_engine, event, func, select, tuple_
from sqlalchemy.orm import Session, declarative_base, relationship, sessionmaker
from sqlalchemy.pool import QueuePool

SECRET = sys.argv[1]
AUDIENCE = "custody-sandbox"
VIN = "^[A-Z0-9]{11,17}$"
BLOCKERS = ("TITLE_HOLD", "LIEN_ACTIVE", "PAYMENT_PENDING", "ARBITRATION_OPEN", "LEGAL_HOLD", "RECALL_STOP")

folder = tempfile.mkdtemp(prefix="bench-")
engine = create_engine(
    f"sqlite:///{folder}/custody.db", connect_args={"check_same_thread": False}, poolclass=QueuePool, pool_size=40
)
DatabaseMaker = sessionmaker(bind=engine, autoflush=False)
Base = declarative_base()


@event.listens_for(engine, "connect")
def set_up(connection, _):
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON", "busy_timeout = 5000"):
        connection.execute(f"PRAGMA {pragma}")


class Vehicle(Base):
    __tablename__ = "vehicles"
    vin = Column(String, primary_key=True)
    blockers = relationship("Blocker")


class Blocker(Base):
    __tablename__ = "blockers"
    vin = Column(String, ForeignKey("vehicles.vin"), primary_key=True)
    code = Column(String, primary_key=True)
    message = Column(String, nullable=False)
    since = Column(String, nullable=False)


class Check(Base):
    __tablename__ = "releasability_checks"
    vin = Column(String, ForeignKey("vehicles.vin"), primary_key=True)
    checked_at = Column(String, nullable=False)


class Authorization(Base):
    __tablename__ = "authorizations"
    number = Column(Integer, primary_key=True)
    vin = Column(String, ForeignKey("vehicles.vin"), nullable=False, index=True)
    status = Column(String, nullable=False)
    origin = Column(String, nullable=False)
    destination = Column(String, nullable=False)
    person_identity_key = Column(String, nullable=False)
    authorized_by = Column(String, nullable=False)
    make_model = Column(String, nullable=False)
    created_at = Column(String, nullable=False, index=True)
    updated_at = Column(String, nullable=False)
    expires_at = Column(String, nullable=False)


class Event(Base):
    __tablename__ = "outbox"
    number = Column(Integer, primary_key=True)
    type = Column(String, nullable=False)
    vin = Column(String, nullable=False)
    subject_id = Column(String, nullable=False)
    at = Column(String, nullable=False)


class BlockerOut(BaseModel):
    code: str
    message: str
    since: str


class Releasability(BaseModel):
    vin: str
    is_releasable: bool
    blockers: list[BlockerOut]
    checked_at: str
    cached: bool
    age_s: float


class AuthorizationIn(BaseModel):
    vin: str = Field(regex=VIN)
    origin: str = Field(min_length=1, max_length=200)
    destination: str = Field(min_length=1, max_length=200)
    person_identity_key: str = Field(min_length=1, max_length=200)
    authorized_by: str = Field(min_length=1, max_length=200)
    make_model: str = Field(min_length=1, max_length=200)

    class Config:
        extra = "forbid"


class AuthorizationOut(AuthorizationIn):
    authorization_id: str
    status: str
    created_at: str
    updated_at: str
    expires_at: str


class Page(BaseModel):
    authorizations: list[AuthorizationOut]
    total_count: int
    next_cursor: Optional[str]


app = FastAPI()
bearer = HTTPBearer()


def open_database():
    with DatabaseMaker() as one:
        yield one


def require(scope):
    def check(credentials: HTTPAuthorizationCredentials = Depends(bearer)):
        try:
            claims = jwt.decode(credentials.credentials, SECRET, algorithms=["HS256"], audience=AUDIENCE)
        except jwt.PyJWTError as error:
            raise HTTPException(401, str(error), {"WWW-Authenticate": "Bearer"}) from error
        if scope not in claims.get("scope", "").split():
            raise HTTPException(403, f"the token has no {scope}")
        return claims["sub"]

    return check


def text_of(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def find_vehicle(database, vin):
    vehicle = database.get(Vehicle, vin)
    if vehicle is None:
        vehicle = Vehicle(vin=vin)
        digest = hashlib.sha256(vin.encode()).digest()
        if digest[0] % 5 == 0:
            code = BLOCKERS[digest[1] % len(BLOCKERS)]
            vehicle.blockers.append(Blocker(code=code, message=code.lower(), since="2026-01-01T00:00:00.000000Z"))
        database.add(vehicle)
        database.flush()
    return vehicle


@app.get("/v1/releasability/{vin}", response_model=Releasability, dependencies=[Depends(require("custody:read"))])
def check_vin(vin: str = Path(regex=VIN), database: Session = Depends(open_database)):
    vehicle = find_vehicle(database, vin)
    now = text_of(datetime.now(timezone.utc))
    database.merge(Check(vin=vin, checked_at=now))
    database.commit()
    blockers = [BlockerOut(code=one.code, message=one.message, since=one.since) for one in vehicle.blockers]
    return Releasability(vin=vin, is_releasable=not blockers, blockers=blockers, checked_at=now, cached=False, age_s=0)


def shown(row):
    return AuthorizationOut(authorization_id=f"AUTH-{row.number:08}", **{
        name: getattr(row, name) for name in AuthorizationOut.__fields__ if name != "authorization_id"
    })


@app.get("/v1/authorizations", response_model=Page, dependencies=[Depends(require("custody:read"))])
def list_authorizations(
    vin: Optional[str] = Query(None, regex=VIN),
    status: Optional[str] = None,
    limit: int = Query(50, ge=1, le=200),
    cursor: Optional[str] = None,
    database: Session = Depends(open_database),
):
    wanted = select(Authorization)
    if vin is not None:
        wanted = wanted.where(Authorization.vin == vin)
    if status is not None:
        wanted = wanted.where(Authorization.status == status)
    total = database.scalar(select(func.count()).select_from(wanted.subquery()))
    if cursor is not None:
        created_at, number = cursor.split("~")
        place = tuple_(Authorization.created_at, Authorization.number)
        wanted = wanted.where(place < (created_at, int(number)))
    wanted = wanted.order_by(Authorization.created_at.desc(), Authorization.number.desc()).limit(limit + 1)
    rows = database.scalars(wanted).all()
    last = rows[limit - 1] if len(rows) > limit else None
    return Page(
        authorizations=[shown(row) for row in rows[:limit]],
        total_count=total,
        next_cursor=f"{last.created_at}~{last.number}" if last is not None else None,
    )


@app.post("/v1/authorizations", response_model=AuthorizationOut, status_code=201,
          dependencies=[Depends(require("custody:write"))])  # fmt: skip
def authorize(body: AuthorizationIn, database: Session = Depends(open_database)):
    find_vehicle(database, body.vin)
    now = datetime.now(timezone.utc)
    row = Authorization(
        **body.dict(), status="PENDING", created_at=text_of(now), updated_at=text_of(now),
        expires_at=text_of(now + timedelta(hours=72)),
    )  # fmt: skip
    database.add(row)
    database.flush()
    database.add(
        Event(type="authorization.created", vin=row.vin, subject_id=f"AUTH-{row.number:08}", at=text_of(now))
    )
    database.commit()
    return shown(row)


def put_in_seeds():
    now = datetime.now(timezone.utc)
    with DatabaseMaker() as database:
        database.add(Vehicle(vin="9HGBH41JXMN999999"))
        for i in range(100):    # two threads that want a new one at once would be in each other's way
            find_vehicle(database, f"VIN{i:012}")
        for i in range(120):
            at = text_of(now - timedelta(minutes=i))
            database.add(
                Authorization(
                    vin="9HGBH41JXMN999999", status="PENDING", origin="Atlanta", destination="Dallas",
                    person_identity_key=f"person-{i}", authorized_by="seed", make_model="Honda", created_at=at,
                    updated_at=at, expires_at=text_of(now + timedelta(hours=72)),
                )
            )  # fmt: skip
        database.commit()


Base.metadata.create_all(engine)
put_in_seeds()
listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
print(listener.getsockname()[1], flush=True)
uvicorn.run(app, fd=listener.fileno(), log_level="error", access_log=False)
