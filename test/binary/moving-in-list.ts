import { readChapter } from '../support/readme.ts'
import type { Difference } from '../support/side-by-side.ts'

/** One row of the tables below "What differs" in the chapter "Moving in". */
export interface Row {
  what: string
  before: string
  after: string
}

export type List = ReadonlyMap<string, Row>

/** The rows of the chapter, by their first column. */
export async function readList(): Promise<List> {
  const [, text = ''] = (await readChapter('moving-in')).split('\n## What differs\n')
  const rows = [...text.matchAll(/^\| (.+) \| (.+) \| (.+) \|$/gm)]
    .map(([, what = '', before = '', after = '']): Row => ({ what, before, after }))
    .filter(({ what }) => what !== 'what' && what !== '---')
  return new Map(rows.map((row) => [row.what, row]))
}

/** The texts in backticks. */
const quoted = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, text]) => text!)

const quotes = (cell: string, text: unknown): boolean =>
  quoted(cell).some((one) => one.toLowerCase() === String(text).toLowerCase())

/** The header, the claim or the member of the body in which the answers differ. */
const nameOf = ({ part }: Difference): string =>
  part
    .replace(/^body access_token\.\w+\./, '')
    .replace(/^(header|body) /, '')
    .split('.')[0]!

/** Returns true if only one answer has the part, and the column of its service names the part. */
const named = (one: Difference, row: Row): boolean =>
  (one.before === undefined && quotes(row.after, nameOf(one))) ||
  (one.after === undefined && quotes(row.before, nameOf(one)))

/** Returns true if the columns have the values of the part. */
const valued = ({ before, after }: Difference, row: Row): boolean =>
  (before === undefined || quotes(row.before, before)) && quotes(row.after, after)

/** Returns true if the columns begin with the statuses. */
const statused = ({ part, statuses }: Difference, row: Row): boolean =>
  part === 'status' && [row.before, row.after].every((cell, side) => cell.split(/\W/, 1)[0] === String(statuses[side]))

const isHeader = ({ part }: Difference, name: string) => part === `header ${name}`
const inBody = ({ part }: Difference) => part.startsWith('body ')
const failed = ({ statuses }: Difference) => statuses.every((status) => status >= 400)
const words = (value: unknown) => String(value).split(', ')

/** The rows whose last column lists what Keyward adds, and to which answers. */
const listing: Record<string, (one: Difference) => boolean> = {
  'Other headers': ({ part }) => part.startsWith('header '),
  'Body of an error': (one) => failed(one) && inBody(one),
  Success: ({ statuses }) => statuses[1] === 201,
  'Tokens in the answer': ({ request, part }) => request.includes('/token:') && /^body [a-z_]+$/.test(part),
  'Claims of the token, with `JWT_COMPAT=fastapi`': ({ part }) => /^body access_token\.\w+\./.test(part),
  'Body of `GET /users/me`': (one) => one.request.startsWith('GET /users/me') && inBody(one),
}

type Explains = (one: Difference, row: Row) => boolean

/** The other rows about every request. */
const general: Record<string, Explains> = {
  'Type of a JSON body': (one, row) => isHeader(one, 'content-type') && valued(one, row),
  'Type of the body of an error': (one, row) => failed(one) && isHeader(one, 'content-type') && valued(one, row),
  'Invalid fields': (one, row) =>
    one.statuses[0] === 422 && failed(one) && inBody(one) && (/^body detail\b/.test(one.part) || named(one, row)),
  '`WWW-Authenticate` of a 401': (one, row) =>
    isHeader(one, 'www-authenticate') && words(one.after).every((after) => valued({ ...one, after }, row)),
  Success: statused,
  '`Location` of the 307 for one slash too many': ({ part, statuses, before, after }) =>
    part === 'header location' &&
    statuses.every((status) => status === 307) &&
    /^http:\/\//.test(String(before)) &&
    /^\.\.\//.test(String(after)),
  '`Allow` of a 405': (one, row) =>
    isHeader(one, 'allow') &&
    words(one.after).every((method) => words(one.before).includes(method) || quotes(row.after, method)),
  '`Access-Control-Allow-Credentials`': ({ part, before, after }, row) =>
    part === 'header access-control-allow-credentials' && after === undefined && quotes(row.before, before),
  '`Access-Control-Expose-Headers`': (one, row) =>
    isHeader(one, 'access-control-expose-headers') && one.before === undefined && valued(one, row),
}

const otherDetail: Explains = (one, row) => one.part === 'body detail' && valued(one, row)

/** Rows about the requests that name them. Without an entry such a row explains another status, and what it names. */
const specific: Record<string, Explains> = {
  '`detail` for an `Authorization` header without `Bearer`': otherDetail,
  '`detail` for a wrong password at `POST /user/token`': otherDetail,
  'Spaces around a name': ({ part, before, after }) => part === 'body username' && String(before).trim() === after,
  '`GET /docs` and `GET /openapi.json`': ({ part }) => /^body |^header (etag|content-)/.test(part),
  'A preflight': (one, row) => statused(one, row) || quotes(row.after, nameOf(one)),
}

const explains = (one: Difference, row: Row, own: string | undefined): boolean =>
  (listing[row.what]?.(one) && named(one, row)) ||
  general[row.what]?.(one, row) ||
  (row.what === own && (specific[own]?.(one, row) ?? (statused(one, row) || named(one, row))))

/**
 * Says what of the list the differences show.
 * @param found the differences, each with the row that its request names
 * @returns the differences that no row explains, the rows without which some difference would be unexplained, and the
 *   names that are in a listing row and in no answer
 */
export function judge(list: List, found: readonly [Difference, own: string | undefined][]) {
  const unlisted: Difference[] = []
  const shown = new Set<string>()
  const seen = new Map<string, Set<string>>()
  for (const [one, own] of found) {
    const rows = [...list.values()].filter((row) => explains(one, row, own))
    if (rows.length === 0) unlisted.push(one)
    if (rows.length === 1) shown.add(rows[0]!.what)
    for (const { what } of rows) seen.set(what, (seen.get(what) ?? new Set()).add(nameOf(one).toLowerCase()))
  }
  const idle = Object.keys(listing).flatMap((what) =>
    quoted(list.get(what)?.after ?? '').filter((name) => !seen.get(what)?.has(name.toLowerCase())),
  )
  return { unlisted, notShown: [...list.keys()].filter((what) => !shown.has(what)), idle }
}
