"""The two FastAPI services that Keyward replaces, as small as they can be, with Debian's packages.

Reads its settings as a line of JSON from standard input, prints the two addresses as JSON and serves until standard
input ends. The first service has the routes /register, /token and /users/me, the second one /user/token and /user/user.
Each has a database of its own and the key of the settings.
"""

import asyncio
import json
import os
import socket
import sys
import threading
from datetime import datetime, timedelta

import uvicorn
from fastapi import APIRouter, Depends, FastAPI, HTTPException
from fastapi.middleware.cors import CORSMiddleware
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm
from jose import JWTError, jwt
from passlib.context import CryptContext
from pydantic import BaseModel, EmailStr
from sqlalchemy import Boolean, Column, Integer, String, create_engine
from sqlalchemy.orm import declarative_base, sessionmaker

settings = json.loads(sys.stdin.readline())
passwords = CryptContext(schemes=["bcrypt"], deprecated="auto", bcrypt__rounds=4)


def bearer_refusal(detail):
    return HTTPException(401, detail, headers={"WWW-Authenticate": "Bearer"})


def token_for(username):
    claims = {"sub": username, "exp": datetime.utcnow() + timedelta(minutes=30)}
    return {"access_token": jwt.encode(claims, settings["key"], algorithm="HS256"), "token_type": "bearer"}


def username_in(token):
    try:
        username = jwt.decode(token, settings["key"], algorithms=["HS256"]).get("sub")
    except JWTError:
        username = None
    if username is None:
        raise bearer_refusal("Could not validate credentials")
    return username


def with_cors(app):
    """The lines that every FastAPI service with a front end has."""
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings["origins"],
        allow_credentials=True,
        allow_methods=["*"],
        allow_headers=["*"],
    )
    return app


def sessions(database, base):
    engine = create_engine(database, connect_args={"check_same_thread": False})
    base.metadata.create_all(engine)
    make = sessionmaker(bind=engine)

    def session():
        with make() as one:
            yield one

    return make, session


def first_service(database):
    Base = declarative_base()

    class User(Base):
        __tablename__ = "users"
        id = Column(Integer, primary_key=True, index=True)
        email = Column(String, unique=True, index=True)
        username = Column(String, unique=True, index=True)
        hashed_password = Column(String)
        is_active = Column(Boolean, default=True)

    class NewUser(BaseModel):
        email: EmailStr
        username: str
        password: str

    class UserView(BaseModel):
        id: int
        email: str
        username: str
        is_active: bool

        class Config:
            orm_mode = True

    _, session = sessions(database, Base)
    bearer = OAuth2PasswordBearer(tokenUrl="token")
    app = with_cors(FastAPI())

    @app.post("/register", response_model=UserView)
    def register(new: NewUser, db=Depends(session)):
        if db.query(User).filter(User.email == new.email).first():
            raise HTTPException(400, "Email already registered")
        if db.query(User).filter(User.username == new.username).first():
            raise HTTPException(400, "Username already taken")
        user = User(email=new.email, username=new.username, hashed_password=passwords.hash(new.password))
        db.add(user)
        db.commit()
        db.refresh(user)
        return user

    @app.post("/token")
    def log_in(form: OAuth2PasswordRequestForm = Depends(), db=Depends(session)):
        user = db.query(User).filter(User.username == form.username).first()
        if user is None or not passwords.verify(form.password, user.hashed_password):
            raise bearer_refusal("Incorrect username or password")
        return token_for(user.username)

    @app.get("/users/me", response_model=UserView)
    def me(token=Depends(bearer), db=Depends(session)):
        user = db.query(User).filter(User.username == username_in(token)).first()
        if user is None:
            raise bearer_refusal("Could not validate credentials")
        return user

    return app


def second_service(database):
    Base = declarative_base()

    class User(Base):
        __tablename__ = "users"
        id = Column(Integer, primary_key=True)
        username = Column(String, nullable=False)
        email = Column(String, nullable=False)
        hash_password = Column(String, nullable=False)

    make, session = sessions(database, Base)
    bearer = OAuth2PasswordBearer(tokenUrl="user/token")
    router = APIRouter(prefix="/user")

    # This service has no route to register: its users are inserted.
    with make() as db:
        for one in settings["users"]:
            hashed = passwords.hash(one["password"])
            db.add(User(id=one["id"], username=one["username"], email=one["email"], hash_password=hashed))
        db.commit()

    @router.post("/token")
    def log_in(form: OAuth2PasswordRequestForm = Depends(), db=Depends(session)):
        user = db.query(User).filter(User.username == form.username).first()
        if user is None or not passwords.verify(form.password, user.hash_password):
            raise bearer_refusal("Invalid username or password")
        return token_for(user.username)

    @router.get("/user")
    def profile(token=Depends(bearer), db=Depends(session)):
        user = db.query(User).filter(User.username == username_in(token)).first()
        if user is None:
            raise HTTPException(404, "User not found")
        return {"username": user.username, "email": user.email, "id": user.id}

    app = with_cors(FastAPI())
    app.include_router(router)
    return app


def listening():
    one = socket.socket()
    one.bind(("127.0.0.1", 0))
    return one


def end_with_input():
    sys.stdin.read()
    os._exit(0)


async def serve(apps):
    sockets = [listening() for _ in apps]
    servers = [uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off")) for app in apps]
    running = [asyncio.ensure_future(server.serve(sockets=[one])) for server, one in zip(servers, sockets)]
    while not all(server.started for server in servers):
        await asyncio.sleep(0.01)
    print(json.dumps([f"http://127.0.0.1:{one.getsockname()[1]}" for one in sockets]), flush=True)
    await asyncio.gather(*running)


threading.Thread(target=end_with_input, daemon=True).start()
asyncio.run(serve([first_service(settings["first"]), second_service(settings["second"])]))
