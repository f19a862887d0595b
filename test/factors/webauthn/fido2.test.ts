import { expect, test } from 'bun:test'
import { parseAssertion, verifyAssertion } from '../../../src/features/factors/webauthn/assertion.ts'
import { WebauthnFailure } from '../../../src/features/factors/webauthn/failure.ts'
import { creationOptions, requestOptions } from '../../../src/features/factors/webauthn/options.ts'
import { type NewCredential, verifyRegistration } from '../../../src/features/factors/webauthn/registration.ts'
import {
  type AssertionJson,
  type AuthenticatorBehaviour,
  type RegistrationJson,
  softAuthenticator,
  type Wrong,
} from '../../support/authenticator.ts'
import { hasPythonModules, python } from '../../support/programs.ts'

const rpId = 'auth.example'
const origin = 'https://auth.example'
const challenge = Buffer.alloc(32, 7).toString('base64url')
const user = { handle: Buffer.alloc(32, 1).toString('base64url'), name: 'ada', displayName: 'Ada' }
const creation = creationOptions({ kind: 'passkey', rpId, rpName: 'Keyward', user, exclude: [], challenge })
const request = requestOptions({ rpId, challenge, userVerification: 'required' })

/** Answers each case with what `python3-fido2` says: the credential, and whether it accepts the assertion. */
const SERVER = `
import json, sys
from fido2 import cbor
from fido2.client import ClientData
from fido2.ctap2 import AttestationObject, AuthenticatorData
from fido2.server import Fido2Server
from fido2.utils import websafe_decode, websafe_encode

asked = json.load(sys.stdin)
server = Fido2Server({"id": asked["rpId"], "name": "Keyward"})
answers = []
for case in asked["cases"]:
    state = {"challenge": asked["challenge"], "user_verification": "required" if case["requireUv"] else "discouraged"}
    answer = {}
    try:
        sent = case["registration"]["response"]
        made = server.register_complete(
            state,
            ClientData(websafe_decode(sent["clientDataJSON"])),
            AttestationObject(websafe_decode(sent["attestationObject"])),
        ).credential_data
        answer["id"] = websafe_encode(made.credential_id)
        answer["key"] = websafe_encode(cbor.encode(made.public_key))
        sent = case["assertion"]["response"]
        server.authenticate_complete(
            state,
            [made],
            websafe_decode(case["assertion"]["id"]),
            ClientData(websafe_decode(sent["clientDataJSON"])),
            AuthenticatorData(websafe_decode(sent["authenticatorData"])),
            websafe_decode(sent["signature"]),
        )
        answer["accepted"] = True
    except ValueError as error:
        answer["error"] = str(error)
    answers.append(answer)
json.dump(answers, sys.stdout)
`

interface Case {
  requireUv: boolean
  registration: RegistrationJson
  assertion: AssertionJson
}

interface Answer {
  id?: string
  key?: string
  accepted?: boolean
}

function ours({ requireUv, registration, assertion }: Case): Answer {
  const check = { challenge, origins: [origin], rpId, requireUv }
  let made: NewCredential | undefined
  try {
    made = verifyRegistration({ ...check, response: registration })
    verifyAssertion({ ...check, assertion: parseAssertion(assertion), credential: made })
    return { id: made.credentialId, key: made.publicKey, accepted: true }
  } catch (error) {
    if (!(error instanceof WebauthnFailure)) throw error
    return made ? { id: made.credentialId, key: made.publicKey } : {}
  }
}

const devices: Omit<AuthenticatorBehaviour, 'origin'>[] = [
  { alg: -7 },
  { alg: -8 },
  { alg: -257 },
  { alg: -7, synced: false, counter: 41, attestation: 'packed' },
  { alg: -7, verifiesUser: false, synced: false },
]

const wrongs: Wrong[] = [
  {},
  { type: 'webauthn.create' },
  { type: 'webauthn.get' },
  { challenge: Buffer.alloc(32, 8).toString('base64url') },
  { origin: 'https://evil.example' },
  { origin: 'http://auth.example' },
  { rpId: 'evil.example' },
  { flags: { up: false } },
  { flags: { uv: false } },
  { signature: Buffer.alloc(70, 1) },
  { extensions: new Map([['credProtect', 2]]) },
]

test.if(hasPythonModules('fido2'))(
  'python3-fido2 accepts what is accepted, with the same keys, and refuses what is refused',
  async () => {
    const cases = devices.flatMap((how) =>
      [true, false].flatMap((requireUv) =>
        wrongs.flatMap((wrong, at): Case[] => {
          const device = softAuthenticator({ origin, seed: `fido2 ${at}`, ...how })
          const right = { registration: device.create(creation), assertion: device.get(request, wrong) }
          const another = softAuthenticator({ origin, seed: `other ${at}`, ...how })
          // This server does not check the signature of an attestation.
          const { signature: _, ...inRegistration } = wrong
          const bad = { registration: another.create(creation, inRegistration), assertion: another.get(request) }
          return [right, bad].map((one) => ({ requireUv, ...one }))
        }),
      ),
    )
    const theirs = await python<(Answer & { error?: string })[]>(SERVER, { rpId, challenge, cases })
    expect(theirs.map(({ error: _, ...answer }) => answer)).toEqual(cases.map(ours))
    expect(theirs.filter(({ accepted }) => accepted).length).toBeGreaterThan(30)
    expect(theirs.filter(({ error }) => error !== undefined).length).toBeGreaterThan(100)
  },
)
