const HIDDEN = '•••'

/**
 * Hides most of an address: `mia@example.com` becomes `m•••@e•••.com`. Users still recognise their address, and a
 * program that opens the link of a mail does not learn it. The dots are always three, so they do not tell the length.
 *
 * Another address on the same page, `beside`, may look the same in this form. Then one more character is shown: the
 * first one in which the two local parts differ, or the two domains if the local parts are equal. `mia.smith@…` beside
 * `mia.smyth@…` becomes `m•••i•••@…`, and the other `m•••y•••@…`. Where a text ends before the other, nothing more of
 * it is shown: `mia@…` beside `mia2@…` stays `m•••@…`, and the other becomes `m•••2•••@…`. So two different addresses
 * always look different, and the number of characters before the difference stays hidden.
 */
export function masked(address: string, beside = address): string {
  const [own, other] = [partsOf(address), partsOf(beside)]
  if (shown(own) !== shown(other)) return shown(own)
  const isSameLocal = own.local.join('') === other.local.join('')
  const part = isSameLocal ? 'domain' : 'local'
  return shown(own, { [part]: difference(own[part], other[part]) })
}

interface Parts {
  /** The characters of the local part. */
  local: string[]
  /** The characters of the domain without its end. */
  domain: string[]
  /** The end of the domain, such as `.com`. */
  end: string
}

function partsOf(address: string): Parts {
  const at = address.lastIndexOf('@')
  const domain = address.slice(at + 1)
  const dot = domain.lastIndexOf('.')
  const name = dot > 0 ? domain.slice(0, dot) : domain
  return { local: charactersOf(address.slice(0, at)), domain: charactersOf(name), end: domain.slice(name.length) }
}

/** The first segmenter of a process loads data for milliseconds, so it is not made at the start of the server. */
const charactersOf = (text: string): string[] => [...new Intl.Segmenter().segment(text)].map(({ segment }) => segment)

/** The first character of `own` that differs from `other` at the same place; empty when there is none. */
const difference = (own: string[], other: string[]): string =>
  own.find((character, at) => character !== other[at]) ?? ''

const shown = ({ local, domain, end }: Parts, more: { local?: string; domain?: string } = {}): string =>
  `${hidden(local, more.local)}@${hidden(domain, more.domain)}${end}`

const hidden = ([first = '']: string[], more = ''): string => first + HIDDEN + (more && more + HIDDEN)
