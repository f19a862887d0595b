import type { Format } from './format.ts'

/** The two FastAPI user services that Keyward replaces: with SQLAlchemy `hashed_password`, with SQLModel the other. */
export const fastapi: Format = {
  name: 'fastapi',
  title: 'a FastAPI user service',
  dialects: ['sqlite', 'postgresql'],
  tables: ['users'],
  columns: {
    id: ['id'],
    email: ['email'],
    username: ['username'],
    hash: ['hashed_password', 'hash_password'],
    isActive: ['is_active'],
    createdAt: ['created_at'],
  },
  required: ['id', 'email', 'username', 'hash'],
  passwordless: false,
}

/** The library fastapi-users, whose table is `user` unless the service names another. */
export const fastapiUsers: Format = {
  name: 'fastapi-users',
  title: 'fastapi-users',
  dialects: ['sqlite', 'postgresql'],
  tables: ['user', 'users'],
  columns: {
    id: ['id'],
    email: ['email'],
    username: ['username'],
    hash: ['hashed_password'],
    isActive: ['is_active'],
    verified: ['is_verified'],
    superuser: ['is_superuser'],
    createdAt: ['created_at'],
  },
  required: ['id', 'email', 'hash', 'isActive', 'verified', 'superuser'],
  passwordless: true,
}
