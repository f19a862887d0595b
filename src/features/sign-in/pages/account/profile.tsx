import { type Locale, locales } from '../../../../lib/locale.ts'
import { Field, Select } from '../../../../pages/field.tsx'
import { Form } from '../../../../pages/form.tsx'
import type { View, Visit } from '../../../../pages/pages.tsx'
import { type AccountShown, noticeOf, pageBelow, textsOf } from './parts.tsx'

/** Each language in its own words. */
const languages: Record<Locale, string> = { en: 'English', de: 'Deutsch', fr: 'Français', es: 'Español', ja: '日本語' }

/** The form for the username, the name and the language. */
export function profileView(visit: Visit, { browser: { user }, hidden, problem }: AccountShown): View {
  const texts = textsOf(visit).profile
  const refused = (name: string) => problem?.errors.find(({ field }) => field === name)
  const ofUsername = refused('username')
  const username =
    problem?.code === 'username_taken'
      ? texts.usernameTaken
      : ofUsername && (ofUsername.reason === 'reserved' ? texts.reservedUsername : texts.invalidUsername)
  const name = refused('name') && texts.invalidName
  // After a refusal the form shows what was typed, otherwise what is stored.
  const typed = problem ? visit.input : {}
  return pageBelow(visit, {
    title: texts.title,
    problem: noticeOf(problem, username !== undefined || name !== undefined),
    done: 'saved' in visit.input ? textsOf(visit).saved : undefined,
    children: (
      <Form action={visit.link('/account/profile')} hidden={hidden} button={texts.button}>
        <Field
          name="username"
          label={texts.username}
          hint={username === undefined ? texts.usernameHint : undefined}
          autocomplete="username"
          value={typed.username ?? user.username}
          error={username}
          focus={username !== undefined}
        />
        <Field
          name="name"
          label={texts.name}
          hint={name === undefined ? texts.nameHint : undefined}
          autocomplete="name"
          value={typed.name ?? user.name ?? ''}
          error={name}
          focus={username === undefined && name !== undefined}
        />
        <Select
          name="locale"
          label={texts.locale}
          value={typed.locale ?? user.locale ?? ''}
          choices={[
            { value: '', text: texts.noLocale },
            ...locales.map((locale) => ({ value: locale, text: languages[locale], lang: locale })),
          ]}
        />
      </Form>
    ),
  })
}
