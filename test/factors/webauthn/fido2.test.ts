import { expect, test } from 'bun:test'
import { parseAssertion, verifyAssertion } from '../../../src/features/factors/webauthn/assertion.ts'
import { creationOptions, requestOptions } from '../../../src/features/factors/webauthn/options.ts'
import { verifyRegistration } from '../../../src/features/factors/webauthn/registration.ts'
import { softAuthenticator, type Wrong } from '../../support/authenticator.ts'
import { hasPythonModules, python } from '../../support/programs.ts'

const rpId = 'auth.example'
const origin = 'https://auth.example'
const challenge = Buffer.alloc(32, 7).toString('base64url')
const user = { handle: Buffer.alloc(32, 1).toString('base64url'), name: 'ada', displayName: 'Ada' }
const creation = creationOptions({ kind: 'passkey', rpId, rpName: 'Keyward', user, exclude: [], challenge })
const request = requestOptions({ rpId, challenge, userVerification: 'required' })

/** Checks each registration and its assertion with the server of Yubico. */
const program = `
import json, sys
from fido2.client import ClientData
from fido2.ctap2 import AttestationObject, AuthenticatorData
from fido2.server import Fido2Server
from fido2.utils import websafe_decode as b
told = json.load(sys.stdin)
server = Fido2Server({'id': told['rpId'], 'name': 'Keyward'}, verify_origin=lambda o: o == told['origin'])
state = {'challenge': told['challenge'], 'user_verification': 'required'}
def holds(check):
    try:
        return check() is not None
    except Exception:
        return False
answers = []
for registration, assertion in told['pairs']:
    kept = []
    def register():
        r = registration['response']
        data = server.register_complete(state, ClientData(b(r['clientDataJSON'])), AttestationObject(b(r['attestationObject'])))
        kept.append(data.credential_data)
        return data
    def login():
        r = assertion['response']
        return server.authenticate_complete(state, kept, b(assertion['id']), ClientData(b(r['clientDataJSON'])),
            AuthenticatorData(b(r['authenticatorData'])), b(r['signature']))
    answers.append([holds(register), holds(login)])
print(json.dumps(answers))
`

const holds = (check: () => unknown): boolean => {
  try {
    return check() !== undefined
  } catch {
    return false
  }
}

test.if(hasPythonModules('fido2'))('the server of python3-fido2 accepts and refuses the same as Keyward', async () => {
  const other = softAuthenticator({ origin })
  other.create(creation)
  const wrongs: Wrong[] = [
    {},
    { type: 'webauthn.other' },
    { origin: 'https://evil.example' },
    { challenge: Buffer.alloc(32, 8).toString('base64url') },
    { rpId: 'evil.example' },
    { flags: { up: false } },
    { flags: { uv: false } },
    { counter: 7 },
  ]
  const only: Wrong[] = [{ signedBy: other.credentials[0]! }, { signature: Buffer.alloc(64, 1) }]
  const pairs = [-7, -8, -257].flatMap((alg) => {
    const pair = (registering: Wrong, asserting: Wrong) => {
      const device = softAuthenticator({ origin, alg, counter: 1 })
      return [device.create(creation, registering), device.get(request, asserting)] as const
    }
    return [...wrongs.map((wrong) => pair(wrong, {})), ...[...wrongs, ...only].map((wrong) => pair({}, wrong))]
  })
  const ours = pairs.map(([registration, assertion]) => {
    const checked = { challenge, origins: [origin], rpId, requireUv: true }
    let credential: ReturnType<typeof verifyRegistration> | undefined
    const isRegistered = holds(() => {
      credential = verifyRegistration({ ...checked, response: registration })
      return credential
    })
    const isProved =
      isRegistered &&
      holds(() => verifyAssertion({ ...checked, credential: credential!, assertion: parseAssertion(assertion) }))
    return [isRegistered, isProved]
  })
  expect(ours.filter(([, isProved]) => isProved)).toHaveLength(3 * 4)
  expect(await python<boolean[][]>(program, { rpId, origin, challenge, pairs })).toEqual(ours)
})
