"""Prints password hashes of Django, passlib and argon2-cffi as JSON: {name: hash}. The password is the argument."""

import json
import sys

import django
from argon2 import PasswordHasher, Type
from django.conf import settings
from django.contrib.auth.hashers import make_password
from passlib.hash import argon2, pbkdf2_sha1, pbkdf2_sha256, pbkdf2_sha512, scrypt

password = sys.argv[1]
algorithms = [
    "PBKDF2PasswordHasher",
    "PBKDF2SHA1PasswordHasher",
    "Argon2PasswordHasher",
    "BCryptSHA256PasswordHasher",
]
settings.configure(PASSWORD_HASHERS=[f"django.contrib.auth.hashers.{name}" for name in algorithms])
django.setup()

print(
    json.dumps(
        {
            "django pbkdf2_sha256": make_password(password, hasher="pbkdf2_sha256"),
            "django pbkdf2_sha1": make_password(password, hasher="pbkdf2_sha1"),
            "django argon2": make_password(password, hasher="argon2"),
            "django bcrypt_sha256": make_password(password, hasher="bcrypt_sha256"),
            "argon2-cffi": PasswordHasher(memory_cost=65536).hash(password),
            "argon2-cffi argon2i": PasswordHasher(memory_cost=1024, type=Type.I).hash(password),
            "passlib argon2": argon2.using(memory_cost=2048).hash(password),
            "passlib scrypt": scrypt.using(rounds=14).hash(password),
            "passlib pbkdf2_sha1": pbkdf2_sha1.hash(password),
            "passlib pbkdf2_sha256": pbkdf2_sha256.hash(password),
            "passlib pbkdf2_sha512": pbkdf2_sha512.hash(password),
        }
    )
)
