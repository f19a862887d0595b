import type { RequestOptions } from '../support/app.ts'

/** What a request has to know about the service that it is sent to. */
export interface Side {
  /** Tokens of this service. */
  token: string
  deletedToken: string
  secondToken: string
  /** A token of the old service, on both sides. */
  oldToken: string
}

export interface Sent {
  name: string
  /** The service to which clients sent it before. */
  service: 'first' | 'second'
  method: string
  path: string
  options: (side: Side) => RequestOptions
  /** The row of the chapter that says how the answer differs, if no row about every request says it. */
  row: string | undefined
}

const longPassword = 'correct horse battery staple '.repeat(3)

/** The users of the first service. Keyward takes them over; it would not let most of them register. */
export const oldUsers = {
  ada: { email: 'ada@example.com', username: 'ada', password: 'pw12' },
  bob: { email: 'Bob@example.com', username: 'Bob Smith', password: 'x' },
  jürgen: { email: 'juergen@example.com', username: 'Jürgen', password: 'pä+ss w&rd=%41' },
  long: { email: 'long@example.com', username: 'long', password: longPassword },
  short: { email: 'short@example.com', username: 'shortened', password: longPassword },
  inactive: { email: 'inactive@example.com', username: 'inactive', password: 'secure_password' },
  deleted: { email: 'deleted@example.com', username: 'deleted', password: 'secure_password' },
} as const

/** The user of the second service. The ids of both services differ here, since one Keyward serves both. */
export const secondUser = { id: 1001, username: 'testuser', email: 'test@example.com', password: 'testpass' } as const

type Given = RequestOptions | ((side: Side) => RequestOptions)

const send =
  (method: string, path: string, service: Sent['service'] = 'first') =>
  (name: string, given: Given = {}, row?: string): Sent => ({
    name: `${method} ${path}: ${name}`,
    service,
    method,
    path,
    options: typeof given === 'function' ? given : () => given,
    row,
  })

const register = send('POST', '/register')
const logIn = send('POST', '/token')
const account = send('GET', '/users/me')
const preflight = send('OPTIONS', '/users/me')
const profile = send('GET', '/user/user', 'second')

const bytes = (text: string) => new TextEncoder().encode(text)
const signedIn = ({ token }: Side) => ({ token })

const formData = (fields: Record<string, string | File>): RequestOptions => {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.append(name, value)
  return { body: form }
}

let newUsers = 0
/** A registration that Keyward accepts, with these members instead. */
const newUser = (members: Record<string, unknown> = {}) => {
  const username = `new-user-${++newUsers}`
  return { email: `${username}@example.com`, username, password: 'secure_password', ...members }
}

const taken = 'A name or address that is taken'
const otherCase = 'The same in another case'
const weak = 'A password under 8 or over 256 characters, or one that is easy to guess'
const strange = 'A name other than 3 to 32 letters, digits, `_`, `.` or `-`, or a reserved name such as `admin`'
const otherType = 'Another content type, or no body at the login'

const registrations: Sent[] = [
  register('a new user', { json: newUser() }),
  register('one more field', { json: newUser({ full_name: 'New User' }) }),
  register('upper case in the address', { json: newUser({ email: 'Upper.Case@EXAMPLE.com' }) }),
  register('an address that is taken', { json: newUser({ email: oldUsers.ada.email }) }, taken),
  register('a name that is taken', { json: newUser({ username: oldUsers.ada.username }) }, taken),
  register('an address in another case', { json: newUser({ email: 'ADA@example.com' }) }, otherCase),
  register('a name in another case', { json: newUser({ username: 'ADA' }) }, otherCase),
  register('a short password', { json: newUser({ password: 'pw12' }) }, weak),
  register('a common password', { json: newUser({ password: 'password' }) }, weak),
  register('a long password', { json: newUser({ password: longPassword.repeat(3) }) }, weak),
  register('a short name', { json: newUser({ username: 'al' }) }, strange),
  register('two words as name', { json: newUser({ username: 'two words' }) }, strange),
  register('a name with another letter', { json: newUser({ username: 'jürgen' }) }, strange),
  register('a reserved name', { json: newUser({ username: 'admin' }) }, strange),
  register('spaces around the name', { json: newUser({ username: ' spacious ' }) }, 'Spaces around a name'),
  register(
    'an international address',
    { json: newUser({ email: 'jürgen@example.com' }) },
    'An address with letters outside ASCII',
  ),
  register('no address', { json: newUser({ email: 'nobody' }) }),
  register('an address at localhost', { json: newUser({ email: 'root@localhost' }) }),
  register('a missing field', { json: { email: 'missing@example.com', username: 'missing' } }),
  register('null', { json: newUser({ password: null }) }),
  register('a number', { json: newUser({ username: 12_345 }) }, 'A number where text is expected'),
  register('an array', { json: [] }),
  register('malformed JSON', { body: '{"email":', type: 'application/json' }, 'Malformed JSON, or an empty body'),
  register('no body', { body: '', type: 'application/json' }, 'Malformed JSON, or an empty body'),
  register(
    'a member twice',
    { body: `{"username":"one",${JSON.stringify(newUser()).slice(1)}`, type: 'application/json' },
    'A member given twice',
  ),
  register(
    'no content type',
    { body: bytes(JSON.stringify(newUser())) },
    'A body without a content type, at the registration',
  ),
  register('a form', { form: { ...oldUsers.ada } }, otherType),
  register('JSON as text', { body: JSON.stringify(newUser()), type: 'text/plain' }, otherType),
  register('70 KiB', { json: newUser({ more: ' '.repeat(70 * 1024) }) }, 'A body of more than 64 KiB'),
]

