"""The FastAPI service that one writes in an afternoon, with Debian's packages: what Keyward is compared with."""

import os
from datetime import datetime, timedelta

import uvicorn
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm
from jose import JWTError, jwt
from passlib.context import CryptContext
from pydantic import BaseModel
from sqlalchemy import Boolean, Column, Integer, String, create_engine
from sqlalchemy.orm import Session, declarative_base, sessionmaker

SECRET = "only-for-the-bench-7d31"
engine = create_engine("sqlite:///./users.db", connect_args={"check_same_thread": False})
LocalSession = sessionmaker(bind=engine)
Base = declarative_base()
passwords = CryptContext(schemes=["bcrypt"], bcrypt__rounds=10)
bearer = OAuth2PasswordBearer(tokenUrl="token")


class User(Base):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)
    email = Column(String, unique=True, index=True)
    username = Column(String, unique=True, index=True)
    hashed_password = Column(String)
    is_active = Column(Boolean, default=True)


class NewUser(BaseModel):
    email: str
    username: str
    password: str


class UserView(BaseModel):
    id: int
    email: str
    username: str
    is_active: bool

    class Config:
        orm_mode = True


Base.metadata.create_all(engine)
app = FastAPI()


def session():
    with LocalSession() as one:
        yield one


def current_user(token: str = Depends(bearer), db: Session = Depends(session)):
    try:
        name = jwt.decode(token, SECRET, algorithms=["HS256"]).get("sub")
    except JWTError:
        name = None
    user = name and db.query(User).filter(User.username == name).first()
    if not user:
        raise HTTPException(401, "Could not validate credentials", headers={"WWW-Authenticate": "Bearer"})
    return user


@app.post("/register", response_model=UserView, status_code=201)
def register(body: NewUser, db: Session = Depends(session)):
    user = User(email=body.email, username=body.username, hashed_password=passwords.hash(body.password))
    db.add(user)
    db.commit()
    db.refresh(user)
    return user


@app.post("/token")
def token(form: OAuth2PasswordRequestForm = Depends(), db: Session = Depends(session)):
    user = db.query(User).filter(User.username == form.username).first()
    if not user or not passwords.verify(form.password, user.hashed_password):
        raise HTTPException(401, "Incorrect username or password")
    claims = {"sub": user.username, "exp": datetime.utcnow() + timedelta(minutes=30)}
    return {"access_token": jwt.encode(claims, SECRET, algorithm="HS256"), "token_type": "bearer"}


@app.get("/users/me", response_model=UserView)
def me(user: User = Depends(current_user)):
    return user


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=False)
