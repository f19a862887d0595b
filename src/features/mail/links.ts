import { mailProofs, type ProofKind } from './kinds.ts'

/** Where the links of mails lead. All of it comes from settings, never from a request. */
export interface LinkSettings {
  /** PUBLIC_URL. */
  publicUrl: string
  /** LINK_URL, where Keyward's own pages are off. */
  linkUrl: string | undefined
  /** LOGIN_URL; without it a mail to log in has only a code. */
  loginUrl: string | undefined
}

/** The link of a mail. @returns undefined when the mail has none */
export function linkOf(
  { publicUrl, linkUrl, loginUrl }: LinkSettings,
  kind: ProofKind,
  token: string,
): string | undefined {
  const { page } = mailProofs[kind]
  if (page === 'app') return loginUrl && `${loginUrl}?token=${token}`
  return linkUrl === undefined ? `${publicUrl}/${page}?token=${token}` : `${linkUrl}?kind=${page}&token=${token}`
}