const { username, password } = oldUsers.ada
const missing = 'A missing field'
const shortened = 'A password over 72 bytes, shortened to 72 or not, if the first login did it the other way'

const logins: Sent[] = [
  logIn('name and password', { form: { username, password } }),
  logIn('a name of two words', { form: oldUsers.bob }),
  logIn('FormData', formData({ username, password })),
  logIn('a client', { form: { username, password, client_id: 'web', client_secret: 'secret' } }),
  logIn('a client in the header', {
    form: { username, password },
    headers: { authorization: `Basic ${btoa('web:secret')}` },
  }),
  logIn('all fields of FastAPI’s form', {
    form: { grant_type: 'password', username, password, scope: '', client_id: '', client_secret: '' },
  }),
  logIn('an empty grant_type', { form: { grant_type: '', username, password } }),
  logIn('a scope', { form: { username, password, scope: 'me' } }),
  logIn('one more field', { form: { username, password, remember: 'yes' } }),
  logIn('a wrong password', { form: { username, password: 'wrong' } }),
  logIn('an unknown name', { form: { username: 'nobody', password } }),
  logIn('a space behind the password', { form: { username, password: `${password} ` } }),
  logIn('letters outside ASCII and signs', { form: oldUsers.jürgen }),
  logIn('letters outside ASCII and signs in FormData', formData(oldUsers.jürgen)),
  logIn(
    'a name in another Unicode form',
    { form: { ...oldUsers.jürgen, username: 'Ju\u0308rgen' } },
    'The name in another case or another Unicode form',
  ),
  logIn(
    'a password in another Unicode form',
    { form: { ...oldUsers.jürgen, password: oldUsers.jürgen.password.normalize('NFD') } },
    'The password in another Unicode form, after a first login',
  ),
  logIn('a long password', { form: oldUsers.long }),
  logIn('its first 72 bytes', { form: { username: 'long', password: longPassword.slice(0, 72) } }, shortened),
  logIn('the first 72 bytes of a long password', {
    form: { username: 'shortened', password: longPassword.slice(0, 72) },
  }),
  logIn('all of it', { form: oldUsers.short }, shortened),
  logIn('the address', { form: { username: oldUsers.ada.email, password } }, 'The email address instead of the name'),
  logIn('another case', { form: { username: 'ADA', password } }, 'The name in another case or another Unicode form'),
  logIn(
    'a space behind the name',
    { form: { username: `${username} `, password } },
    'A space before or behind the name',
  ),
  logIn('an inactive user', { form: oldUsers.inactive }, 'An inactive user'),
  logIn('JSON', { json: { username, password } }, 'A JSON body'),
  logIn('no name', { form: { password } }, missing),
  logIn('no password', { form: { username } }, missing),
  logIn('an empty password', { form: { username, password: '' } }, missing),
  logIn('an empty form', { form: '' }, missing),
  logIn('a file', formData({ username, password: new File([password], 'password.txt') }), 'A file in `FormData`'),
  logIn(
    'another grant_type',
    { form: { grant_type: 'client_credentials', username, password } },
    'Another `grant_type`',
  ),
  logIn(
    'a field twice',
    { form: `username=nobody&username=${username}&password=${password}` },
    'A form field given twice',
  ),
  logIn('no content type', { body: bytes(`username=${username}&password=${password}`) }, otherType),
  logIn('a form as text', { body: `username=${username}&password=${password}`, type: 'text/plain' }, otherType),
  send('POST', `/token?username=${username}&password=${password}`)('in the query', {}, otherType),
  send('POST', '/token/')('one slash too many', { form: { username, password } }),
  send('GET', '/token')('another method'),
  ...['first', 'second', 'third'].map((nth) =>
    logIn(`a ${nth} wrong password`, { form: { username: 'bob smith', password: 'wrong' } }),
  ),
  logIn(
    'a fourth wrong password',
    { form: { username: 'bob smith', password: 'wrong' } },
    'Wrong passwords, more than three in a minute',
  ),
]

