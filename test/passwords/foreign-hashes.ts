import { join } from 'node:path'
import { PYTHON } from '../support/programs.ts'

/** The hashes of a password by Django, passlib and argon2-cffi of Debian, by the name of their program. */
export function pythonHashes(password: string): Record<string, string> {
  const { stdout, stderr } = Bun.spawnSync([PYTHON, join(import.meta.dir, 'foreign_hashes.py'), password])
  if (stdout.length === 0) throw new Error(`foreign_hashes.py: ${stderr}`)
  return JSON.parse(stdout.toString())
}

/** The published example of https://github.com/firebase/scrypt. */
export const firebase = {
  password: 'user1password',
  hash: '$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==$42xEC+ixf3L2lw==$lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==',
}

/** The password of `fixtures`. */
export const fixturePassword = 'correct horse battery'

/** Made with Python's hashlib, argon2-cffi and Node in the formats of Django 4, Keycloak 26 and better-auth. */
export const fixtures: Record<string, string> = {
  'django scrypt':
    'scrypt$16384$seasalt12$8$1$yWYBJwfz6dfHHsplvMmt9s3YIBzdxycrZOOKZazuclhx7GhU79oiL30GnqMREFHKfLZNgj8S8lexX5biKQZXsA==',
  'better-auth':
    '1c50892c354da5b23ec3b5007649bc6e:d20572321f35475510aabf415a75d8c9d061bd850ff95b4fa1598b5baa19dd767b8b3a89bee771d35dad2a31408cf4b7ddbfd869dc8fe876b9ae2754d3a77859',
  'keycloak pbkdf2-sha256': JSON.stringify({
    type: 'password',
    secretData:
      '{"value": "VVatals5hXp5h2oxfsxiF6kzhtIf76FMvLQt3LHjOPTh+NaxYdlTOPwDZ23eIyR9i752/A/GtET2PfLHzgkqPg==", "salt": "AAECAwQFBgcICQoLDA0ODw==", "additionalParameters": {}}',
    credentialData: '{"hashIterations": 27500, "algorithm": "pbkdf2-sha256", "additionalParameters": {}}',
  }),
  'keycloak pbkdf2-sha512': JSON.stringify({
    type: 'password',
    secretData:
      '{"value": "i8MEbJEntlaFgLOnIsIXgO0aPF4DYs7H6fl1KcMdXffNZCnnR8pN4bE1CdLP+hq1XxAKYsiteZvUHLB6Fjk0Kw==", "salt": "AAECAwQFBgcICQoLDA0ODw==", "additionalParameters": {}}',
    credentialData: '{"hashIterations": 210000, "algorithm": "pbkdf2-sha512", "additionalParameters": {}}',
  }),
  'keycloak pbkdf2': JSON.stringify({
    type: 'password',
    secretData:
      '{"value": "ZP+51iEgbrBs61i5UUc0flIRFK+IjUj62kB+chNijws1KeyUd0qyBVW+Fw+mMYtq33GwOsg0Gj/jSCLYMXQfOQ==", "salt": "AAECAwQFBgcICQoLDA0ODw==", "additionalParameters": {}}',
    credentialData: '{"hashIterations": 20000, "algorithm": "pbkdf2", "additionalParameters": {}}',
  }),
  'keycloak argon2': JSON.stringify({
    type: 'password',
    secretData:
      '{"value": "tFWBGYVQWYldJs55Ny3C/FemDveHTqsi/Dpxz7sjU0Y=", "salt": "AAECAwQFBgcICQoLDA0ODw==", "additionalParameters": {}}',
    credentialData:
      '{"hashIterations": 5, "algorithm": "argon2", "additionalParameters": {"hashLength": ["32"], "memory": ["7168"], "type": ["id"], "version": ["1.3"], "parallelism": ["1"]}}',
  }),
}
