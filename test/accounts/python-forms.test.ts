import { beforeAll, describe, expect, test } from 'bun:test'
import { servedPerSuite } from '../support/hooks.ts'
import { hasPythonModules, python } from '../support/programs.ts'

const password = 'correct hörse "battery" 100 %'

/**
 * Sends each form with `requests` and `httpx` to Keyward, and with FastAPI's own TestClient to a service that takes
 * FastAPI's own `OAuth2PasswordRequestForm`.
 */
const program = `
import json, sys
import httpx, requests
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordRequestForm
from fastapi.testclient import TestClient

given = json.load(sys.stdin)
password = given["password"]
service = FastAPI()

@service.post("/token")
def token(form: OAuth2PasswordRequestForm = Depends()):
    if (form.username, form.password) != ("ada", password):
        raise HTTPException(401, "Incorrect username or password")
    return {"access_token": form.username, "token_type": "bearer"}

known = {"username": "ada", "password": password}
def text(fields, *more):
    return {name: (None, value, *more) for name, value in fields.items()}
forms = {
    "data": {"data": known},
    "files without names": {"files": text(known)},
    "files of the type text/plain": {"files": text(known, "text/plain")},
    "files and data": {"data": {"username": "ada"}, "files": text({"password": password})},
    "all fields of the class": {"data": {**known, "grant_type": "password", "scope": "", "client_id": "app", "client_secret": "x"}},
    "all fields of the class as files": {"files": text({**known, "grant_type": "password", "scope": "", "client_id": "app", "client_secret": "x"})},
    "an empty grant_type": {"data": {**known, "grant_type": ""}},
    "an empty grant_type as files": {"files": text({**known, "grant_type": ""})},
    "two scopes": {"files": text({**known, "scope": "a b"})},
    "a field more": {"files": text({**known, "remember": "yes"})},
    "a wrong password": {"files": text({**known, "password": "wrong"})},
    "no password": {"files": text({"username": "ada"})},
    "another grant": {"files": text({**known, "grant_type": "magic"})},
    "a named file": {"files": {"username": (None, "ada"), "password": ("a.txt", password)}},
}
if given["path"] == "/user/token": forms = {name: forms[name] for name in ("data", "files without names")}
url = given["url"] + given["path"]
local = TestClient(service)
print(json.dumps([
    [name, local.post("/token", **form).status_code, requests.post(url, **form).status_code, httpx.post(url, **form).status_code]
    for name, form in forms.items()
]))
`

describe.skipIf(!hasPythonModules('fastapi', 'multipart', 'requests', 'httpx'))(
  '12.B1 a form of a Python client',
  () => {
    const { app, served } = servedPerSuite()
    beforeAll(async () => {
      await app.signUp('ada', password)
    })
    const verdicts = (path: string) =>
      python<[string, number, number, number][]>(program, { url: served.url, path, password })

    test('has the verdict of FastAPI, with requests and httpx, as data and as files', async () => {
      const rows = await verdicts('/token')
      // FastAPI refuses a form with 422, OAuth with 400 (RFC 6749 section 5.2).
      for (const [name, ofFastapi, ...ofKeyward] of rows) {
        const expected = ofFastapi === 422 ? 400 : ofFastapi
        expect([name, ...ofKeyward]).toEqual([name, expected, expected])
      }
      expect(rows.map(([, ofFastapi]) => ofFastapi)).toEqual([
        200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 401, 422, 422, 422,
      ])
    }, 60_000)

    test('logs in at /user/token too', async () => {
      expect((await verdicts('/user/token')).map(([, , ...ofKeyward]) => ofKeyward)).toEqual([
        [200, 200],
        [200, 200],
      ])
    }, 60_000)
  },
)
