const HIDDEN = '•••'

/**
 * Hides the most of an address, so that a person recognises the own address and a program that opens links learns none:
 * `mia@example.com` becomes `m•••@e•••.com`. The number of the dots tells nothing about the length.
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
