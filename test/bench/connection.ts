/** An HTTP/1.1 answer at the beginning of the received bytes. */
export interface Answer {
  status: number
  /** The length of the whole answer, in bytes. */
  length: number
}

const HEAD_END = Buffer.from('\r\n\r\n')

/** The first answer in `data`, or undefined if it is incomplete. @throws when it declares no length */
export function readAnswer(data: Buffer): Answer | undefined {
  const end = data.indexOf(HEAD_END)
  if (end === -1) return undefined
  const status = (data[9]! - 48) * 100 + (data[10]! - 48) * 10 + (data[11]! - 48)
  const head = data.toString('latin1', 0, end)
  const told = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  if (told === undefined && status !== 204) throw new Error(`an answer without length: ${head}`)
  const length = end + HEAD_END.byteLength + Number(told ?? 0)
  return data.byteLength < length ? undefined : { status, length }
}

/**
 * Replaces the value of a member in a request, of JSON or of a form, by that of the JSON member of an answer, so that no
 * length changes.
 * @throws when the member is missing, or the lengths differ
 */
export function carryOver(member: string, answer: Buffer, request: Buffer): void {
  const from = placeOf(member, answer)
  const to = placeOf(member, request) ?? placeInForm(member, request)
  if (from === undefined || to === undefined) throw new Error(`no ${member} in ${answer.toString('latin1')}`)
  if (from.end - from.start !== to.end - to.start) throw new Error(`another length of ${member}`)
  answer.copy(request, to.start, from.start, from.end)
}

function placeOf(member: string, json: Buffer): { start: number; end: number } | undefined {
  const name = `"${member}":"`
  const at = json.indexOf(name)
  if (at === -1) return undefined
  const start = at + name.length
  return { start, end: json.indexOf('"', start) }
}

function placeInForm(name: string, request: Buffer): { start: number; end: number } | undefined {
  const at = request.indexOf(`&${name}=`)
  if (at === -1) return undefined
  const start = at + name.length + 2
  const end = request.indexOf('&', start)
  return { start, end: end === -1 ? request.byteLength : end }
}
