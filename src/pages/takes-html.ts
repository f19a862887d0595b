/**
 * Returns true when an `Accept` header has a range of HTML whose weight is not 0 (RFC 9110 section 12.5.1), and when
 * there is no such header.
 */
export const takesHtml = (accept: string | null): boolean =>
  accept === null ||
  accept.split(',').some((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    return htmlRanges.includes(type) && !parameters.some((parameter) => /^q\s*=\s*0(?:\.0*)?$/.test(parameter))
  })

const htmlRanges = ['text/html', 'application/xhtml+xml', 'text/*', '*/*']
