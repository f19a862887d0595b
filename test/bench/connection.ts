/** An HTTP/1.1 answer at the beginning of what a socket has received. */
export interface Answer {
  status: number
  /** Of the whole answer, in bytes. */
  length: number
}

const HEAD_END = Buffer.from('\r\n\r\n')

/** The first answer in `data`, or undefined while it is not whole. @throws when its length is not told beforehand */
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
 * Puts the value of a JSON member of an answer in its place in a request, so that no length in it changes.
 * @throws when one has no such member, or the lengths differ
 */
export function carryOver(member: string, answer: Buffer, request: Buffer): void {
  const from = placeOf(member, answer)
  const to = placeOf(member, request)
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