const withoutBearer = '`detail` for an `Authorization` header without `Bearer`'

const accounts: Sent[] = [
  account('a token', signedIn),
  account('a query', signedIn),
  account('a browser', ({ token }) => ({ token, headers: { accept: 'text/html', cookie: 'session=1' } })),
  account('bearer in lower case', ({ token }) => ({ headers: { authorization: `bearer ${token}` } })),
  account(
    'two spaces',
    ({ token }) => ({ headers: { authorization: `Bearer  ${token}` } }),
    'Two spaces behind `Bearer`',
  ),
  account('no token'),
  account('nothing behind Bearer', { headers: { authorization: 'Bearer' } }),
  account('Basic', { headers: { authorization: `Basic ${btoa('ada:pw12')}` } }, withoutBearer),
  account('no Bearer', ({ token }) => ({ headers: { authorization: token } }), withoutBearer),
  account('no JWT', { token: 'nonsense' }),
  account('an altered token', ({ token }) => ({ token: `${token.slice(0, -8)}AAAAAAAA` })),
  account('a deleted user', ({ deletedToken }) => ({ token: deletedToken })),
  account('an old token', ({ oldToken }) => ({ token: oldToken }), 'A token of the old service'),
  send('GET', '/users/me/')('one slash too many', signedIn),
  send('GET', '/users/me/?x=1')('one slash too many and a query', signedIn),
  send('GET', '/users//me')('a doubled slash', signedIn),
  send('GET', '/Users/me')('upper case', signedIn),
  send('GET', '/%75sers/me')('an encoded letter', signedIn, 'Percent-encoded letters in a path'),
  send('HEAD', '/users/me')('a token', signedIn, 'HEAD'),
  send('POST', '/users/me')('another method', signedIn),
  send('GET', '/nothing')('an unknown path'),
  send('GET', '/')('the root'),
  send('GET', '/redoc')('ReDoc', {}, 'ReDoc at `/redoc`'),
  send('GET', '/docs')('the documentation', {}, '`GET /docs` and `GET /openapi.json`'),
  send('GET', '/openapi.json')('the document', {}, '`GET /docs` and `GET /openapi.json`'),
]

const second: Sent[] = [
  send('POST', '/user/token', 'second')('name and password', { form: secondLogin(secondUser.password) }),
  send('POST', '/user/token', 'second')('FormData', formData(secondLogin(secondUser.password))),
  send('POST', '/user/token', 'second')(
    'a wrong password',
    { form: secondLogin('wrong') },
    '`detail` for a wrong password at `POST /user/token`',
  ),
  profile('a token', ({ secondToken }) => ({ token: secondToken })),
  profile('no token'),
  profile('no JWT', { token: 'nonsense' }),
  profile('a deleted user', ({ deletedToken }) => ({ token: deletedToken })),
]

function secondLogin(tried: string) {
  return { username: secondUser.username, password: tried }
}

const asked = (origin: string, method: string) => ({
  headers: { origin, 'access-control-request-method': method, 'access-control-request-headers': 'authorization' },
})

/** @param origin is listed at all services */
const fromOrigins = (origin: string): Sent[] => [
  account('a listed origin', ({ token }) => ({ token, headers: { origin } })),
  account('a listed origin, no token', { headers: { origin } }),
  account('another origin', ({ token }) => ({ token, headers: { origin: 'https://elsewhere.example' } })),
  preflight('of a listed origin', asked(origin, 'GET'), 'A preflight'),
  preflight(
    'of another origin',
    asked('https://elsewhere.example', 'GET'),
    'A preflight of an origin that is not listed',
  ),
  preflight('no preflight', {}, 'OPTIONS that is not a preflight'),
]

/** What clients of the two services send, and what they get wrong. */
export const requestsOf = (origin: string): Sent[] => [
  ...registrations,
  ...logins,
  ...accounts,
  ...second,
  ...fromOrigins(origin),
]
