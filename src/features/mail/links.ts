import { mailProofs, type ProofKind } from './kinds.ts'

/** The addresses for the links in mails. All come from settings, so no request can make a link lead to another host. */
export interface LinkSettings {
  /** PUBLIC_URL. */
  publicUrl: string
  /** LINK_URL, the page to which links lead instead of the pages of Keyward; undefined for the pages of Keyward. */
  linkUrl: string | undefined
  /** LOGIN_URL; undefined when a mail to log in has only a code. */
  loginUrl: string | undefined
}

/** The link of a mail. @returns undefined for a mail that has only a code */
export function linkOf(
  { publicUrl, linkUrl, loginUrl }: LinkSettings,
  kind: ProofKind,
  token: string,
): string | undefined {
  const { page } = mailProofs[kind]
  if (page === 'none') return undefined
  if (page === 'app') return loginUrl && `${loginUrl}?token=${token}`
  return linkUrl === undefined ? `${publicUrl}/${page}?token=${token}` : `${linkUrl}?kind=${page}&token=${token}`
}
