const HIDDEN = '•••'

/**
 * Hides most of an address: `mia@example.com` becomes `m•••@e•••.com`. Users still recognise their address, and a
 * program that opens the link of a mail does not learn it. The dots are always three, so they do not tell the length.
 */
export function masked(address: string): string {
  const at = address.lastIndexOf('@')
  const domain = address.slice(at + 1)
  const dot = domain.lastIndexOf('.')
  const end = dot > 0 ? domain.slice(dot) : ''
  return `${firstOf(address.slice(0, at))}${HIDDEN}@${firstOf(domain)}${HIDDEN}${end}`
}

const firstOf = (text: string): string => {
  for (const { segment } of new Intl.Segmenter().segment(text)) return segment
  return ''
}
