import { Form } from '../../../../pages/form.tsx'
import type { View, Visit } from '../../../../pages/pages.tsx'
import { factorTexts } from '../factors/texts/texts.ts'
import { type AccountShown, textsOf } from './parts.tsx'

/** The pages below the overview, in their order. */
export const pagesBelow = [
  'profile',
  'address',
  'password',
  'security',
  'sessions',
  'apps',
  'identities',
  'export',
  'delete',
] as const
export type PageBelow = (typeof pagesBelow)[number]

/** The account at a glance, with the way to its pages. @param pages those that this service has */
export function overviewView(
  visit: Visit,
  { browser: { user }, hidden }: AccountShown,
  pages: readonly PageBelow[],
): View {
  const texts = textsOf(visit)
  const { title, notVerified, logOut } = texts.overview
  const present: Partial<Record<PageBelow, string>> = {
    profile: user.name ?? user.username,
    address: user.emailVerifiedAt === null ? `${user.email} (${notVerified})` : user.email,
  }
  return {
    title,
    content: (
      <>
        <ul class="list">
          {pages.map((page) => (
            <li key={page}>
              <a href={visit.link(`/account/${page}`)}>
                <span>{page === 'security' ? factorTexts[visit.locale].security.title : texts[page].title}</span>
                {present[page] !== undefined && <span class="value">{present[page]}</span>}
              </a>
            </li>
          ))}
        </ul>
        <Form action={visit.link('/sign-out')} hidden={hidden} button={logOut} look="plain" />
      </>
    ),
  }
}
